import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import { Digest } from './digest.ts';
import type { Entry, Value } from './entry.ts';
import { copyOf } from './entry.ts';
import { EntryEncoder, encodeFences } from './entry-codec.ts';
import { HashTable } from './hash-table.ts';
import { slotCount } from './slot.ts';
import type { SlotFences } from './slot-fences.ts';
import type { CheckpointSlices } from './types.ts';

type Slots = readonly (Map<Bytes, Entry> | undefined)[];

interface Image {
  readonly value: Value;
  readonly expiresAt: number;
}

function imageOf(entry: Entry): Image {
  return { value: copyOf(entry.value), expiresAt: entry.expiresAt };
}

type Listed = readonly [Bytes, Image];

/** Keys that are listed at once. */
const listedAtOnce = 1024;
/** Keys and elements in a slice: what small ones take is time rather than bytes. */
const partsPerSlice = 2048;

/**
 * The state as it was at one moment, read slot by slot while it goes on changing. A key that changes before it was
 * listed leaves its earlier image here (null when it did not exist). As a rule a slot is listed whole; of one with very
 * many keys, those that were listed are remembered until the slot is done.
 */
export class KeyspaceSlices implements CheckpointSlices {
  readonly #slots: Slots;
  readonly #earlier = new Map<number, Map<Bytes, Image | null>>();
  readonly #out = new ByteWriter(64 << 10);
  readonly #digest = new Digest();
  readonly #encoder = new EntryEncoder(this.#digest);
  readonly #onEnd: () => void;
  readonly #lists: Iterator<readonly Listed[], void>;
  /** The slot to list, or that is listed in part. */
  #slot = 0;
  /** Keys of it that were listed. */
  #seen: HashTable<true> | null = null;
  #listed: readonly Listed[] = [];
  #listedAt = 0;
  #keys = 0;
  #abandoned = false;
  /** What comes before all keys, until it was taken. */
  #head: Buffer | null = null;

  /** @param fences written before the keys, as they are now; a copy of some slots has none */
  constructor(slots: Slots, onEnd: () => void, fences: SlotFences | null = null) {
    this.#slots = slots;
    if (fences?.active === true) {
      const out = new ByteWriter(256);
      encodeFences(out, fences, this.#digest);
      this.#head = out.take();
    }
    this.#onEnd = onEnd;
    this.#lists = this.#list();
  }

  /** Called before a key changes; `entry` is what it is now. */
  beforeChange(slot: number, key: Bytes, entry: Entry | undefined): void {
    if (slot < this.#slot || (slot === this.#slot && this.#seen?.has(key) === true)) return;
    let images = this.#earlier.get(slot);
    if (images === undefined) {
      images = new Map();
      this.#earlier.set(slot, images);
    }
    if (!images.has(key)) images.set(key, entry === undefined ? null : imageOf(entry));
  }

  /** All keys, at most `listedAtOnce` at a time. Between two lists anything may change. */
  *#list(): Generator<readonly Listed[], void, undefined> {
    for (let slot = this.#nextUsed(0); slot < slotCount; slot = this.#nextUsed(slot + 1)) {
      const keys = this.#slots[slot];
      this.#slot = slot;
      let earlier = this.#earlier.get(slot);
      let listed: Listed[] = [];
      // A Map that changes meanwhile goes on with what it holds then; what was taken out and put in again comes once more.
      for (const [key, entry] of keys ?? []) {
        const image = earlier?.get(key);
        if (image === null || this.#seen?.has(key) === true) continue;
        if (image !== undefined) earlier?.delete(key);
        if (listed.push([key, image ?? imageOf(entry)]) < listedAtOnce) continue;
        this.#remember(listed);
        yield listed;
        listed = [];
        earlier = this.#earlier.get(slot);
      }
      this.#slot = slot + 1;
      this.#seen = null;
      this.#earlier.delete(slot);
      for (const [key, image] of earlier ?? []) {
        if (image === null || listed.push([key, image]) < listedAtOnce) continue;
        yield listed;
        listed = [];
      }
      if (listed.length > 0) yield listed;
    }
    this.#slot = slotCount;
  }

  /** The first slot from here on that has anything to list: of a small keyspace most have nothing. */
  #nextUsed(from: number): number {
    const slots = this.#slots;
    const earlier = this.#earlier;
    let slot = from;
    while (slot < slotCount && slots[slot] === undefined && !earlier.has(slot)) slot += 1;
    return slot;
  }

  #remember(listed: readonly Listed[]): void {
    this.#seen ??= new HashTable();
    for (const [key] of listed) this.#seen.set(key, true);
  }

  /** Lists keys; false when there are none left. */
  #listMore(): boolean {
    const next = this.#lists.next();
    if (next.done === true) return false;
    this.#listed = next.value;
    this.#listedAt = 0;
    return true;
  }

  next(maxBytes: number): Buffer | null {
    const out = this.#out;
    out.start = 0;
    out.offset = 0;
    let left = partsPerSlice;
    if (this.#head !== null && !this.#abandoned) out.copy(this.#head);
    this.#head = null;
    while (out.length < maxBytes && left > 0 && !this.#abandoned) {
      if (!this.#encoder.idle) {
        left -= this.#encoder.more(out, maxBytes, left);
        continue;
      }
      if (this.#listedAt === this.#listed.length) {
        if (!this.#listMore()) break;
        // To remember them takes as long as to write them.
        if (this.#seen !== null) left -= this.#listed.length;
      }
      const [key, image] = this.#listed[this.#listedAt++] as Listed;
      this.#encoder.begin(out, key, image.value, image.expiresAt);
      this.#keys += 1;
      left -= 1;
    }
    if (out.length === 0) {
      this.#onEnd();
      return null;
    }
    return out.buffer.subarray(out.start, out.offset);
  }

  get progress(): number {
    return this.#slot / slotCount;
  }

  get digest(): string {
    return this.#digest.hex;
  }

  get keys(): number {
    return this.#keys;
  }

  abandon(): void {
    this.#abandoned = true;
    this.#slot = slotCount;
    this.#listed = [];
    this.#listedAt = 0;
    this.#earlier.clear();
    this.#onEnd();
  }
}
