import type { BatchSpan, HardState, Lsn, Membership, Position, Term } from './types.ts';
import { origin } from './types.ts';

/** Bytes that one entry counts for. */
export const entryBytes = 100;
/** How the no-op that opens a term is written. */
export const noop = '-';

interface Entry {
  readonly term: Term;
  readonly text: string;
  readonly membership: Membership | null;
  /** First LSN of the batch that brought it. */
  readonly batchLsn: Lsn;
}

/** A batch with readable entries. */
export interface ScenarioBatch extends BatchSpan {
  readonly texts: readonly string[];
}

export function scenarioBatch(
  term: Term,
  firstLsn: Lsn,
  texts: readonly string[],
  membership: Membership | null,
): ScenarioBatch {
  const lastLsn = firstLsn + texts.length - 1;
  const bytes = new Uint8Array(entryBytes * texts.length);
  const batch = { term, firstLsn, lastLsn, texts, bytes };
  return membership === null ? batch : { ...batch, membership };
}

/** What a disk is asked to do, in order. */
export type DiskWrite =
  | { readonly kind: 'entries'; readonly batch: ScenarioBatch; readonly fromLsn: Lsn }
  | { readonly kind: 'cut'; readonly end: Position }
  | { readonly kind: 'reset'; readonly position: Position }
  | { readonly kind: 'hardState'; readonly hardState: HardState };

/** The log of a replica with its entries: once as the replica sees it, once as its disk would give it back. */
export class ScenarioLog {
  base: Position = origin;
  hardState: HardState = { term: 0, vote: null };
  #entries: Entry[] = [];

  get lastLsn(): Lsn {
    return this.base.lsn + this.#entries.length;
  }

  at(lsn: Lsn): Entry | undefined {
    return this.#entries[lsn - this.base.lsn - 1];
  }

  write(write: DiskWrite): void {
    if (write.kind === 'entries') this.append(write.batch, write.fromLsn);
    else if (write.kind === 'cut') this.cut(write.end.lsn);
    else if (write.kind === 'reset') this.reset(write.position);
    else this.hardState = write.hardState;
  }

  append(batch: ScenarioBatch, fromLsn: Lsn): void {
    if (fromLsn !== this.lastLsn + 1) throw new Error(`LSN ${fromLsn} does not follow ${this.lastLsn}`);
    batch.texts.forEach((text, index) => {
      const lsn = batch.firstLsn + index;
      const membership = batch.membership ?? null;
      if (lsn >= fromLsn)
        this.#entries.push({ term: batch.term, text, membership, batchLsn: batch.firstLsn });
    });
  }

  cut(lsn: Lsn): void {
    this.#entries.length = Math.max(0, lsn - this.base.lsn);
  }

  holds({ lsn, term }: Position): boolean {
    return lsn === this.base.lsn ? term === this.base.term : this.at(lsn)?.term === term;
  }

  /** Drops the entries up to `position`; all of them when they do not hold it. */
  reset(position: Position): void {
    const keeps = this.at(position.lsn)?.term === position.term;
    this.#entries = keeps ? this.#entries.slice(position.lsn - this.base.lsn) : [];
    this.base = position;
  }

  /** The whole batches that hold the entries from an LSN on: as many as fit, at least one. */
  batchesFrom(lsn: Lsn, maxBytes: number): ScenarioBatch[] {
    const batches: ScenarioBatch[] = [];
    let bytes = 0;
    for (let at = lsn; at <= this.lastLsn; ) {
      const batch = this.#batchAt(at);
      bytes += batch.bytes.length;
      if (batches.length > 0 && bytes > maxBytes) break;
      batches.push(batch);
      at = batch.lastLsn + 1;
    }
    return batches;
  }

  #batchAt(lsn: Lsn): ScenarioBatch {
    const { term, batchLsn } = this.at(lsn) as Entry;
    const first = Math.max(batchLsn, this.base.lsn + 1);
    const entries: Entry[] = [];
    for (let at = first; at <= this.lastLsn; at++) {
      const entry = this.at(at) as Entry;
      if (entry.batchLsn !== batchLsn || entry.term !== term) break;
      entries.push(entry);
    }
    const texts = entries.map((entry) => entry.text);
    return scenarioBatch(term, first, texts, entries.at(-1)?.membership ?? null);
  }

  /** First LSN of each run of one term. */
  get runs(): Position[] {
    const runs: Position[] = [];
    this.#entries.forEach((entry, index) => {
      if (entry.term !== runs.at(-1)?.term) runs.push({ term: entry.term, lsn: this.base.lsn + 1 + index });
    });
    return runs;
  }

  get memberships(): { lsn: Lsn; membership: Membership }[] {
    const found: { lsn: Lsn; membership: Membership }[] = [];
    this.#entries.forEach(({ membership }, index) => {
      if (membership !== null) found.push({ lsn: this.base.lsn + 1 + index, membership });
    });
    return found;
  }

  texts(fromLsn: Lsn, toLsn: Lsn): string[] {
    return this.#entries.slice(fromLsn - this.base.lsn - 1, toLsn - this.base.lsn).map((entry) => entry.text);
  }

  /** One line: where it begins, and the entries by term. */
  describe(): string {
    const parts = this.runs.map((run, index, runs) => {
      const next = runs[index + 1]?.lsn ?? this.lastLsn + 1;
      return `term ${run.term}: ${this.texts(run.lsn, next - 1).join(' ')}`;
    });
    const start = this.base.lsn === 0 ? [] : [`behind ${this.base.lsn}`];
    return [...start, ...parts].join(' | ') || 'empty';
  }
}
