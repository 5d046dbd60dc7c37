import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import { Digest } from './digest.ts';
import type { Entry, Value } from './entry.ts';
import { copyOf } from './entry.ts';
import { EntryEncoder } from './entry-codec.ts';
import { slotCount } from './slot.ts';
import type { CheckpointSlices } from './types.ts';

type Slots = readonly (Map<Bytes, Entry> | undefined)[];

interface Image {
  readonly value: Value;
  readonly expiresAt: number;
}

function imageOf(entry: Entry): Image {
  return { value: copyOf(entry.value), expiresAt: entry.expiresAt };
}

/**
 * The state as it was at one moment, read slot by slot while it goes on changing. A key that changes before its slot
 * was read leaves its earlier image here (null when it did not exist); the slot under way has been listed whole.
 */
export class KeyspaceSlices implements CheckpointSlices {
  readonly #slots: Slots;
  readonly #earlier = new Map<number, Map<Bytes, Image | null>>();
  readonly #out = new ByteWriter(64 << 10);
  readonly #digest = new Digest();
  readonly #encoder = new EntryEncoder(this.#digest);
  readonly #onEnd: () => void;
  /** Next slot to list. */
  #slot = 0;
  #listed: (readonly [Bytes, Image])[] = [];
  #listedAt = 0;
  #keys = 0;
  #abandoned = false;

  constructor(slots: Slots, onEnd: () => void) {
    this.#slots = slots;
    this.#onEnd = onEnd;
  }

  /** Called before a key changes; `entry` is what it is now. */
  beforeChange(slot: number, key: Bytes, entry: Entry | undefined): void {
    if (slot < this.#slot) return;
    let images = this.#earlier.get(slot);
    if (images === undefined) {
      images = new Map();
      this.#earlier.set(slot, images);
    }
    if (!images.has(key)) images.set(key, entry === undefined ? null : imageOf(entry));
  }

  #listNextSlot(): boolean {
    while (this.#slot < slotCount) {
      const slot = this.#slot++;
      const map = this.#slots[slot];
      const earlier = this.#earlier.get(slot);
      if (map === undefined && earlier === undefined) continue;
      this.#earlier.delete(slot);
      const listed: (readonly [Bytes, Image])[] = [];
      if (map !== undefined) {
        for (const [key, entry] of map) {
          if (earlier?.has(key) !== true) listed.push([key, imageOf(entry)]);
        }
      }
      if (earlier !== undefined)
        for (const [key, image] of earlier) if (image !== null) listed.push([key, image]);
      if (listed.length > 0) {
        this.#listed = listed;
        this.#listedAt = 0;
        return true;
      }
    }
    return false;
  }

  next(maxBytes: number): Buffer | null {
    const out = this.#out;
    out.start = 0;
    out.offset = 0;
    while (out.length < maxBytes && !this.#abandoned) {
      if (!this.#encoder.idle) {
        this.#encoder.more(out, maxBytes);
        continue;
      }
      if (this.#listedAt === this.#listed.length && !this.#listNextSlot()) break;
      const [key, image] = this.#listed[this.#listedAt++] as readonly [Bytes, Image];
      this.#encoder.begin(out, key, image.value, image.expiresAt, maxBytes);
      this.#keys += 1;
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
