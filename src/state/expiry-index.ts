import type { Bytes } from '../bytes/types.ts';

/** The place of a key in the index. */
export interface Due {
  readonly key: Bytes;
  readonly at: number;
}

class Item implements Due {
  readonly key: Bytes;
  at: number;
  /** Where it stands in the heap. */
  place = 0;

  constructor(key: Bytes, at: number) {
    this.key = key;
    this.at = at;
  }
}

/**
 * Which keys fall due next: a binary heap whose items know their place, so that one is moved or taken out in O(log n).
 * It holds as many items as there are keys that expire, however often their expiries change.
 */
export class ExpiryIndex {
  #heap: Item[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest time in the index; Infinity when it is empty. */
  get nextAt(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** The earliest item. */
  get first(): Due | undefined {
    return this.#heap[0];
  }

  /** One of all items, by a place from 0 to below `size`. */
  at(place: number): Due {
    return this.#heap[place] as Due;
  }

  /** The new item, which `move` and `remove` take as long as it is there. */
  add(key: Bytes, at: number): Due {
    const item = new Item(key, at);
    this.#up(item, this.#heap.length);
    return item;
  }

  move(due: Due, at: number): void {
    const item = due as Item;
    const later = at > item.at;
    item.at = at;
    if (later) this.#down(item, item.place);
    else this.#up(item, item.place);
  }

  remove(due: Due): void {
    const { place } = due as Item;
    const last = this.#heap.pop() as Item;
    if (last === due) return;
    if (last.at < due.at) this.#up(last, place);
    else this.#down(last, place);
  }

  clear(): void {
    this.#heap = [];
  }

  /** Puts an item at a free place, or above it. */
  #up(item: Item, free: number): void {
    const heap = this.#heap;
    let place = free;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as Item;
      if (above.at <= item.at) break;
      heap[place] = above;
      above.place = place;
      place = parent;
    }
    heap[place] = item;
    item.place = place;
  }

  /** Puts an item at a free place, or below it. */
  #down(item: Item, free: number): void {
    const heap = this.#heap;
    let place = free;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Item).at < (heap[child] as Item).at) child += 1;
      const below = heap[child] as Item;
      if (below.at >= item.at) break;
      heap[place] = below;
      below.place = place;
      place = child;
    }
    heap[place] = item;
    item.place = place;
  }
}
