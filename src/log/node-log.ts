import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { Clock } from '../env/clock.ts';
import type { Disk } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import { Batch } from './batch.ts';
import { BatchCache } from './batch-cache.ts';
import { mayDrop, pinnedBytes, roomLeft } from './compaction.ts';
import { DamagedLog } from './damaged-log.ts';
import { Flusher } from './flusher.ts';
import { FrameBuilder } from './frame-builder.ts';
import { History } from './history.ts';
import type { StartingPoint } from './opening.ts';
import { prepareDirectory } from './opening.ts';
import { SegmentPool } from './segment-pool.ts';
import type { Location } from './shard-index.ts';
import { ShardLog } from './shard-log.ts';
import type {
  Doubt,
  HardState,
  LogPosition,
  LogRoom,
  NodeLog,
  NodeLogListener,
  NodeLogOptions,
  NodeLogStats,
  RecoveredShard,
  ShardLogListener,
} from './types.ts';

export interface OpenedLog {
  readonly log: NodeLog;
  readonly shards: readonly RecoveredShard[];
  /** What recovery noticed and an operator should know, damage that did no harm included. */
  readonly notes: readonly string[];
  /** Damage took records of which nothing is known: `shards` may lack one that this node once held. */
  readonly incomplete: boolean;
}

/**
 * Opens a node's log, creating it when absent, and recovers what it holds. Rejects with BW_DATA_VERSION, BW_DISK_FULL,
 * BW_LOG_DAMAGED (a file that is no segment), or the disk's own error.
 *
 * @param directory relative to the disk's root
 */
export function* openNodeLog(
  disk: Disk,
  directory: string,
  options: NodeLogOptions,
  clock: Clock,
  listener: NodeLogListener,
): Task<OpenedLog> {
  const start = yield* prepareDirectory(disk, directory, options);
  const { recovery } = start;
  const shards = [...recovery.shards.values()].map((shard) => shard.recovered);
  return {
    log: new SegmentedLog(disk, directory, options, clock, listener, start),
    shards: shards.sort((a, b) => a.shard - b.shard),
    notes: recovery.notes,
    incomplete: recovery.incomplete,
  };
}

/** How much of a file one read of `salvage` takes at most. */
const salvageBytes = 8 << 20;

/** The log of one node over segment files. See types.ts for what each method promises. */
class SegmentedLog implements NodeLog {
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
  readonly maxBatchBytes: number;
  readonly #options: NodeLogOptions;
  readonly #clock: Clock;
  readonly #listener: NodeLogListener;
  readonly #shards = new Map<number, ShardLog>();
  readonly #cache: BatchCache;
  readonly #pool: SegmentPool;
  readonly #flusher: Flusher;
  #latchedBy: Error | null = null;
  #closing: ((error: Error | null) => void) | null = null;

  constructor(
    disk: Disk,
    directory: string,
    options: NodeLogOptions,
    clock: Clock,
    listener: NodeLogListener,
    start: StartingPoint,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#listener = listener;
    this.maxBatchBytes = maxBatchBytes(options.segmentBytes);
    this.#cache = new BatchCache(options.cacheBytes);
    for (const [id, recovered] of start.recovery.shards) this.#shards.set(id, new ShardLog(id, recovered));
    this.#pool = new SegmentPool(disk, directory, options, start.segments, {
      prepared: () => this.#flusher.flush(),
      spaceShort: (short) => {
        this.stats.spaceShort = short;
        listener.spaceShort(short);
      },
      failed: (error) => this.#latch(error),
    });
    const opening = {
      sequence: start.recovery.nextSequence,
      openingWanted: start.openingWanted,
      builder: new FrameBuilder((bytes) => disk.durableBuffer(bytes)),
    };
    this.#flusher = new Flusher(this.#pool, this.#shards, clock, this.stats, opening, {
      failed: (error) => this.#latch(error),
      idle: () => this.#finishClose(),
    });
    this.stats.segments = this.#pool.count;
    this.stats.logBytes = this.#pool.usedBytes();
    this.#pool.prepare();
  }

  #shard(id: number): ShardLog {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = new ShardLog(id, null);
      this.#shards.set(id, shard);
    }
    return shard;
  }

  attach(shard: number, listener: ShardLogListener): void {
    this.#shard(shard).listener = listener;
  }

  append(batch: Batch): void {
    const shard = this.#shard(batch.shard);
    const { history } = shard;
    if (batch.firstLsn <= history.last.lsn) {
      const from = firstConflict(history, batch);
      if (from === null) return;
      this.#forgetBeyond(shard, from - 1);
      this.append(batch.from(from));
      return;
    }
    shard.require(batch.firstLsn === history.last.lsn + 1, `a batch from LSN ${batch.firstLsn} leaves a gap`);
    shard.require(
      batch.bytes.length <= this.maxBatchBytes,
      `a batch of ${batch.bytes.length} bytes is too large`,
    );
    const { term, firstLsn, lastLsn } = batch;
    const length = batch.bytes.length;
    const previousTerm = history.last.term;
    history.extend(term, firstLsn, lastLsn);
    history.noteMemberships(batch);
    this.#cache.add(shard.cache, batch);
    this.stats.cacheBytes = this.#cache.bytes;
    const record = {
      kind: 'batch',
      shard: batch.shard,
      term,
      firstLsn,
      lastLsn,
      previousTerm,
      length,
    } as const;
    this.#flusher.enqueue(shard, record, batch);
  }

  /** What is beyond `lsn` is void: in memory, in the queue, and for writes in flight. */
  #forgetBeyond(shard: ShardLog, lsn: number): void {
    this.#flusher.forget(shard, lsn);
    this.#cache.truncate(shard.cache, lsn);
    shard.history.truncate(lsn);
    shard.limitReports(shard.history.last);
  }

  putHardState(shard: number, hardState: HardState): void {
    this.#flusher.enqueue(this.#shard(shard), { kind: 'hardState', shard, hardState }, null);
  }

  cut(shard: number, end: LogPosition): void {
    const log = this.#shard(shard);
    log.require(log.history.holds(end), `the log cannot end at LSN ${end.lsn} of term ${end.term}`);
    this.#forgetBeyond(log, end.lsn);
    this.#flusher.enqueue(log, { kind: 'cut', shard, end }, null);
  }

  reset(shard: number, base: LogPosition, keepSuffix: boolean): void {
    const log = this.#shard(shard);
    if (keepSuffix && log.history.holds(base)) {
      log.history.rebase(base);
    } else {
      const inForce = log.history.memberships.filter((membership) => membership.lsn <= base.lsn).pop();
      this.#flusher.forget(log, 0);
      this.#cache.clear(log.cache);
      log.limitReports(null);
      log.history = new History(base);
      if (inForce !== undefined) log.history.adoptMembership(inForce);
    }
    this.#flusher.enqueue(log, { kind: 'reset', shard, base, last: log.history.last }, null);
  }

  checkpointed(shard: number, position: LogPosition, membership: Buffer): void {
    const record = { kind: 'checkpointed', shard, position, membership: Buffer.from(membership) } as const;
    this.#flusher.enqueue(this.#shard(shard), record, null);
  }

  inDoubt(shard: number, doubt: Doubt): void {
    this.#flusher.enqueue(this.#shard(shard), { kind: 'doubt', shard, doubt }, null);
  }

  madeGood(shard: number): void {
    this.#flusher.enqueue(this.#shard(shard), { kind: 'madeGood', shard }, null);
  }

  retainFrom(shard: number, lsn: number): void {
    this.#shard(shard).neededFrom = lsn;
  }

  flush(): void {
    this.#flusher.flush();
  }

  get writing(): boolean {
    return this.#flusher.writing;
  }

  get queuedBytes(): number {
    return this.#flusher.queuedBytes;
  }

  firstLsn(shard: number): number {
    return this.#shard(shard).history.base.lsn + 1;
  }

  cached(shard: number, lsn: number, maxBytes: number): Batch[] | null {
    const log = this.#shard(shard);
    return lsn > log.history.base.lsn ? log.cache.from(lsn, maxBytes) : null;
  }

  read(
    shard: number,
    lsn: number,
    maxBytes: number,
    done: (error: Error | null, batches: Batch[]) => void,
  ): void {
    const log = this.#shard(shard);
    const { base, last } = log.history;
    if (lsn <= base.lsn) {
      done(compacted(shard, lsn, base.lsn + 1), []);
      return;
    }
    const cached = lsn > last.lsn ? [] : log.cache.from(lsn, maxBytes);
    if (cached !== null) {
      done(null, cached);
      return;
    }
    const stretch = log.history.index.stretch(lsn, log.cache.durableLsn, maxBytes);
    runTask(this.#readStretch(log, lsn, stretch), (error, batches) => done(error, batches ?? []));
  }

  salvage(shard: number, lsn: number, done: (error: Error | null, batches: Batch[]) => void): void {
    const log = this.#shard(shard);
    const { last, index } = log.history;
    // Places are taken down now; the bytes stay where they are when entries are cut.
    const stretches: Location[][] = [];
    let next = lsn;
    let cached = log.cache.from(next, Number.POSITIVE_INFINITY);
    while (cached === null && next <= last.lsn) {
      const stretch = index.stretch(next, log.cache.durableLsn, salvageBytes);
      const final = stretch[stretch.length - 1];
      if (final === undefined) break;
      stretches.push(stretch);
      next = final.lastLsn + 1;
      cached = log.cache.from(next, Number.POSITIVE_INFINITY);
    }
    const tail = cached ?? [];
    runTask(this.#salvageStretches(log, lsn, stretches), (error, batches) =>
      done(error, error === null ? [...(batches as Batch[]), ...tail] : []),
    );
  }

  *#salvageStretches(log: ShardLog, lsn: number, stretches: readonly Location[][]): Task<Batch[]> {
    const batches: Batch[] = [];
    for (const stretch of stretches) batches.push(...(yield* this.#readLocations(log, lsn, stretch)));
    return batches;
  }

  *#readStretch(log: ShardLog, lsn: number, stretch: readonly Location[]): Task<Batch[]> {
    const batches = yield* this.#readLocations(log, lsn, stretch);
    // What was cut or replaced while the disk worked is not handed out.
    const end = batches.findIndex((batch) => !log.history.holds({ term: batch.term, lsn: batch.lastLsn }));
    return end === -1 ? batches : batches.slice(0, end);
  }

  *#readLocations(log: ShardLog, lsn: number, stretch: readonly Location[]): Task<Batch[]> {
    const first = stretch[0];
    const final = stretch[stretch.length - 1];
    const segment = first === undefined ? undefined : this.#pool.find(first.segment);
    if (first === undefined || final === undefined || segment === undefined) {
      throw compacted(log.shard, lsn, log.history.base.lsn + 1);
    }
    const bytes = Buffer.allocUnsafeSlow(final.offset + final.length - first.offset);
    const read = yield* this.#pool.read(segment, bytes, first.offset);
    const batches: Batch[] = [];
    for (const location of stretch) {
      const batch = readLocation(bytes.subarray(0, read), first.offset, location, log.shard);
      if (batch === null) throw new DamagedLog(this.#pool.path(segment), location);
      batches.push(batch.from(lsn).through(location.lastLsn));
    }
    return batches;
  }

  bytesFrom(shard: number, lsn: number): number {
    return this.#shard(shard).bytesFrom(lsn);
  }

  room(shard: number, lsn: number): LogRoom | null {
    const [place] = this.#shard(shard).history.index.stretch(lsn, Number.POSITIVE_INFINITY, 0);
    const segment = place === undefined ? undefined : this.#pool.find(place.segment);
    if (place === undefined || segment === undefined) return null;
    const behind = this.#pool.usedBytes(segment.number) - place.offset;
    if (segment === this.#pool.current) return roomLeft(0, 0, behind, this.#options);
    const newer = this.#pool.usedBytes(segment.number + 1);
    return roomLeft(newer, this.#clock.wallMs() - segment.newestMs, behind, this.#options);
  }

  pinnedBytes(shard: number): number {
    return pinnedBytes(this.#shard(shard), this.#pool.older, (from) => this.#pool.usedBytes(from));
  }

  stalledMs(): number {
    return this.#flusher.stalledMs();
  }

  tick(): void {
    if (this.stats.latched || this.#closing !== null) return;
    this.#cache.evict();
    this.stats.cacheBytes = this.#cache.bytes;
    this.#pool.prepare();
    this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#pool.older[0];
    // What a segment's beginning repeats must be on disk before an older one goes.
    if (oldest === undefined || this.#flusher.openedSegment <= oldest.number) return;
    const behind = this.#pool.usedBytes(oldest.number + 1);
    if (!mayDrop(oldest, behind, this.#shards.values(), this.#options, this.#clock.wallMs())) return;
    if (!this.#pool.dropOldest()) return;
    for (const shard of this.#shards.values()) shard.dropThrough(oldest.number);
    this.stats.segments = this.#pool.count;
    this.stats.logBytes = this.#pool.usedBytes();
  }

  #latch(error: Error): void {
    if (this.stats.latched) return;
    this.stats.latched = true;
    this.#latchedBy = new BellwetherError(
      'BW_LOG_LATCHED',
      `an operation on ${this.#pool.path(this.#pool.current)} or its directory failed (${error.message})`,
      'Check the disk, then start the node again.',
      { cause: error },
    );
    this.#listener.latched(this.#latchedBy);
    this.#finishClose();
  }

  close(done: (error: Error | null) => void): void {
    this.#closing = done;
    this.#flusher.flush();
    this.#finishClose();
  }

  #finishClose(): void {
    const done = this.#closing;
    if (done === null || !(this.#flusher.idle || this.stats.latched)) return;
    this.#closing = null;
    this.#pool.close((error) => done(this.#latchedBy ?? error));
  }
}

/** The largest batch that surely fits into a segment, next to what the segment repeats at its beginning. */
export function maxBatchBytes(segmentBytes: number): number {
  return segmentBytes >> 1;
}

/** The first LSN at which a batch differs from what is held or goes beyond it; null when all of it is held. */
function firstConflict(history: History, batch: Batch): number | null {
  for (let lsn = Math.max(batch.firstLsn, history.base.lsn + 1); lsn <= batch.lastLsn; lsn++) {
    if (history.termAt(lsn) !== batch.term) return lsn;
  }
  return null;
}

/** The batch at a location, in bytes that begin at `start` of its file; null when something else stands there. */
function readLocation(bytes: Buffer, start: number, location: Location, shard: number): Batch | null {
  const at = location.offset - start;
  try {
    const batch = Batch.parse(bytes.subarray(at, at + location.length));
    const expected =
      batch.shard === shard && batch.firstLsn === location.firstLsn && batch.lastLsn >= location.lastLsn;
    return expected ? batch : null;
  } catch (error) {
    if (error instanceof MalformedBytes) return null;
    throw error;
  }
}

function compacted(shard: number, lsn: number, first: number): BellwetherError {
  return new BellwetherError(
    'BW_LOG_COMPACTED',
    `LSN ${lsn} of shard ${shard} is not in the log any more; it begins at ${first}`,
    'Use a checkpoint.',
  );
}
