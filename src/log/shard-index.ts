const growth = 1024;

/** Where a batch lies on disk. `lastLsn` may be below the batch's own last one when its tail was cut. */
export interface Location {
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly segment: number;
  /** Offset of the batch's bytes in the segment file. */
  readonly offset: number;
  readonly length: number;
}

/** LSN → (segment, offset) of one shard's batches, ascending: 32 bytes per batch. */
export class ShardIndex {
  #first = new Float64Array(growth);
  #final = new Float64Array(growth);
  /** Bytes of batches up to and including this one, since the index was new. */
  #total = new Float64Array(growth);
  #segment = new Uint32Array(growth);
  #offset = new Uint32Array(growth);
  #head = 0;
  #end = 0;
  /** Bytes of what was dropped from the front. */
  #totalBefore = 0;

  get count(): number {
    return this.#end - this.#head;
  }

  add(firstLsn: number, lastLsn: number, segment: number, offset: number, length: number): void {
    if (this.#end === this.#first.length) this.#makeRoom();
    const i = this.#end++;
    this.#first[i] = firstLsn;
    this.#final[i] = lastLsn;
    this.#total[i] = this.#totalAt(i - 1) + length;
    this.#segment[i] = segment;
    this.#offset[i] = offset;
  }

  #totalAt(i: number): number {
    return i < this.#head ? this.#totalBefore : (this.#total[i] as number);
  }

  #makeRoom(): void {
    const held = this.count;
    const size = held + Math.max(growth, held >> 1);
    const move = <T extends Float64Array | Uint32Array>(from: T, to: T): T => {
      to.set(from.subarray(this.#head, this.#end));
      return to;
    };
    this.#first = move(this.#first, new Float64Array(size));
    this.#final = move(this.#final, new Float64Array(size));
    this.#total = move(this.#total, new Float64Array(size));
    this.#segment = move(this.#segment, new Uint32Array(size));
    this.#offset = move(this.#offset, new Uint32Array(size));
    this.#end = held;
    this.#head = 0;
  }

  /** Index of the first batch that ends at or behind `lsn`. */
  #atOrBehind(lsn: number): number {
    let low = this.#head;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#final[middle] as number) < lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #location(i: number): Location {
    return {
      firstLsn: this.#first[i] as number,
      lastLsn: this.#final[i] as number,
      segment: this.#segment[i] as number,
      offset: this.#offset[i] as number,
      length: (this.#total[i] as number) - this.#totalAt(i - 1),
    };
  }

  /**
   * The batch that holds `lsn` and those behind it in the same segment, as long as they end at or below `through` and
   * the stretch of file that holds them all is at most `maxBytes`; at least one. Empty when `lsn` is not held.
   */
  stretch(lsn: number, through: number, maxBytes: number): Location[] {
    const stretch: Location[] = [];
    for (let i = this.#atOrBehind(lsn); i < this.#end; i++) {
      const location = this.#location(i);
      const first = stretch[0];
      if (location.lastLsn > through) break;
      if (first === undefined) {
        if (location.firstLsn > lsn) break;
      } else if (location.segment !== first.segment) {
        break;
      } else if (location.offset + location.length - first.offset > maxBytes) {
        break;
      }
      stretch.push(location);
    }
    return stretch;
  }

  /** The last LSN that has a place; 0 for none. */
  get lastLsn(): number {
    return this.#head < this.#end ? (this.#final[this.#end - 1] as number) : 0;
  }

  /** Bytes of the batches from the one with `lsn` to the end. */
  bytesFrom(lsn: number): number {
    return this.#totalAt(this.#end - 1) - this.#totalAt(this.#atOrBehind(lsn) - 1);
  }

  /** What is beyond `lsn` is void. */
  truncate(lsn: number): void {
    while (this.#end > this.#head && (this.#first[this.#end - 1] as number) > lsn) this.#end -= 1;
    const newest = this.#end - 1;
    if (newest >= this.#head && (this.#final[newest] as number) > lsn) this.#final[newest] = lsn;
  }

  /** What is at or below `lsn` is gone. */
  dropThrough(lsn: number): void {
    while (this.#head < this.#end && (this.#final[this.#head] as number) <= lsn) {
      this.#totalBefore = this.#total[this.#head] as number;
      this.#head += 1;
    }
  }

  clear(): void {
    this.#head = 0;
    this.#end = 0;
    this.#totalBefore = 0;
  }

  /** The oldest segment that holds a batch; Infinity for none. */
  get oldestSegment(): number {
    return this.#head < this.#end ? (this.#segment[this.#head] as number) : Number.POSITIVE_INFINITY;
  }

  /** Highest LSN in segments up to `segment`; 0 for none. */
  lastLsnThrough(segment: number): number {
    let low = this.#head;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#segment[middle] as number) <= segment) low = middle + 1;
      else high = middle;
    }
    return low === this.#head ? 0 : (this.#final[low - 1] as number);
  }
}
