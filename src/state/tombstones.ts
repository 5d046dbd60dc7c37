import type { Bytes } from '../bytes/types.ts';

/** LSNs of deletes that are not committed yet, so that a reply which found a key missing knows what it depends on. */
export class Tombstones {
  keep = false;
  readonly #lsns = new Map<Bytes, number>();
  #order: { readonly key: Bytes; readonly lsn: number }[] = [];
  #head = 0;

  lsnOf(key: Bytes): number {
    return this.#lsns.get(key) ?? 0;
  }

  add(key: Bytes, lsn: number): void {
    if (!this.keep) return;
    this.#lsns.set(key, lsn);
    this.#order.push({ key, lsn });
  }

  /** Drops those at or below `lsn`. Deletes come in LSN order, so only the head is looked at. */
  committed(lsn: number): void {
    let oldest = this.#order[this.#head];
    while (oldest !== undefined && oldest.lsn <= lsn) {
      if (this.#lsns.get(oldest.key) === oldest.lsn) this.#lsns.delete(oldest.key);
      this.#head += 1;
      oldest = this.#order[this.#head];
    }
    if (oldest === undefined) {
      this.#order = [];
      this.#head = 0;
    }
  }
}
