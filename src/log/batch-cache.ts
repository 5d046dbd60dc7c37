import type { Batch } from './batch.ts';

/** The recent batches of one shard, without a gap, oldest first. */
export class ShardCache {
  #batches: Batch[] = [];
  #head = 0;
  /** Batches beyond this LSN are not on disk yet and must stay. */
  durableLsn = 0;

  get oldest(): Batch | undefined {
    return this.#batches[this.#head];
  }

  push(batch: Batch): void {
    this.#batches.push(batch);
  }

  /** Drops the oldest batch; returns its bytes. */
  shift(): number {
    const oldest = this.#batches[this.#head] as Batch;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#batches.length) {
      this.#batches.splice(0, this.#head);
      this.#head = 0;
    }
    return oldest.bytes.length;
  }

  /** Drops what is beyond `lsn`; returns by how many bytes the cache became smaller. */
  truncate(lsn: number): number {
    let freed = 0;
    while (this.#batches.length > this.#head) {
      const newest = this.#batches[this.#batches.length - 1] as Batch;
      if (newest.lastLsn <= lsn) break;
      this.#batches.pop();
      freed += newest.bytes.length;
      if (newest.firstLsn > lsn) continue;
      const rest = newest.through(lsn);
      this.#batches.push(rest);
      freed -= rest.bytes.length;
    }
    return freed;
  }

  clear(): number {
    let freed = 0;
    for (let i = this.#head; i < this.#batches.length; i++) freed += (this.#batches[i] as Batch).bytes.length;
    this.#batches = [];
    this.#head = 0;
    return freed;
  }

  /** Index of the first batch that ends at or behind `lsn`. */
  #atOrBehind(lsn: number): number {
    let low = this.#head;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#batches[middle] as Batch).lastLsn < lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Bytes of the batches that end at or behind `lsn`. */
  bytesFrom(lsn: number): number {
    let bytes = 0;
    for (let i = this.#atOrBehind(lsn); i < this.#batches.length; i++)
      bytes += (this.#batches[i] as Batch).bytes.length;
    return bytes;
  }

  /** Batches from `lsn` on, the first one cut to begin there; null when `lsn` is not cached. */
  from(lsn: number, maxBytes: number): Batch[] | null {
    const low = this.#atOrBehind(lsn);
    const first = this.#batches[low];
    if (first === undefined || first.firstLsn > lsn) return null;
    const batches = [first.from(lsn)];
    let bytes = first.bytes.length;
    for (let i = low + 1; i < this.#batches.length; i++) {
      const batch = this.#batches[i] as Batch;
      bytes += batch.bytes.length;
      if (bytes > maxBytes) break;
      batches.push(batch);
    }
    return batches;
  }
}

/** Bounds what all shards of a node cache together; the batch that came first goes first. */
export class BatchCache {
  bytes = 0;
  readonly #limit: number;
  /** The shard of each batch, in the order of arrival. */
  #order: ShardCache[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(shard: ShardCache, batch: Batch): void {
    shard.push(batch);
    this.#order.push(shard);
    this.bytes += batch.bytes.length;
    if (this.bytes > this.#limit) this.evict();
  }

  truncate(shard: ShardCache, lsn: number): void {
    this.bytes -= shard.truncate(lsn);
  }

  clear(shard: ShardCache): void {
    this.bytes -= shard.clear();
  }

  /** Drops the oldest batches until the limit is met, except those that are not on disk yet. */
  evict(): void {
    while (this.bytes > this.#limit && this.#head < this.#order.length) {
      const shard = this.#order[this.#head] as ShardCache;
      const oldest = shard.oldest;
      if (oldest !== undefined) {
        if (oldest.lastLsn > shard.durableLsn) break;
        this.bytes -= shard.shift();
      }
      this.#head += 1;
    }
    if (this.#head > 4096 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
  }
}
