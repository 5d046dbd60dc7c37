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

/** A connection's last write in each shard that it wrote to. */
export class LastWrites {
  /** The shard that was written to last; nothing is made for another write to it. */
  #replica: Replica | null = null;
  #lsn = 0;
  /** The other shards. */
  readonly #others = new Map<Replica, number>();

  record(replica: Replica, lsn: number): void {
    if (this.#replica !== replica) {
      if (this.#replica !== null) this.#others.set(this.#replica, this.#lsn);
      this.#others.delete(replica);
      this.#replica = replica;
    }
    this.#lsn = lsn;
  }

  /** Copies that there are now of all these writes; null when nothing was written, which is no question to a shard. */
  copies(stage: Stage): Copies | null {
    if (this.#replica === null) return null;
    let found = copiesIn(this.#replica, this.#lsn, stage);
    for (const [replica, lsn] of this.#others) {
      const { local, replicas } = copiesIn(replica, lsn, stage);
      found = { local: Math.min(local, found.local), replicas: Math.min(replicas, found.replicas) };
    }
    return found;
  }

  /** False once some shard's copies are not counted here any more. */
  get counted(): boolean {
    if (this.#replica === null) return true;
    if (this.#replica.core.leadership === null) return false;
    for (const replica of this.#others.keys()) if (replica.core.leadership === null) return false;
    return true;
  }
}

function copiesIn(replica: Replica, lsn: number, stage: Stage): Copies {
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
