import type { Leadership } from '../core/leadership.ts';
import { everyMember } from '../core/membership.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { Replica } from '../shard/replica.ts';
import { nextMembership } from './next-membership.ts';

/** How often the leader of a shard looks whether it has the members that are wanted. */
const lookMs = 100;

interface ReconcilerParts {
  readonly self: NodeId;
  readonly logger: Logger;
  /** All replicas of this node. */
  replicas(): Iterable<Replica>;
  /** The members that a shard is to have by committed metadata; null when it says nothing of the shard. */
  wanted(shard: number, has: Membership): Membership | null;
}

/**
 * Brings shards to the members that the metadata wants. Each shard's own leader does, as it is the one who knows how far
 * its followers are; it needs nothing but the metadata, which every node holds. A leader that goes by an older epoch
 * makes a step that the next one corrects: whatever is proposed is safe in itself.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  tick(now: number): void {
    if (now - this.#lookedMs < lookMs) return;
    this.#lookedMs = now;
    for (const replica of this.#parts.replicas()) if (replica.serving) this.#look(replica, now);
  }

  #look(replica: Replica, now: number): void {
    const { core } = replica;
    const { leadership, membership } = core;
    const wanted = this.#parts.wanted(replica.shard, membership);
    if (wanted === null || leadership === null || leadership.handover !== null) return;
    const isInSync = (node: NodeId): boolean => {
      const progress = leadership.followers.get(node);
      return progress !== undefined && leadership.isInSync(progress, now);
    };
    const step = nextMembership(membership, wanted, this.#parts.self, isInSync);
    if (step === null) return;
    if (step.kind === 'change') {
      // What is refused now may be possible when somebody has caught up, or an earlier change is committed.
      if (replica.changeMembership(step.next, now) === null)
        this.#parts.logger.info(
          { shard: replica.shard, from: everyMember(membership), to: everyMember(wanted) },
          'a step towards the wanted members',
        );
      return;
    }
    // Whoever never leads, or drains, is no heir.
    const [heir] = step.to
      .filter(
        (node) => membership.voters.includes(node) && isInSync(node) && willingness(leadership, node) > 0,
      )
      .sort((a, b) => willingness(leadership, b) - willingness(leadership, a));
    if (heir === undefined || !replica.handOver(heir, now)) return;
    this.#parts.logger.info({ shard: replica.shard, to: heir }, 'this replica is to go: handing over');
  }
}

function willingness(leadership: Leadership, node: NodeId): number {
  return leadership.followers.get(node)?.priority ?? 0;
}
