import { everyMember } from '../core/membership.ts';
import type { Membership } from '../core/types.ts';

/**
 * A node deletes a replica only when the shard itself has let it go: whoever is named by what is committed may be asked
 * for its vote, or for what it holds. Answers what is wrong; null when nothing is.
 *
 * @param committed the last membership that anybody knew to be committed
 */
export function checkDropped(node: string, shard: number, committed: Membership): string | null {
  if (!everyMember(committed).includes(node)) return null;
  return `${node} deleted its replica of shard ${shard}, of which it is a member: ${describe(committed)}`;
}

/** A node is called removed only when no shard needs its vote. Answers what is wrong; null when nothing is. */
export function checkRemoved(node: string, committed: ReadonlyMap<number, Membership>): string | null {
  for (const [shard, membership] of committed)
    if (membership.voters.includes(node))
      return `${node} is called removed, and votes in shard ${shard}: ${describe(membership)}`;
  return null;
}

function describe({ voters, learners }: Membership): string {
  return `voters ${voters.join(' ')}, learners ${learners.join(' ') || 'nobody'}`;
}
