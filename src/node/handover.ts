import type { Logger } from '../env/logger.ts';
import { nodeClock } from '../env/node-clock.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost } from '../shard/shard-host.ts';

const pollMs = 10;
/** A clean stop waits this long for a handover, ms. */
const handoverMs = 1500;
/** Above every priority that can be configured. */
const takeOverPriority = 1_000_000;
const takeOverMs = 10_000;

/** Hands leadership of every shard that this node leads to an in-sync follower, and waits for it within bounds. */
export async function handOverAll(host: ShardHost, peers: PeerNetwork, logger: Logger): Promise<void> {
  const startMs = nodeClock.monotonicMs();
  for (const replica of host.replicas.values()) {
    const target = bestSuccessor(replica, peers, startMs);
    if (target === null || !replica.handOver(target, startMs)) continue;
    logger.info({ shard: replica.shard, to: target }, 'handing leadership over');
    host.touched();
    while (replica.core.leadership !== null && nodeClock.monotonicMs() - startMs < handoverMs)
      await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** The connected follower in sync that holds most; null when this node does not lead or there is none. */
function bestSuccessor(replica: Replica, peers: PeerNetwork, now: number): string | null {
  const { leadership } = replica.core;
  if (leadership === null) return null;
  const fit = [...leadership.followers].filter(
    ([node, progress]) =>
      leadership.isInSync(progress, now) && progress.priority > 0 && peers.connected(node),
  );
  fit.sort((a, b) => b[1].flushed - a[1].flushed);
  return fit[0]?.[0] ?? null;
}

/**
 * CLUSTER FAILOVER: for a while this node says that it wants to lead more than any other, and the leaders of the shards
 * that it follows hand over to who wants it most.
 */
export class TakeOver {
  readonly #replicas: () => readonly Replica[];
  readonly #logger: Logger;
  #running = false;

  constructor(replicas: () => readonly Replica[], logger: Logger) {
    this.#replicas = replicas;
    this.#logger = logger;
  }

  /** An error line, or null when the leaders are being asked. */
  ask(): string | null {
    const followed = this.#replicas().filter(({ core }) => core.role !== 'leader');
    if (followed.length === 0 && this.#replicas().length > 0)
      return 'ERR You should send CLUSTER FAILOVER to a replica';
    const voting = followed.filter(({ core }) => core.role !== 'learner');
    if (voting.length === 0) return 'ERR This node does not vote';
    if (voting.every(({ core }) => core.leader === null))
      return 'ERR There is no leader that could hand over';
    if (this.#running) return null;
    this.#running = true;
    this.#takeOver(voting);
    return null;
  }

  #takeOver(replicas: readonly Replica[]): void {
    const asking = new Map(replicas.map((replica) => [replica, replica.core.priority]));
    const endMs = nodeClock.monotonicMs() + takeOverMs;
    for (const { core, shard } of replicas) {
      core.priority = takeOverPriority;
      this.#logger.info({ shard, leader: core.leader }, 'asking for leadership');
    }
    const timer = setInterval(() => {
      for (const [replica, usual] of asking) {
        if (replica.core.leadership === null && nodeClock.monotonicMs() < endMs) continue;
        replica.core.priority = usual;
        asking.delete(replica);
      }
      if (asking.size > 0) return;
      clearInterval(timer);
      this.#running = false;
    }, pollMs);
    timer.unref();
  }
}
