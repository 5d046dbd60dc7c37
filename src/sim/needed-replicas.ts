import type { Membership } from '../core/types.ts';

/**
 * A node deletes a replica only when the shard itself has let it go: who votes by what is committed may be asked for its
 * vote, and for what it holds. Of a learner nobody asks either: one that was let go before it came, and hears of that
 * late, may go before the shard knows. Answers what is wrong; null when nothing is.
 *
 * @param committed the last membership that anybody knew to be committed
 */
export function checkDropped(node: string, shard: number, committed: Membership): string | null {
  if (!committed.voters.includes(node)) return null;
  return `${node} deleted its replica of shard ${shard}, in which it votes: ${describe(committed)}`;
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
