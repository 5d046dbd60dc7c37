import type { Bytes } from '../bytes/types.ts';
import type { Entry } from './entry.ts';
import { slotCount } from './slot.ts';

/** Slots up to this size are visited whole. */
const wholeSlot = 512;
/** Leaves room in a cursor for the number of a shard. */
const maxScanId = 0xf_ffff;
/** Scans inside large slots that can be under way at once. */
const maxScans = 256;

interface OpenScan {
  readonly slot: number;
  readonly iterator: IterableIterator<[Bytes, Entry]>;
  /** Entries to visit at most: as many as there were at the beginning. What came later stands behind all of them. */
  left: number;
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
    let id = Math.floor(cursor / slotCount);
    let left = Math.max(count, 1);
    for (; slot < slotCount && left > 0; slot++) {
      const map = slots[slot];
      const known = id === 0 ? undefined : this.#open.get(id);
      if (map !== undefined) {
        const inPieces = id === 0 && map.size > Math.max(wholeSlot, left);
        const scan: OpenScan =
          known !== undefined && known.slot === slot
            ? known
            : { slot, iterator: map[Symbol.iterator](), left: map.size };
        const whole = scan !== known && !inPieces;
        const visited = take(scan.iterator, whole ? scan.left : Math.min(left, scan.left), visit);
        left -= visited;
        scan.left -= visited;
        if (!whole && left <= 0 && scan.left > 0) return this.#keep(id, scan);
      }
      this.#open.delete(id);
      id = 0;
    }
    return slot >= slotCount ? 0 : slot;
  }

  #keep(id: number, scan: OpenScan): number {
    this.#open.delete(id);
    const kept = id === 0 ? this.#nextScan++ : id;
    if (this.#nextScan > maxScanId) this.#nextScan = 1;
    this.#open.set(kept, scan);
    if (this.#open.size > maxScans) this.#open.delete(this.#open.keys().next().value as number);
    return kept * slotCount + scan.slot;
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
