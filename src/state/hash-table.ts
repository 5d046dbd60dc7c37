import type { Bytes } from '../bytes/types.ts';

/** Items in a bucket before it is split. Bounds what one change copies and what one step of a scan returns. */
const bucketSize = 256;
/** Two halves that hold no more than this together become one again. */
const joinedSize = bucketSize / 2;
/** Places in the directory for each full bucket's worth of items. Where keys with like hashes want more, a bucket grows. */
const maxPlaces = 16;
const hashRange = 0x1_0000_0000;

class Bucket<V> {
  owner: object;
  readonly items: Map<Bytes, V>;
  /** Leading bits of the hash that all its items share. */
  readonly depth: number;

  constructor(owner: object, depth: number, items: Map<Bytes, V>) {
    this.owner = owner;
    this.depth = depth;
    this.items = items;
  }
}

/**
 * A map from byte strings that never stalls: extendible hashing, so growing splits one small bucket at a time, where
 * a Map of a million items is rehashed whole. Copies share buckets; whoever changes one first takes a copy of it. So
 * a copy costs one word per bucket, and a checkpoint can read one while the original goes on.
 *
 * Buckets stand in the order of hashes. A scan's cursor is the hash where it goes on, so it needs no memory here and
 * holds on every replica.
 */
export class HashTable<V> {
  /** What stands next to each other has nothing else in common. */
  readonly scattered = true;
  #owner: object = {};
  /** By the leading `#depth` bits of the hash. */
  #directory: Bucket<V>[];
  #depth = 0;
  #size = 0;
  /** Number of buckets of each depth. */
  #ofDepth: number[] = [1];

  constructor() {
    this.#directory = [new Bucket<V>(this.#owner, 0, new Map())];
  }

  get size(): number {
    return this.#size;
  }

  /** The same items, to be changed apart from these. */
  copy(): HashTable<V> {
    const twin = new HashTable<V>();
    twin.#directory = this.#directory.slice();
    twin.#depth = this.#depth;
    twin.#size = this.#size;
    twin.#ofDepth = this.#ofDepth.slice();
    this.#owner = {};
    return twin;
  }

  get(key: Bytes): V | undefined {
    return this.#bucketOf(key).items.get(key);
  }

  has(key: Bytes): boolean {
    return this.#bucketOf(key).items.has(key);
  }

  /** True when the key is new. */
  set(key: Bytes, value: V): boolean {
    let bucket = this.#ownBucketOf(key);
    const before = bucket.items.size;
    bucket.items.set(key, value);
    if (bucket.items.size === before) return false;
    this.#size += 1;
    while (bucket.items.size > bucketSize && 2 ** bucket.depth * bucketSize < this.#size * maxPlaces) {
      this.#split(bucket, hashOf(key));
      bucket = this.#bucketOf(key);
    }
    return true;
  }

  /** True when the key was there. */
  delete(key: Bytes): boolean {
    if (!this.has(key)) return false;
    const bucket = this.#ownBucketOf(key);
    bucket.items.delete(key);
    this.#size -= 1;
    if (bucket.depth > 0 && bucket.items.size <= joinedSize) this.#join(bucket, hashOf(key));
    return true;
  }

  /** All items, in no order that means anything. The table must not change meanwhile; a copy does not. */
  *entries(): Generator<[Bytes, V], void, undefined> {
    let at = 0;
    while (at < this.#directory.length) {
      const bucket = this.#directory[at] as Bucket<V>;
      yield* bucket.items;
      at += this.#span(bucket);
    }
  }

  *keys(): Generator<Bytes, void, undefined> {
    let at = 0;
    while (at < this.#directory.length) {
      const bucket = this.#directory[at] as Bucket<V>;
      yield* bucket.items.keys();
      at += this.#span(bucket);
    }
  }

  /**
   * One step of a scan: visits at least `count` items when there are so many, whole buckets always, and returns the
   * next cursor, 0 at the end. An item that is there from the first to the last step is visited.
   */
  scan(cursor: number, count: number, visit: (key: Bytes, value: V) => void): number {
    const unit = hashRange / this.#directory.length;
    let at = Math.floor(cursor / unit);
    let left = count;
    while (at < this.#directory.length && left > 0) {
      const bucket = this.#directory[at] as Bucket<V>;
      const span = this.#span(bucket);
      // A bucket that was joined to an earlier one would be met in its middle: it is visited whole all the same.
      at -= at % span;
      for (const [key, value] of bucket.items) visit(key, value);
      left -= bucket.items.size;
      at += span;
    }
    return at >= this.#directory.length ? 0 : at * unit;
  }

  /** Some item, each with the same chance; there must be one. */
  random(random: { below(bound: number): number }): [Bytes, V] {
    if (this.#size === 0) throw new RangeError('an empty table has no random item');
    for (;;) {
      const bucket = this.#directory[random.below(this.#directory.length)] as Bucket<V>;
      const { size } = bucket.items;
      // A bucket is met more often the more places it has in the directory, and should be the more items it has.
      const places = this.#depth === 0 ? size : Math.max(bucketSize, size) * this.#span(bucket);
      let place = random.below(places);
      if (place >= size) continue;
      for (const item of bucket.items) if (place-- === 0) return item;
    }
  }

  /**
   * The items at so many positions of what `entries` gives, in one walk past all buckets: for many that is cheaper than
   * to draw each by itself. Positions are ascending and below the size; one may come several times. Yields behind each
   * bucket; the table must not change meanwhile, a copy does not.
   * @param visit told the item at each of them, with the number of the position among them
   */
  *pick(
    positions: Float64Array,
    visit: (key: Bytes, value: V, nth: number) => void,
  ): Generator<undefined, void, undefined> {
    let nth = 0;
    let before = 0;
    for (let at = 0; nth < positions.length; ) {
      const bucket = this.#directory[at] as Bucket<V>;
      at += this.#span(bucket);
      const behind = before + bucket.items.size;
      if ((positions[nth] as number) < behind) {
        nth = pickIn(bucket.items, before, positions, nth, visit);
        yield;
      }
      before = behind;
    }
  }

  #bucketOf(key: Bytes): Bucket<V> {
    const index = this.#depth === 0 ? 0 : hashOf(key) >>> (32 - this.#depth);
    return this.#directory[index] as Bucket<V>;
  }

  #ownBucketOf(key: Bytes): Bucket<V> {
    const bucket = this.#bucketOf(key);
    if (bucket.owner === this.#owner) return bucket;
    const own = new Bucket<V>(this.#owner, bucket.depth, new Map(bucket.items));
    this.#place(own, this.#depth === 0 ? 0 : hashOf(key));
    return own;
  }

  /** Places of a bucket in the directory. */
  #span(bucket: Bucket<V>): number {
    return 2 ** (this.#depth - bucket.depth);
  }

  /** Puts a bucket in its places: those of the hashes that share its leading bits with `hash`. */
  #place(bucket: Bucket<V>, hash: number): void {
    const span = this.#span(bucket);
    const index = this.#depth === 0 ? 0 : hash >>> (32 - this.#depth);
    const first = index - (index % span);
    for (let at = first; at < first + span; at++) this.#directory[at] = bucket;
  }

  #split(bucket: Bucket<V>, hash: number): void {
    if (bucket.depth === this.#depth) {
      const wider: Bucket<V>[] = new Array(this.#directory.length * 2);
      for (let at = 0; at < wider.length; at++) wider[at] = this.#directory[at >>> 1] as Bucket<V>;
      this.#directory = wider;
      this.#depth += 1;
      this.#ofDepth.push(0);
    }
    const depth = bucket.depth + 1;
    const bit = 2 ** (32 - depth);
    const zeros = new Map<Bytes, V>();
    const ones = new Map<Bytes, V>();
    for (const [key, value] of bucket.items) ((hashOf(key) & bit) === 0 ? zeros : ones).set(key, value);
    this.#count(bucket.depth, -1);
    this.#count(depth, 2);
    this.#place(new Bucket<V>(this.#owner, depth, zeros), (hash & ~bit) >>> 0);
    this.#place(new Bucket<V>(this.#owner, depth, ones), (hash | bit) >>> 0);
  }

  /** Makes one bucket of two halves that have become small, and half the directory when nothing needs all of it. */
  #join(bucket: Bucket<V>, hash: number): void {
    let joined = bucket;
    while (joined.depth > 0) {
      const { depth } = joined;
      const other = this.#directory[(hash ^ (2 ** (32 - depth))) >>> (32 - this.#depth)] as Bucket<V>;
      if (other.depth !== depth || joined.items.size + other.items.size > joinedSize) break;
      const items = new Map(joined.items);
      for (const [key, value] of other.items) items.set(key, value);
      joined = new Bucket<V>(this.#owner, depth - 1, items);
      this.#count(depth, -2);
      this.#count(depth - 1, 1);
      this.#place(joined, hash);
    }
    while (this.#depth > 0 && this.#ofDepth[this.#depth] === 0) {
      this.#ofDepth.pop();
      this.#depth -= 1;
      this.#directory = this.#directory.filter((_, at) => at % 2 === 0);
    }
  }

  #count(depth: number, change: number): void {
    this.#ofDepth[depth] = (this.#ofDepth[depth] as number) + change;
  }
}

/** Visits the items of a bucket at positions from the `nth` on; returns the number of the first one that lies behind it. */
function pickIn<V>(
  items: ReadonlyMap<Bytes, V>,
  before: number,
  positions: Float64Array,
  nth: number,
  visit: (key: Bytes, value: V, nth: number) => void,
): number {
  let next = nth;
  let place = before;
  for (const [key, value] of items) {
    while (positions[next] === place) visit(key, value, next++);
    place += 1;
  }
  return next;
}

/** 32 bits, mixed well in the leading ones (FNV-1a with a final avalanche). */
export function hashOf(key: Bytes): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
