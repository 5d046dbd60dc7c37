import type { CoreOptions } from '../core/options.ts';
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
 * CLUSTER FAILOVER: for a while this node says that it wants to lead more than any other, and the leader hands over to
 * who wants it most.
 */
export class TakeOver {
  readonly #options: { priority: CoreOptions['priority'] };
  readonly #replica: () => Replica | null;
  readonly #logger: Logger;
  #running = false;

  constructor(options: { priority: number }, replica: () => Replica | null, logger: Logger) {
    this.#options = options;
    this.#replica = replica;
    this.#logger = logger;
  }

  /** An error line, or null when the leader is being asked. */
  ask(): string | null {
    const replica = this.#replica();
    if (replica === null || replica.core.role === 'learner') return 'ERR This node does not vote';
    if (replica.core.role === 'leader') return 'ERR You should send CLUSTER FAILOVER to a replica';
    if (replica.core.leader === null) return 'ERR There is no leader that could hand over';
    if (this.#running) return null;
    this.#running = true;
    const usual = this.#options.priority;
    const endMs = nodeClock.monotonicMs() + takeOverMs;
    this.#options.priority = takeOverPriority;
    this.#logger.info({ shard: replica.shard, leader: replica.core.leader }, 'asking for leadership');
    const timer = setInterval(() => {
      if (replica.core.leadership === null && nodeClock.monotonicMs() < endMs) return;
      clearInterval(timer);
      this.#options.priority = usual;
      this.#running = false;
    }, pollMs);
    timer.unref();
    return null;
  }
}
