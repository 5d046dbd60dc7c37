import type { Position } from '../core/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { Stage } from './ack-policy.ts';
import type { Replica } from './replica.ts';

/** Copies of a write: here (0 or 1), and on followers. */
interface Copies {
  readonly local: number;
  readonly replicas: number;
}

/** What WAIT (copies that were received) or WAITAOF (copies that are flushed) asks for. */
interface CopiesWanted extends Copies {
  readonly stage: 'received' | 'flushed';
  readonly deadlineMs: number;
}

/** A connection's last write in each shard that it wrote to. */
export class LastWrites {
  /** The shard that was written to last; nothing is made for another write to it. */
  #replica: Replica | null = null;
  #term = 0;
  #lsn = 0;
  /** The other shards. */
  readonly #others = new Map<Replica, Position>();

  record(replica: Replica, term: number, lsn: number): void {
    if (this.#replica !== replica) {
      if (this.#replica !== null) this.#others.set(this.#replica, this.#last);
      this.#others.delete(replica);
      this.#replica = replica;
    }
    this.#term = term;
    this.#lsn = lsn;
  }

  /** Copies that there are now of all these writes; null when nothing was written, which is no question to a shard. */
  copies(stage: Stage): Copies | null {
    if (this.#replica === null) return null;
    let found = copiesIn(this.#replica, this.#last, stage);
    for (const [replica, position] of this.#others) {
      const { local, replicas } = copiesIn(replica, position, stage);
      found = { local: Math.min(local, found.local), replicas: Math.min(replicas, found.replicas) };
    }
    return found;
  }

  /** False once some shard's copies are not counted here any more. */
  get counted(): boolean {
    if (this.#replica === null) return true;
    if (!isCounted(this.#replica, this.#last)) return false;
    for (const [replica, position] of this.#others) if (!isCounted(replica, position)) return false;
    return true;
  }

  get #last(): Position {
    return { term: this.#term, lsn: this.#lsn };
  }
}

/** What stands at the LSN of a write that was lost is another one, whose copies are no answer. */
function isCounted(replica: Replica, position: Position): boolean {
  return replica.core.leadership !== null && replica.reads.standing(position) !== 'lost';
}

function copiesIn(replica: Replica, position: Position, stage: Stage): Copies {
  if (replica.reads.standing(position) === 'lost') return { local: 0, replicas: 0 };
  const { lsn } = position;
  return { local: replica.core.flushed >= lsn ? 1 : 0, replicas: replica.gates.followersHolding(lsn, stage) };
}

/** WAIT and WAITAOF of one session: they ask how many copies of its last writes there are. */
export class CopiesWait {
  readonly lastWrites = new LastWrites();
  readonly #ofNothing: () => Copies;
  #wanted: CopiesWanted | null = null;

  /** @param ofNothing copies of "no write at all" */
  constructor(ofNothing: () => Copies) {
    this.#ofNothing = ofNothing;
  }

  get active(): boolean {
    return this.#wanted !== null;
  }

  /** Answers at once where there are enough copies, or where nothing may wait; else `check` answers later. */
  begin(wanted: CopiesWanted, mayWait: boolean, writer: ReplyWriter): void {
    const copies = this.#copies(wanted.stage);
    if (mayWait && !enough(copies, wanted)) this.#wanted = wanted;
    else writeCopies(writer, wanted.stage, copies);
  }

  /** Positions moved, or time passed. What to answer now; null while there is nothing to answer. */
  check(now: number): ((writer: ReplyWriter) => void) | null {
    const wanted = this.#wanted;
    if (wanted === null) return null;
    const copies = this.#copies(wanted.stage);
    // After a handover nobody counts copies any more: the client hears what is known rather than nothing for ever.
    if (this.lastWrites.counted && !enough(copies, wanted) && now < wanted.deadlineMs) return null;
    this.#wanted = null;
    return (writer) => writeCopies(writer, wanted.stage, copies);
  }

  end(): void {
    this.#wanted = null;
  }

  #copies(stage: CopiesWanted['stage']): Copies {
    return this.lastWrites.copies(stage) ?? this.#ofNothing();
  }
}

function enough(copies: Copies, wanted: CopiesWanted): boolean {
  return copies.local >= wanted.local && copies.replicas >= wanted.replicas;
}

function writeCopies(writer: ReplyWriter, stage: CopiesWanted['stage'], copies: Copies): void {
  if (stage === 'flushed') {
    writer.array(2);
    writer.integer(copies.local);
  }
  writer.integer(copies.replicas);
}
