import type { Batch } from './batch.ts';
import type { ShardOpening } from './opening.ts';
import type { RecordKind } from './record.ts';
import { recordKind } from './record.ts';
import type { HardState, LogPosition, ShardLogListener } from './types.ts';

/** Where a batch lies on disk. */
export interface Location {
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly segment: number;
  /** Offset of the batch's bytes in the segment file. */
  readonly offset: number;
  readonly length: number;
}

const start: LogPosition = { term: 0, lsn: 0 };

/** Batches per step of growth of the index. */
const growth = 4096;

/** What the log knows of one shard: where its batches are, the recent ones themselves, and what a new segment repeats. */
export class ShardLog {
  readonly shard: number;
  listener: ShardLogListener | null = null;
  hardState: HardState | null = null;
  base: LogPosition = start;
  last: LogPosition = start;
  checkpoint: LogPosition = start;
  /** Memberships of the log, oldest first; the first one may be older than the base. */
  memberships: { lsn: number; bytes: Buffer }[] = [];
  /** Lowest LSN that followers still need. */
  neededFrom = Number.POSITIVE_INFINITY;

  #writtenLast: LogPosition = start;
  #writtenHardState: HardState | null = null;
  #first = new Float64Array(growth);
  #final = new Float64Array(growth);
  #segment = new Uint32Array(growth);
  #offset = new Uint32Array(growth);
  #length = new Uint32Array(growth);
  #count = 0;
  /** Index of the first location that is still held. */
  #head = 0;

  /** Recent batches without a gap, oldest first. */
  readonly cache: Batch[] = [];
  #cacheHead = 0;

  constructor(shard: number) {
    this.shard = shard;
  }

  /** What records that were handed to the disk say: what the next segment opens with. */
  get written(): ShardOpening {
    let membership: ShardOpening['membership'] = null;
    for (const entry of this.memberships) if (entry.lsn <= this.#writtenLast.lsn) membership = entry;
    return {
      hardState: this.#writtenHardState,
      last: this.#writtenLast,
      checkpoint: this.checkpoint,
      membership,
    };
  }

  noteWritten(record: {
    readonly kind: RecordKind;
    readonly term: number;
    readonly lastLsn: number;
    readonly hardState: HardState | null;
  }): void {
    if (record.kind === recordKind.hardState) this.#writtenHardState = record.hardState;
    const movesEnd =
      record.kind === recordKind.batch || record.kind === recordKind.cut || record.kind === recordKind.reset;
    if (!movesEnd) return;
    const keptSuffix =
      record.kind === recordKind.reset &&
      this.#writtenLast.lsn > record.lastLsn &&
      this.last.lsn > record.lastLsn;
    if (!keptSuffix) this.#writtenLast = { term: record.term, lsn: record.lastLsn };
  }

  /** After recovery: everything that is known was read from disk. */
  allWritten(): void {
    this.#writtenLast = this.last;
    this.#writtenHardState = this.hardState;
  }

  addLocation(firstLsn: number, lastLsn: number, segment: number, offset: number, length: number): void {
    if (this.#count === this.#first.length) this.#grow();
    const i = this.#count++;
    this.#first[i] = firstLsn;
    this.#final[i] = lastLsn;
    this.#segment[i] = segment;
    this.#offset[i] = offset;
    this.#length[i] = length;
  }

  #grow(): void {
    const held = this.#count - this.#head;
    const size = held + growth + (held >> 1);
    const move = <T extends Float64Array | Uint32Array>(from: T, to: T): T => {
      to.set(from.subarray(this.#head, this.#count));
      return to;
    };
    this.#first = move(this.#first, new Float64Array(size));
    this.#final = move(this.#final, new Float64Array(size));
    this.#segment = move(this.#segment, new Uint32Array(size));
    this.#offset = move(this.#offset, new Uint32Array(size));
    this.#length = move(this.#length, new Uint32Array(size));
    this.#count = held;
    this.#head = 0;
  }

  /** Index of the location that holds an LSN, or -1. */
  #find(lsn: number): number {
    let low = this.#head;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if ((this.#final[middle] as number) < lsn) low = middle + 1;
      else if ((this.#first[middle] as number) > lsn) high = middle - 1;
      else return middle;
    }
    return -1;
  }

  /** Locations from the one that holds `lsn`, up to `maxBytes` in all but at least one; empty when it is not on disk. */
  locate(lsn: number, maxBytes: number): Location[] {
    const locations: Location[] = [];
    let bytes = 0;
    for (let i = this.#find(lsn); i >= 0 && i < this.#count; i++) {
      const length = this.#length[i] as number;
      if (locations.length > 0 && bytes + length > maxBytes) break;
      bytes += length;
      locations.push({
        firstLsn: this.#first[i] as number,
        lastLsn: this.#final[i] as number,
        segment: this.#segment[i] as number,
        offset: this.#offset[i] as number,
        length,
      });
    }
    return locations;
  }

  /** Lowest LSN on disk; `last + 1` when there is none. */
  get firstLsn(): number {
    return Math.max(
      this.#head < this.#count ? (this.#first[this.#head] as number) : this.last.lsn + 1,
      this.base.lsn + 1,
    );
  }

  /** Highest LSN that a segment holds of this shard; 0 for none. */
  lastLsnIn(segment: number): number {
    let highest = 0;
    for (let i = this.#head; i < this.#count; i++) {
      if ((this.#segment[i] as number) > segment) break;
      if (this.#segment[i] === segment) highest = this.#final[i] as number;
    }
    return highest;
  }

  /** Bytes of batches from the one with `lsn` to the end. */
  bytesFrom(lsn: number): number {
    let low = this.#head;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#final[middle] as number) < lsn) low = middle + 1;
      else high = middle;
    }
    let bytes = 0;
    for (let i = low; i < this.#count; i++) bytes += this.#length[i] as number;
    return bytes;
  }

  /** Forgets locations in a segment that is gone. */
  dropSegment(segment: number): void {
    while (this.#head < this.#count && (this.#segment[this.#head] as number) <= segment) this.#head += 1;
  }

  /** The log ends at `end`: what was beyond is void, on disk and in memory. */
  cut(end: LogPosition): void {
    while (this.#count > this.#head && (this.#first[this.#count - 1] as number) > end.lsn) this.#count -= 1;
    if (this.#count > this.#head && (this.#final[this.#count - 1] as number) > end.lsn)
      this.#final[this.#count - 1] = end.lsn;
    while (
      this.memberships.length > 0 &&
      (this.memberships[this.memberships.length - 1] as { lsn: number }).lsn > end.lsn
    ) {
      this.memberships.pop();
    }
    this.last = end;
    while (this.cache.length > this.#cacheHead) {
      const newest = this.cache[this.cache.length - 1] as Batch;
      if (newest.lastLsn <= end.lsn) break;
      this.cache.pop();
      if (newest.firstLsn <= end.lsn) this.cache.push(newest.through(end.lsn));
    }
  }

  /** The log begins behind `base`; without `keepSuffix` it is empty. */
  reset(base: LogPosition, keepSuffix: boolean): void {
    this.base = base;
    if (keepSuffix) return;
    this.#head = 0;
    this.#count = 0;
    this.cache.length = 0;
    this.#cacheHead = 0;
    this.last = base;
    this.memberships.length = 0;
  }

  // The cache.

  keep(batch: Batch): void {
    this.cache.push(batch);
  }

  /** Drops the oldest cached batch; returns its bytes, 0 when there is none. */
  evictOldest(): number {
    const oldest = this.cache[this.#cacheHead];
    if (oldest === undefined) return 0;
    this.#cacheHead += 1;
    if (this.#cacheHead > 1024 && this.#cacheHead * 2 > this.cache.length) {
      this.cache.splice(0, this.#cacheHead);
      this.#cacheHead = 0;
    }
    return oldest.bytes.length;
  }

  /** Cached batches from `lsn` on, the first one cut to begin there; null when `lsn` is not cached. */
  cached(lsn: number, maxBytes: number): Batch[] | null {
    let low = this.#cacheHead;
    let high = this.cache.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.cache[middle] as Batch).lastLsn < lsn) low = middle + 1;
      else high = middle;
    }
    const first = this.cache[low];
    if (low < this.#cacheHead || first === undefined || first.firstLsn > lsn || first.lastLsn < lsn)
      return null;
    const batches = [first.from(lsn)];
    let bytes = first.bytes.length;
    for (let i = low + 1; i < this.cache.length; i++) {
      const batch = this.cache[i] as Batch;
      bytes += batch.bytes.length;
      if (bytes > maxBytes) break;
      batches.push(batch);
    }
    return batches;
  }
}
