import type { BatchSpan, HardState, Lsn, Message, NodeId, Position } from './types.ts';

/**
 * What the core wants done. The driver notes or queues each call and returns; it never calls back into the core from
 * inside one. Calls come in the order in which their effects must happen.
 */
export interface CoreOutput {
  send(to: NodeId, message: Message): void;
  /** Write this before or together with whatever is written after it; report `hardStateDurable` when it is stable. */
  putHardState(hardState: HardState): void;
  /** A follower's log ends at this entry from now on. What was beyond it goes to the loss ledger. */
  cutLog(end: Position): void;
  /** A follower's log grows by these entries, from `firstLsn` of the first batch's wanted part on. */
  appendToLog(batch: BatchSpan, fromLsn: Lsn): void;
  /** The commit position rose. */
  committed(commit: Lsn): void;
  /** Role, term or leader changed; read them from the core. */
  roleChanged(): void;
  /** There may be something to send to this follower: ask `planShipment`. */
  shipTo(follower: NodeId): void;
  /** A follower's known positions, or who is in sync, changed: waiting acknowledgements may be met. */
  positionsChanged(): void;
  /** Leadership was confirmed by a majority at a later time than before: waiting reads may be met. */
  leadershipConfirmed(): void;
  /** The leader offers a checkpoint, since the log that this replica needs is gone. */
  fetchSnapshot(from: NodeId, checkpoint: Position): void;
  /** The log that this follower needs is gone; answer with `offerSnapshot` when there is a checkpoint to offer. */
  needsSnapshot(follower: NodeId): void;
  /** The answer to a read-index question. */
  readIndex(context: number, commit: Lsn | null): void;
  /** The leader proved by its lease: whatever was committed anywhere at `atMs`, own clock, is at or below `commit`. */
  fresh(atMs: number, commit: Lsn): void;
  /** What this replica may have forgotten is made good: remember that. */
  doubtCleared(): void;
}
