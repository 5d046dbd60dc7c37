import { crc32 } from 'node:zlib';
import type { Clock } from '../env/clock.ts';
import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { runTask, step, stepVoid } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import { Batch, batchHoldsMembership } from './batch.ts';
import { encodeHardState, encodeOpening } from './opening.ts';
import type { RecordKind } from './record.ts';
import {
  blockBytes,
  finishWrite,
  hasZeroSector,
  recordHeaderBytes,
  recordKind,
  roundUp,
  sectorBytes,
  writeRecordHeader,
} from './record.ts';
import { recoverLog } from './recovery.ts';
import { prepareSegment, segmentName } from './segments.ts';
import type { Location } from './shard-log.ts';
import { ShardLog } from './shard-log.ts';
import type {
  HardState,
  LogPosition,
  NodeLog,
  NodeLogListener,
  NodeLogOptions,
  NodeLogStats,
  RecoveredShard,
  ShardLogListener,
} from './types.ts';

/** Bytes of records in one durable write, unless a single record is larger. */
const maxWriteBytes = 8 << 20;
const spaceRetryMs = 1000;
const nothing = Buffer.alloc(0);

interface QueuedRecord {
  readonly kind: RecordKind;
  readonly shard: ShardLog;
  readonly term: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly payload: Buffer;
  /** Reported when this record is durable. */
  readonly position: LogPosition | null;
  readonly hardState: HardState | null;
}

interface Segment {
  readonly number: number;
  readonly file: DiskFile;
  /** Where the next write goes. */
  end: number;
}

interface ClosedSegment {
  readonly number: number;
  /** When it was closed, wall clock in ms; the time of opening the log for those found then. */
  readonly closedMs: number;
}

export interface OpenedLog {
  readonly log: SegmentedLog;
  readonly shards: readonly RecoveredShard[];
  /** What recovery noticed and an operator should know. */
  readonly notes: readonly string[];
}

/** Opens a node's log, creating it when absent. A new segment is begun, so nothing that was found is written over. */
export function* openNodeLog(
  disk: Disk,
  directory: string,
  options: NodeLogOptions,
  clock: Clock,
  listener: NodeLogListener,
): Task<OpenedLog> {
  yield* stepVoid((done) => disk.makeDirectory(directory, done));
  const recovery = yield* recoverLog(disk, directory);
  const last = recovery.segments[recovery.segments.length - 1] ?? 0;
  const file = yield* prepareSegment(disk, directory, last + 1, options.segmentBytes);
  const shards = new Map([...recovery.shards].map(([id, shard]) => [id, shard.log]));
  const log = new SegmentedLog(disk, directory, options, clock, listener, shards, recovery.segments, {
    number: last + 1,
    file,
    end: blockBytes,
  });
  return {
    log,
    shards: [...recovery.shards.values()].map((shard) => shard.recovered),
    notes: recovery.notes,
  };
}

/** The log of one node over segment files. See types.ts for what each method promises. */
export class SegmentedLog implements NodeLog {
  readonly stats: NodeLogStats = {
    flushes: 0,
    bytesWritten: 0,
    batchBytes: 0,
    segments: 0,
    logBytes: 0,
    cacheBytes: 0,
    flushMsTotal: 0,
    flushMsMax: 0,
    latched: false,
    spaceShort: false,
  };
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #options: NodeLogOptions;
  readonly #clock: Clock;
  readonly #listener: NodeLogListener;
  readonly #shards: Map<number, ShardLog>;
  readonly #closed: ClosedSegment[];
  #queue: QueuedRecord[] = [];
  #segment: Segment;
  /** True until the first write of the segment, which repeats every shard's state. */
  #segmentIsNew = true;
  /** True once that write is durable: older segments may go. */
  #openingsDurable = false;
  #spare: Segment | null = null;
  #preparing = false;
  #nextNumber: number;
  #spaceRetryAtMs = 0;
  /** The write in flight: what it holds and since when. */
  #writing: QueuedRecord[] | null = null;
  #writeBeganMs = 0;
  #slab: Buffer = Buffer.alloc(64 << 10);
  #closing: ((error: Error | null) => void) | null = null;
  /** Shards in the order of their cached batches, for eviction across shards. */
  readonly #cacheOrder: ShardLog[] = [];
  #cacheOrderHead = 0;
  #dropping = false;

  constructor(
    disk: Disk,
    directory: string,
    options: NodeLogOptions,
    clock: Clock,
    listener: NodeLogListener,
    shards: Map<number, ShardLog>,
    closed: readonly number[],
    segment: Segment,
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#options = options;
    this.#clock = clock;
    this.#listener = listener;
    this.#shards = shards;
    this.#closed = closed.map((number) => ({ number, closedMs: clock.wallMs() }));
    this.#segment = segment;
    this.#nextNumber = segment.number + 1;
    this.#countSegments();
    this.#prepareSpare();
  }

  #shard(id: number): ShardLog {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = new ShardLog(id);
      this.#shards.set(id, shard);
    }
    return shard;
  }

  attach(shard: number, listener: ShardLogListener): void {
    this.#shard(shard).listener = listener;
  }

  append(batch: Batch): void {
    const shard = this.#shard(batch.shard);
    if (batch.firstLsn !== shard.last.lsn + 1)
      throw new Error(`batch ${batch.firstLsn} does not follow ${shard.last.lsn}`);
    const position = { term: batch.term, lsn: batch.lastLsn };
    shard.last = position;
    shard.keep(batch);
    this.#cacheOrder.push(shard);
    this.stats.cacheBytes += batch.bytes.length;
    if ((batch.flags & batchHoldsMembership) !== 0) {
      for (const entry of batch.entries())
        shard.memberships.push({ lsn: entry.lsn, bytes: batch.bytes.subarray(entry.start, entry.end) });
    }
    this.#enqueue(shard, recordKind.batch, position, batch.firstLsn, batch.bytes, position, null);
    if (this.stats.cacheBytes > this.#options.cacheBytes) this.#evict();
  }

  putHardState(shard: number, hardState: HardState): void {
    const log = this.#shard(shard);
    log.hardState = hardState;
    this.#enqueue(
      log,
      recordKind.hardState,
      { term: hardState.term, lsn: 0 },
      0,
      encodeHardState(hardState),
      null,
      hardState,
    );
  }

  cut(shard: number, end: LogPosition): void {
    const log = this.#shard(shard);
    log.cut(end);
    this.#enqueue(log, recordKind.cut, end, 0, nothing, null, null);
  }

  reset(shard: number, base: LogPosition, keepSuffix: boolean): void {
    const log = this.#shard(shard);
    log.reset(base, keepSuffix);
    this.#enqueue(log, recordKind.reset, base, keepSuffix ? 1 : 0, nothing, log.last, null);
  }

  checkpointed(shard: number, position: LogPosition, membership: Buffer): void {
    const log = this.#shard(shard);
    log.checkpoint = position;
    if (log.memberships.length === 0) log.memberships.push({ lsn: position.lsn, bytes: membership });
    this.#enqueue(log, recordKind.checkpoint, position, 0, membership, null, null);
  }

  madeGood(shard: number): void {
    this.#enqueue(this.#shard(shard), recordKind.madeGood, { term: 0, lsn: 0 }, 0, nothing, null, null);
  }

  retainFrom(shard: number, lsn: number): void {
    this.#shard(shard).neededFrom = lsn;
  }

  #enqueue(
    shard: ShardLog,
    kind: RecordKind,
    at: LogPosition,
    firstLsn: number,
    payload: Buffer,
    position: LogPosition | null,
    hardState: HardState | null,
  ): void {
    this.#queue.push({ kind, shard, term: at.term, firstLsn, lastLsn: at.lsn, payload, position, hardState });
  }

  get writing(): boolean {
    return this.#writing !== null;
  }

  flush(): void {
    if (this.#writing !== null || this.#queue.length === 0 || this.stats.latched) return;
    const records = this.#takeRecords();
    if (this.#segmentIsNew) this.#addOpenings(records);
    if (roundUp(bytesOf(records), blockBytes) <= this.#options.segmentBytes - this.#segment.end) {
      this.#write(records);
    } else if (this.#segmentIsNew) {
      this.#latch(new Error(`a record does not fit into a segment of ${this.#options.segmentBytes} bytes`));
    } else {
      this.#queue = [...records, ...this.#queue];
      this.#roll();
    }
  }

  #takeRecords(): QueuedRecord[] {
    let bytes = 0;
    let count = 0;
    for (const record of this.#queue) {
      const size = recordSize(record);
      if (count > 0 && bytes + size > maxWriteBytes) break;
      bytes += size;
      count += 1;
    }
    const records = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    return records;
  }

  /** Puts what every shard was before this segment's first write in front of that write. */
  #addOpenings(records: QueuedRecord[]): void {
    const openings: QueuedRecord[] = [];
    for (const shard of this.#shards.values()) {
      openings.push({
        kind: recordKind.opening,
        shard,
        term: 0,
        firstLsn: 0,
        lastLsn: 0,
        payload: encodeOpening(shard.written),
        position: null,
        hardState: null,
      });
    }
    records.unshift(...openings);
  }

  #write(records: QueuedRecord[]): void {
    const slab = this.#encode(records);
    const at = this.#segment.end;
    this.#segment.end = at + slab.length;
    this.#segmentIsNew = false;
    this.#writing = records;
    this.#writeBeganMs = this.#clock.monotonicMs();
    this.#segment.file.write(slab, at, (error, written) => {
      if (error !== null || written !== slab.length) {
        this.#latch(error ?? new Error(`short write: ${written} of ${slab.length} bytes`));
        return;
      }
      this.#written(records, slab.length);
    });
  }

  /** One slab: records back to back, hard states twice on sectors of their own, zeros up to a whole block. */
  #encode(records: readonly QueuedRecord[]): Buffer {
    const capacity = roundUp(bytesOf(records), blockBytes);
    if (this.#slab.length < capacity) this.#slab = Buffer.alloc(roundUp(capacity * 2, blockBytes));
    const slab = this.#slab;
    const base = this.#segment.end;
    let at = 0;
    const copies: QueuedRecord[] = [];
    for (const record of records) {
      at = this.#encodeRecord(slab, at, base, record);
      if (record.kind === recordKind.hardState) copies.push(record);
    }
    for (const copy of copies) {
      const aligned = roundUp(at, sectorBytes);
      slab.fill(0, at, aligned);
      at = this.#encodeRecord(slab, aligned, base, copy);
    }
    const end = roundUp(at, blockBytes);
    slab.fill(0, at, end);
    finishWrite(slab, 0, at, hasZeroSector(slab, 0, at));
    return slab.subarray(0, end);
  }

  #encodeRecord(slab: Buffer, at: number, base: number, record: QueuedRecord): number {
    const { payload, shard } = record;
    writeRecordHeader(slab, at, {
      segment: this.#segment.number,
      kind: record.kind,
      flags: 0,
      length: payload.length,
      shard: shard.shard,
      term: record.term,
      firstLsn: record.firstLsn,
      lastLsn: record.lastLsn,
      writeBytes: 0,
      payloadCrc: record.kind === recordKind.batch ? 0 : crc32(payload),
    });
    payload.copy(slab, at + recordHeaderBytes);
    shard.noteWritten(record);
    if (record.kind === recordKind.batch) {
      shard.addLocation(
        record.firstLsn,
        record.lastLsn,
        this.#segment.number,
        base + at + recordHeaderBytes,
        payload.length,
      );
      this.stats.batchBytes += payload.length;
    }
    return at + recordHeaderBytes + payload.length;
  }

  #written(records: readonly QueuedRecord[], bytes: number): void {
    const took = this.#clock.monotonicMs() - this.#writeBeganMs;
    const { stats } = this;
    stats.flushes += 1;
    stats.bytesWritten += bytes;
    stats.logBytes += bytes;
    stats.flushMsTotal += took;
    stats.flushMsMax = Math.max(stats.flushMsMax, took);
    this.#writing = null;
    this.#openingsDurable = true;
    report(records);
    if (this.#closing !== null && this.#queue.length === 0) this.#finishClose();
    else this.flush();
  }

  #latch(error: Error): void {
    if (this.stats.latched) return;
    this.stats.latched = true;
    this.#writing = null;
    this.#queue = [];
    this.#listener.latched(
      new BellwetherError(
        'BW_LOG_LATCHED',
        `a write to segment ${this.#segment.number} failed: ${error.message}`,
        'Check the disk, then start the node again.',
        {
          cause: error,
        },
      ),
    );
    if (this.#closing !== null) this.#finishClose();
  }

  // Segments.

  /** Goes on in the spare segment, or waits for it. */
  #roll(): void {
    const spare = this.#spare;
    if (spare === null) {
      this.#prepareSpare();
      return;
    }
    this.#spare = null;
    const old = this.#segment;
    this.#closed.push({ number: old.number, closedMs: this.#clock.wallMs() });
    this.#segment = spare;
    this.#segmentIsNew = true;
    this.#openingsDurable = false;
    old.file.close(() => {});
    this.#countSegments();
    this.#prepareSpare();
    this.flush();
  }

  #prepareSpare(): void {
    if (this.#spare !== null || this.#preparing || this.stats.latched || this.#closing !== null) return;
    if (this.#clock.monotonicMs() < this.#spaceRetryAtMs) return;
    this.#preparing = true;
    const number = this.#nextNumber;
    runTask(this.#prepare(number), (error, file) => {
      this.#preparing = false;
      if (this.#closing !== null) {
        if (file !== undefined) this.#spare = { number, file, end: blockBytes };
        if (this.#writing === null) this.#finishClose();
        return;
      }
      if (error !== null || file === undefined) {
        this.#spaceRetryAtMs = this.#clock.monotonicMs() + spaceRetryMs;
        this.#setSpaceShort(true);
        return;
      }
      this.#nextNumber = number + 1;
      this.#spare = { number, file, end: blockBytes };
      this.#setSpaceShort(false);
      this.flush();
    });
  }

  *#prepare(number: number): Task<DiskFile> {
    const free = yield* step<number>((done) => this.#disk.freeBytes(done));
    if (free < this.#options.reserveBytes + this.#options.segmentBytes) throw new Error(`${free} bytes free`);
    try {
      return yield* prepareSegment(this.#disk, this.#directory, number, this.#options.segmentBytes);
    } catch (error) {
      yield* stepVoid((done) => this.#disk.remove(`${this.#directory}/${segmentName(number)}.new`, done));
      throw error;
    }
  }

  #setSpaceShort(short: boolean): void {
    if (this.stats.spaceShort === short) return;
    this.stats.spaceShort = short;
    this.#listener.spaceShort(short);
  }

  #countSegments(): void {
    this.stats.segments = this.#closed.length + 1;
    this.stats.logBytes = this.#closed.length * this.#options.segmentBytes + this.#segment.end;
  }

  tick(): void {
    this.#prepareSpare();
    this.#dropOldest();
  }

  /** Drops the oldest segment when nobody needs it, or when it is beyond what is kept for those who lag. */
  #dropOldest(): void {
    const oldest = this.#closed[0];
    if (oldest === undefined || this.#dropping || this.stats.latched || !this.#openingsDurable) return;
    const { retentionBytes, retentionMs, segmentBytes } = this.#options;
    const held = this.#closed.length * segmentBytes;
    const age = this.#clock.wallMs() - oldest.closedMs;
    // Half of the window is kept for whoever may come back; all of it for a follower that is known to need it.
    if (held <= retentionBytes / 2 && age <= retentionMs / 2) return;
    const beyondCaps = held > retentionBytes || age > retentionMs;
    for (const shard of this.#shards.values()) {
      const highest = shard.lastLsnIn(oldest.number);
      if (highest > shard.checkpoint.lsn || (highest >= shard.neededFrom && !beyondCaps)) return;
    }
    this.#dropping = true;
    for (const shard of this.#shards.values()) shard.dropSegment(oldest.number);
    this.#closed.shift();
    this.#countSegments();
    runTask(this.#remove(oldest.number), () => {
      this.#dropping = false;
    });
  }

  *#remove(number: number): Task<void> {
    yield* stepVoid((done) => this.#disk.remove(`${this.#directory}/${segmentName(number)}`, done));
    yield* stepVoid((done) => this.#disk.syncDirectory(this.#directory, done));
  }

  // Reading.

  firstLsn(shard: number): number {
    return this.#shard(shard).firstLsn;
  }

  cached(shard: number, lsn: number, maxBytes: number): Batch[] | null {
    return this.#shard(shard).cached(lsn, maxBytes);
  }

  read(
    shard: number,
    lsn: number,
    maxBytes: number,
    done: (error: Error | null, batches: Batch[]) => void,
  ): void {
    const log = this.#shard(shard);
    if (lsn < log.firstLsn) {
      done(
        new BellwetherError(
          'BW_LOG_COMPACTED',
          `LSN ${lsn} of shard ${shard} is gone; the log begins at ${log.firstLsn}`,
          'Use a checkpoint.',
        ),
        [],
      );
      return;
    }
    const locations = log.locate(lsn, maxBytes);
    runTask(this.#readBatches(locations, lsn), (error, batches) => done(error, batches ?? []));
  }

  *#readBatches(locations: readonly Location[], lsn: number): Task<Batch[]> {
    const batches: Batch[] = [];
    let open: { segment: number; file: DiskFile } | null = null;
    try {
      for (const location of locations) {
        const path = `${this.#directory}/${segmentName(location.segment)}`;
        if (open === null || open.segment !== location.segment) {
          if (open !== null) yield* closeFile(open.file);
          const file = (yield* step<DiskFile | null>((done) =>
            this.#disk.open(path, 'read', done),
          )) as DiskFile;
          open = { segment: location.segment, file };
        }
        batches.push((yield* readBatch(open.file, path, location)).from(lsn).through(location.lastLsn));
      }
    } finally {
      if (open !== null) yield* closeFile(open.file);
    }
    return batches;
  }

  bytesFrom(shard: number, lsn: number): number {
    return this.#shard(shard).bytesFrom(lsn);
  }

  stalledMs(): number {
    if (this.#writing === null) return 0;
    return this.#clock.monotonicMs() - this.#writeBeganMs;
  }

  #evict(): void {
    while (
      this.stats.cacheBytes > this.#options.cacheBytes &&
      this.#cacheOrderHead < this.#cacheOrder.length
    ) {
      const shard = this.#cacheOrder[this.#cacheOrderHead++] as ShardLog;
      this.stats.cacheBytes -= shard.evictOldest();
    }
    if (this.#cacheOrderHead > 4096) {
      this.#cacheOrder.splice(0, this.#cacheOrderHead);
      this.#cacheOrderHead = 0;
    }
  }

  close(done: (error: Error | null) => void): void {
    this.#closing = done;
    if (this.#writing === null) {
      if (this.#queue.length > 0 && !this.stats.latched) this.flush();
      if (this.#writing === null) this.#finishClose();
    }
  }

  #finishClose(): void {
    if (this.#preparing) return; // the segment under way calls again
    const done = this.#closing as (error: Error | null) => void;
    this.#closing = () => {};
    this.#segment.file.close((error) => {
      if (this.#spare === null) done(error);
      else this.#spare.file.close(() => done(error));
    });
  }
}

function recordSize(record: QueuedRecord): number {
  const size = recordHeaderBytes + record.payload.length;
  return record.kind === recordKind.hardState ? 2 * size + sectorBytes : size;
}

function bytesOf(records: readonly QueuedRecord[]): number {
  let bytes = 0;
  for (const record of records) bytes += recordSize(record);
  return bytes;
}

/** Tells each shard, once, the last of what this write made durable for it. */
function report(records: readonly QueuedRecord[]): void {
  const done = new Set<ShardLog>();
  for (let i = records.length - 1; i >= 0; i--) {
    const { shard } = records[i] as QueuedRecord;
    if (done.has(shard)) continue;
    done.add(shard);
    let position: LogPosition | null = null;
    let hardState: HardState | null = null;
    for (let j = i; j >= 0; j--) {
      const record = records[j] as QueuedRecord;
      if (record.shard !== shard) continue;
      position ??= record.position;
      hardState ??= record.hardState;
    }
    if (position !== null || hardState !== null) shard.listener?.durable(position, hardState);
  }
}

function* readBatch(file: DiskFile, path: string, location: Location): Task<Batch> {
  const bytes = Buffer.allocUnsafeSlow(location.length);
  const read = yield* step<number>((done) => file.read(bytes, location.offset, done));
  try {
    if (read !== bytes.length) throw new Error(`${read} of ${bytes.length} bytes`);
    return Batch.parse(bytes);
  } catch (error) {
    throw new BellwetherError(
      'BW_LOG_DAMAGED',
      `${path} at offset ${location.offset} cannot be read back (${(error as Error).message})`,
      'The replica is repaired from its peers at the next start.',
      { cause: error },
    );
  }
}

function* closeFile(file: DiskFile): Task<void> {
  yield* stepVoid((done) => file.close(done));
}
