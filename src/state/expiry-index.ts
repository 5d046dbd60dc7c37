import type { Bytes } from '../bytes/types.ts';

interface Due {
  readonly at: number;
  readonly key: Bytes;
}

/** Which keys fall due next: a binary heap whose entries may be outdated; the keyspace knows which ones are. */
export class ExpiryIndex {
  #heap: Due[] = [];

  get size(): number {
    return this.#heap.length;
  }

  add(at: number, key: Bytes): void {
    const heap = this.#heap;
    let i = heap.length;
    const item = { at, key };
    heap.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Due;
      if (above.at <= at) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = item;
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

  /** Takes the earliest item out. */
  pop(): Due | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Due).at < (heap[child] as Due).at) child += 1;
      const below = heap[child] as Due;
      if (below.at >= last.at) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
    return top;
  }

  /** Replaces everything. */
  rebuild(items: Iterable<readonly [key: Bytes, at: number]>): void {
    this.#heap = [];
    for (const [key, at] of items) this.#heap.push({ at, key });
    this.#heap.sort((a, b) => a.at - b.at); // a sorted array is a heap
  }
}
