import type { Bytes } from '../bytes/types.ts';
import type { Entry } from './entry.ts';
import { slotCount } from './slot.ts';

/** Slots up to this size are visited whole. */
const wholeSlot = 512;
/** Scans inside large slots that can be under way at once. */
const maxScans = 256;

interface OpenScan {
  readonly slot: number;
  readonly iterator: IterableIterator<[Bytes, Entry]>;
}

/**
 * SCAN over slots in order. A cursor is (scan, slot): small slots are visited whole, large ones through an iterator
 * that is kept between calls, which no change of the map disturbs. When that iterator is gone (another node, too many
 * scans) the slot is visited whole from its start: keys may come twice, none is left out.
 */
export class Scanner {
  readonly #open = new Map<number, OpenScan>();
  #nextScan = 1;

  reset(): void {
    this.#open.clear();
  }

  scan(
    slots: readonly (Map<Bytes, Entry> | undefined)[],
    cursor: number,
    count: number,
    visit: (key: Bytes, entry: Entry) => void,
  ): number {
    let slot = cursor % slotCount;
    let scan = Math.floor(cursor / slotCount);
    let left = count;
    while (slot < slotCount) {
      const map = slots[slot];
      if (map !== undefined) {
        const open = this.#open.get(scan);
        const resumed = scan !== 0 && open !== undefined && open.slot === slot ? open.iterator : null;
        const begins = scan === 0 && map.size > Math.max(wholeSlot, count);
        const iterator = resumed ?? map[Symbol.iterator]();
        const limit = resumed !== null || begins ? Math.max(left, 1) : Number.POSITIVE_INFINITY;
        const visited = take(iterator, limit, visit);
        left -= visited;
        if (visited === limit) return this.#suspend(scan, slot, iterator);
        this.#open.delete(scan);
      }
      scan = 0;
      slot += 1;
      if (left <= 0) break;
    }
    return slot >= slotCount ? 0 : slot;
  }

  #suspend(scan: number, slot: number, iterator: IterableIterator<[Bytes, Entry]>): number {
    this.#open.delete(scan);
    const id = scan === 0 ? this.#nextScan++ : scan;
    if (this.#nextScan > 0xffff_ffff) this.#nextScan = 1;
    this.#open.set(id, { slot, iterator });
    if (this.#open.size > maxScans) this.#open.delete(this.#open.keys().next().value as number);
    return id * slotCount + slot;
  }
}

function take(
  iterator: IterableIterator<[Bytes, Entry]>,
  limit: number,
  visit: (key: Bytes, entry: Entry) => void,
): number {
  let visited = 0;
  while (visited < limit) {
    const next = iterator.next();
    if (next.done === true) break;
    visit(next.value[0], next.value[1]);
    visited += 1;
  }
  return visited;
}
