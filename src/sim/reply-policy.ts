import type { AckPolicy } from '../shard/ack-policy.ts';
import type { CommittedEntries } from './committed-entries.ts';
import type { Copies } from './copies.ts';

/** A reply that left: what it answers is the entry at `lsn`, or state that depends on it. */
export interface SentReply {
  readonly node: string;
  readonly shard: number;
  readonly what: string;
  readonly policy: AckPolicy;
  readonly lsn: number;
  readonly term: number;
}

/**
 * No reply leaves before its policy is met: as many voters as it names had the entry at its stage, and it was committed
 * where the policy includes that. Answers what is wrong; null when nothing is.
 */
export function checkReplyPolicy(
  { node, what, policy, lsn, term }: SentReply,
  voters: readonly string[],
  copies: Copies,
  committed: CommittedEntries,
): string | null {
  const { who, stage } = policy;
  if (who === 'none' || lsn === 0) return null;
  const holders = copies.holders(who === 'leader' ? [node] : voters, stage, lsn, term);
  // Who executed a write has received it, before it is part of a batch.
  if (stage === 'received' && !holders.includes(node)) holders.push(node);
  const facts = `${node} answered ${what} under ${who} ${stage}, and LSN ${lsn} of term ${term}`;
  const needed = who === 'leader' ? 1 : typeof who === 'number' ? who : Math.floor(voters.length / 2) + 1;
  if (holders.length < needed) return `${facts} was ${stage} on ${holders.join(', ') || 'nobody'}`;
  const commits = who === 'majority' || who === 'all';
  return commits && committed.termAt(lsn) !== term ? `${facts} was not committed` : null;
}
