import type { Progress } from '../core/progress.ts';
import type { Logger } from '../env/logger.ts';
import { nodeClock } from '../env/node-clock.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost } from '../shard/shard-host.ts';

const askMs = 50;
const takeOverMs = 10_000;
/** A follower that had everything so recently takes over without a pause that clients notice. */
const closeMs = 150;

/** Whom this node could hand a shard to, best first: close behind, preferred, leading few shards, holding most. */
function successors(host: ShardHost, replica: Replica, peers: PeerNetwork): string[] {
  const { leadership } = replica.core;
  if (leadership === null) return [];
  const now = host.now();
  const led = new Map<string, number>();
  for (const { core } of host.replicas.values())
    if (core.leader !== null) led.set(core.leader, (led.get(core.leader) ?? 0) + 1);
  const rank = ([node, progress]: readonly [string, Progress]): number[] => [
    now - progress.caughtUpMs <= closeMs ? 0 : 1,
    -progress.priority,
    led.get(node) ?? 0,
    -progress.flushed,
  ];
  const fit = [...leadership.followers].filter(
    ([node, progress]) =>
      progress.priority > 0 && leadership.isInSync(progress, now) && peers.connected(node),
  );
  return fit.sort((a, b) => compareRanks(rank(a), rank(b))).map(([node]) => node);
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] as number);
}

/** Begins to hand a shard over to the best follower; false when there is none, or this node does not lead it. */
export function handOverToBest(host: ShardHost, replica: Replica, peers: PeerNetwork): string | null {
  const [best] = successors(host, replica, peers);
  if (best === undefined || !replica.handOver(best, host.now())) return null;
  host.touched();
  return best;
}

/** REPL HANDOVER: an error line, or null when the handover has begun. */
export function handOverByCommand(
  host: ShardHost,
  peers: PeerNetwork,
  shard: number,
  to: string | null,
): string | null {
  const replica = host.replicas.get(shard);
  if (replica === undefined) return `ERR This node has no shard ${shard}`;
  const { leadership, leader } = replica.core;
  if (leadership === null)
    return `ERR This node does not lead shard ${shard}${leader === null ? '' : `; ${leader} does`}`;
  if (leadership.handover !== null) return `ERR Shard ${shard} is being handed over already`;
  const problem = to === null ? null : problemOf(replica, to, host.now());
  if (problem !== null) return `ERR ${problem}`;
  const target = to ?? successors(host, replica, peers)[0];
  if (target === undefined) return `ERR No other node is in sync and willing to lead shard ${shard}`;
  if (!replica.handOver(target, host.now(), true)) return `ERR ${target} cannot take shard ${shard} over now`;
  host.touched();
  return null;
}

/** Why a node cannot take a shard over without a pause; null when it can. */
function problemOf({ core, shard }: Replica, target: string, now: number): string | null {
  if (target === core.id) return `${target} leads shard ${shard} already`;
  const { leadership } = core;
  const progress = leadership?.followers.get(target);
  if (leadership === null || progress === undefined) return `${target} is no follower of shard ${shard}`;
  if (!core.membership.voters.includes(target)) return `${target} does not vote in shard ${shard}`;
  if (!leadership.isInSync(progress, now)) return `${target} is not in sync`;
  return progress.priority === 0 ? `${target} does not lead: it drains, or is configured so` : null;
}

/**
 * CLUSTER FAILOVER: this node asks the leaders of the shards that it follows to hand over to it, again and again until
 * it leads or its patience ends.
 */
export class TakeOver {
  readonly #host: ShardHost;
  readonly #logger: Logger;
  #running = false;

  constructor(host: ShardHost, logger: Logger) {
    this.#host = host;
    this.#logger = logger;
  }

  /** An error line, or null when the leaders are being asked. */
  ask(): string | null {
    const replicas = [...this.#host.replicas.values()];
    const followed = replicas.filter(({ core }) => core.role !== 'leader');
    if (followed.length === 0 && replicas.length > 0)
      return 'ERR You should send CLUSTER FAILOVER to a replica';
    const voting = followed.filter(({ core }) => core.role !== 'learner');
    if (voting.length === 0) return 'ERR This node does not vote';
    if (voting.every(({ core }) => core.leader === null))
      return 'ERR There is no leader that could hand over';
    if (voting.every(({ core }) => core.wish === 0))
      return 'ERR This node does not lead: it drains, or is configured so';
    if (this.#running) return null;
    this.#running = true;
    this.#takeOver(voting);
    return null;
  }

  #takeOver(replicas: readonly Replica[]): void {
    const endMs = nodeClock.monotonicMs() + takeOverMs;
    for (const { core, shard } of replicas)
      this.#logger.info({ shard, leader: core.leader }, 'asking for leadership');
    const waiting = new Set(replicas);
    const ask = (): void => {
      const now = nodeClock.monotonicMs();
      for (const replica of waiting)
        if (replica.core.leadership !== null || now >= endMs) waiting.delete(replica);
        else replica.askForLeadership(now);
      this.#host.touched();
      if (waiting.size > 0) return;
      clearInterval(timer);
      this.#running = false;
    };
    const timer = setInterval(ask, askMs);
    timer.unref();
    ask();
  }
}
