import type { ReplyWriter } from '../resp/types.ts';
import type { Stage } from './ack-policy.ts';
import type { Replica } from './replica.ts';

/** Copies of a write: here (0 or 1), and on followers. */
export interface Copies {
  readonly local: number;
  readonly replicas: number;
}

/** What WAIT (copies that were received) or WAITAOF (copies that are flushed) asks for. */
export interface CopiesWanted extends Copies {
  readonly stage: 'received' | 'flushed';
  readonly deadlineMs: number;
}

/** The shard and LSN of a connection's last write. */
export interface LastWrite {
  readonly replica: Replica;
  readonly lsn: number;
}

/** Copies that there are now; null when nothing was written, which is no question to a shard. */
export function copiesOf(lastWrite: LastWrite | null, stage: Stage): Copies | null {
  if (lastWrite === null) return null;
  const { replica, lsn } = lastWrite;
  return { local: replica.core.flushed >= lsn ? 1 : 0, replicas: replica.followersHolding(lsn, stage) };
}

export function enough(copies: Copies, wanted: CopiesWanted): boolean {
  return copies.local >= wanted.local && copies.replicas >= wanted.replicas;
}

export function writeCopies(writer: ReplyWriter, stage: CopiesWanted['stage'], copies: Copies): void {
  if (stage === 'flushed') {
    writer.array(2);
    writer.integer(copies.local);
  }
  writer.integer(copies.replicas);
}
