import type { Copies } from './copies.ts';

/** A leader says that everything up to `lsn` is committed. */
export interface CommitClaim {
  readonly node: string;
  readonly lsn: number;
  /** Of the entry there, and of the leader. */
  readonly entryTerm: number;
  readonly term: number;
}

/**
 * A leader commits an entry of its own term that a majority of voters has on stable storage, and nothing else (Raft,
 * section 5.4.2): copies of an older term's entry prove nothing. Answers what is wrong; null when nothing is.
 */
export function checkCommitQuorum(
  { node, lsn, entryTerm, term }: CommitClaim,
  voters: readonly string[],
  copies: Copies,
): string | null {
  if (entryTerm !== term)
    return `${node} leads term ${term} and commits LSN ${lsn}, which is of term ${entryTerm}`;
  const holders = copies.holders(voters, 'flushed', lsn, term);
  if (2 * holders.length > voters.length) return null;
  return `${node} commits LSN ${lsn} of term ${term}, which is durable on ${holders.join(', ') || 'nobody'} of ${voters.join(', ')}`;
}
