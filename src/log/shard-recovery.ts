import type { Batch } from './batch.ts';
import { History } from './history.ts';
import { comparePositions, laterPosition, origin, samePosition } from './positions.ts';
import type { BatchRecord, LogRecord, MembershipAt, StateRecord } from './record.ts';
import type { Doubt, HardState, LogPosition, RecoveredShard } from './types.ts';

/** Where a batch was found. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  /** File and offset, for people. */
  readonly where: string;
}

/** A shard's log as recovery leaves it, and what it has to tell. */
export interface RecoveredLog {
  readonly history: History;
  readonly checkpointMembership: Buffer | null;
  readonly recovered: RecoveredShard;
  /** The damage was found now: the log has yet to remember it. */
  readonly fresh: boolean;
}

/**
 * Rebuilds one shard's log from the records of the stream. What is missing in between splits it into pieces: each
 * record names the entry before it, and a piece ends where the next record does not fit. Only the piece below the
 * first gap can be used, or the one behind the last gap that a checkpoint covers.
 */
export class ShardRecovery {
  readonly #shard: number;
  #pieces: History[] = [new History(origin)];
  /** Nothing has been said of this shard yet. */
  #untouched = true;
  #hardState: HardState | null = null;
  #checkpoint: LogPosition = origin;
  #checkpointMembership: Buffer | null = null;
  /** What an earlier recovery found, or the replica knew. */
  #doubt: Doubt | null = null;
  /** Where records were lost of which nothing is known, until a later record shows what they left. */
  #lostPosition: string | null = null;
  #lostHardState: string | null = null;
  /** Where the first gap is. */
  #gapAt: string | null = null;

  constructor(shard: number) {
    this.#shard = shard;
  }

  /** Records were lost that may have been this shard's. */
  lost(where: string, maybeHardState: boolean): void {
    this.#lostPosition ??= where;
    if (maybeHardState) this.#lostHardState ??= where;
  }

  apply(record: LogRecord, batch: Batch | null, place: Place): void {
    switch (record.kind) {
      case 'batch':
        this.#batch(record, batch, place);
        break;
      case 'state':
        this.#state(record, place);
        break;
      case 'hardState':
        this.#hardState = record.hardState;
        this.#lostHardState = null;
        break;
      case 'cut':
        this.#endAt(record.end, place.where);
        break;
      case 'reset':
        this.#reset(record.base, record.last, place.where);
        break;
      case 'checkpointed':
        this.#checkpoint = record.position;
        this.#checkpointMembership = record.membership;
        break;
      case 'doubt':
        this.#doubt = record.doubt;
        break;
      case 'madeGood':
        this.#doubt = null;
        break;
    }
    this.#untouched = false;
  }

  get #newest(): History {
    return this.#pieces[this.#pieces.length - 1] as History;
  }

  /** Ends the log at a position. When it is not held there is a gap, and a new piece begins behind it. */
  #endAt(end: LogPosition, where: string): void {
    this.#lostPosition = null;
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const piece = this.#pieces[i] as History;
      if (!piece.holds(end)) continue;
      piece.truncate(end.lsn);
      this.#pieces.length = i + 1;
      return;
    }
    // None of the entries beyond this position are valid any more, wherever they stand.
    this.#pieces = this.#pieces.filter((piece, i) => i === 0 || piece.base.lsn < end.lsn);
    for (const piece of this.#pieces)
      piece.truncate(Math.max(piece.base.lsn, Math.min(piece.last.lsn, end.lsn - 1)));
    this.#startPiece(end, where);
  }

  #startPiece(base: LogPosition, where: string): void {
    this.#gapAt ??= where;
    this.#pieces.push(new History(base));
  }

  #batch(record: BatchRecord, batch: Batch | null, place: Place): void {
    this.#endAt({ term: record.previousTerm, lsn: record.firstLsn - 1 }, place.where);
    if (batch === null) {
      this.#startPiece({ term: record.term, lsn: record.lastLsn }, place.where);
      return;
    }
    const piece = this.#newest;
    piece.extend(record.term, record.firstLsn, record.lastLsn);
    piece.index.add(record.firstLsn, record.lastLsn, place.segment, place.offset, record.length);
    piece.noteMemberships(batch);
  }

  #reset(base: LogPosition, last: LogPosition, where: string): void {
    this.#lostPosition = null;
    const inForce = this.#membershipAt(base.lsn);
    const kept = samePosition(base, last) ? -1 : this.#pieces.findIndex((piece) => piece.holds(base));
    if (kept < 0) {
      this.#pieces = [new History(base)];
      this.#gapAt = null;
    } else {
      this.#pieces = this.#pieces.slice(kept);
      this.#pieces[0]?.rebase(base);
    }
    if (!samePosition(this.#newest.last, last)) this.#endAt(last, where);
    if (inForce !== null) this.#pieces[0]?.adoptMembership(inForce);
  }

  #membershipAt(lsn: number): MembershipAt | null {
    let found: MembershipAt | null = null;
    for (const piece of this.#pieces) {
      for (const membership of piece.memberships) if (membership.lsn <= lsn) found = membership;
    }
    return found;
  }

  #state(record: StateRecord, place: Place): void {
    const { state, memberships } = record;
    this.#hardState = state.hardState;
    this.#lostHardState = null;
    this.#checkpoint = state.checkpoint;
    this.#checkpointMembership = state.checkpointMembership;
    this.#doubt = state.doubt;
    if (!this.#untouched) {
      this.#endAt(state.last, place.where);
      return;
    }
    // The first that is heard of the shard: older segments were dropped, or never held any of it.
    this.#lostPosition = null;
    const piece = new History(state.base);
    this.#pieces = [piece];
    if (!samePosition(state.base, state.last)) {
      this.#startPiece(state.last, place.where);
      for (const membership of memberships) this.#newest.memberships.push(membership);
    } else {
      piece.memberships.push(...memberships);
    }
  }

  finish(): RecoveredLog {
    let usable = 0;
    for (const [i, piece] of this.#pieces.entries()) if (piece.base.lsn <= this.#checkpoint.lsn) usable = i;
    const history = this.#pieces[usable] as History;
    if (this.#checkpointMembership !== null && history.base.lsn > 0) {
      // Serves when the entry that set it is gone; one that the log still holds wins.
      history.adoptMembership({ lsn: history.base.lsn, bytes: this.#checkpointMembership });
    }
    const fresh = this.#freshDoubt(usable);
    const doubt = merge(settle(this.#doubt, history.last), fresh);
    return {
      history,
      checkpointMembership: this.#checkpointMembership,
      recovered: {
        shard: this.#shard,
        hardState: this.#lostHardState === null ? this.#hardState : null,
        base: history.base,
        last: history.last,
        terms: history.terms,
        checkpoint: this.#checkpoint,
        memberships: history.memberships,
        damage: doubt,
      },
      fresh: fresh !== null,
    };
  }

  #freshDoubt(usable: number): Doubt | null {
    const gap = usable < this.#pieces.length - 1;
    const where = this.#lostPosition ?? this.#lostHardState ?? (gap ? this.#gapAt : null);
    if (where === null) return null;
    return {
      mayHaveAcknowledged:
        this.#lostPosition === null ? this.#pieces.map((piece) => piece.last).reduce(laterPosition) : null,
      hardStateLost: this.#lostHardState !== null,
      where,
    };
  }
}

function merge(a: Doubt | null, b: Doubt | null): Doubt | null {
  if (a === null || b === null) return a ?? b;
  const unknown = a.mayHaveAcknowledged === null || b.mayHaveAcknowledged === null;
  return {
    mayHaveAcknowledged: unknown ? null : laterPosition(a.mayHaveAcknowledged, b.mayHaveAcknowledged),
    hardStateLost: a.hardStateLost || b.hardStateLost,
    where: b.where,
  };
}

/** A log that reaches what may have been acknowledged has been repaired. */
export function settle(doubt: Doubt | null, last: LogPosition): Doubt | null {
  if (doubt === null || doubt.hardStateLost || doubt.mayHaveAcknowledged === null) return doubt;
  return comparePositions(last, doubt.mayHaveAcknowledged) >= 0 ? null : doubt;
}
