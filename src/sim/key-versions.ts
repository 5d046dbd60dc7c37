import type { Operation } from './history.ts';

type Result = Operation['result'];

interface Version {
  readonly lsn: number;
  readonly value: Result;
  /** It has an expiry: readers may find nothing where it stands. */
  readonly fleeting: boolean;
}

const nothing: readonly Version[] = [{ lsn: 0, value: null, fleeting: false }];

/** Which value each key had from which LSN on, and when each LSN was committed, in true time. */
export class KeyVersions {
  readonly #versions = new Map<string, Version[]>();
  /** Of each committed entry, by LSN; the times never fall. */
  readonly #terms: number[] = [0];
  readonly #committedMs: number[] = [Number.NEGATIVE_INFINITY];

  get lastLsn(): number {
    return this.#terms.length - 1;
  }

  /** The next entry is committed. */
  committed(lsn: number, term: number, nowMs: number): void {
    this.#terms[lsn] = term;
    this.#committedMs[lsn] = nowMs;
  }

  /** The entry committed last gave a key this value. */
  changed(key: string, value: Result, fleeting = false): void {
    const versions = this.#versions.get(key) ?? [...nothing];
    versions.push({ lsn: this.lastLsn, value, fleeting });
    this.#versions.set(key, versions);
  }

  /** The term of a committed entry; null when there is none at that place. */
  termAt(lsn: number): number | null {
    return this.#terms[lsn] ?? null;
  }

  /** When an entry was committed. */
  committedMs(lsn: number): number {
    return this.#committedMs[lsn] ?? Number.POSITIVE_INFINITY;
  }

  /** The last LSN that was committed at or before a time. */
  committedBy(ms: number): number {
    let low = 0;
    let high = this.lastLsn;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.committedMs(middle) <= ms) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The least LSN, from `fromLsn` on, at which a reader of the key finds this; null when there is none. */
  shownAt(key: string, result: Result, fromLsn: number): number | null {
    if (fromLsn > this.lastLsn) return null;
    const versions = this.#versions.get(key) ?? nothing;
    const at = versions.findLastIndex((version) => version.lsn <= fromLsn);
    for (let i = Math.max(0, at); i < versions.length; i++) {
      const { lsn, value, fleeting } = versions[i] as Version;
      if (value === result || (fleeting && result === null)) return Math.max(lsn, fromLsn);
    }
    return null;
  }
}
