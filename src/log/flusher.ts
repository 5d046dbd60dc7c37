import type { Clock } from '../env/clock.ts';
import type { DiskFile } from '../env/disk.ts';
import type { Batch } from './batch.ts';
import { blockBytes } from './frame.ts';
import type { FrameBuilder, QueuedRecord } from './frame-builder.ts';
import type { LogRecord } from './record.ts';
import { ShortWrite } from './segment.ts';
import type { LiveSegment, SegmentPool } from './segment-pool.ts';
import type { Report, ShardLog } from './shard-log.ts';
import type { NodeLogStats } from './types.ts';

export interface FlusherListener {
  failed(error: Error): void;
  /** Everything that was queued is on disk. */
  idle(): void;
}

/**
 * Group commit. One durable write is in flight at a time; what is queued meanwhile leaves with the next one, in one
 * frame. Nothing is reported before the write that holds it has completed in full.
 */
export class Flusher {
  readonly #pool: SegmentPool;
  readonly #shards: ReadonlyMap<number, ShardLog>;
  readonly #clock: Clock;
  readonly #stats: NodeLogStats;
  readonly #listener: FlusherListener;
  readonly #builder: FrameBuilder;
  #queue: QueuedRecord[] = [];
  #writing = false;
  #beganMs = 0;
  /** Since when something waits for a segment; null when nothing does. */
  #waitingSinceMs: number | null = null;
  #sequence: number;
  /** Bytes of batches that are queued and not yet handed to the disk. */
  queuedBytes = 0;
  /** The next frame repeats what every shard is. */
  #openingWanted: boolean;
  /** The newest segment with a completed frame, which therefore repeats what every shard is. */
  openedSegment = 0;

  constructor(
    pool: SegmentPool,
    shards: ReadonlyMap<number, ShardLog>,
    clock: Clock,
    stats: NodeLogStats,
    start: { readonly sequence: number; readonly openingWanted: boolean; readonly builder: FrameBuilder },
    listener: FlusherListener,
  ) {
    this.#pool = pool;
    this.#shards = shards;
    this.#clock = clock;
    this.#stats = stats;
    this.#builder = start.builder;
    this.#sequence = start.sequence;
    this.#openingWanted = start.openingWanted;
    this.#listener = listener;
    if (!start.openingWanted) this.openedSegment = pool.current.number;
  }

  get writing(): boolean {
    return this.#writing;
  }

  get idle(): boolean {
    return !this.#writing && this.#queue.length === 0;
  }

  enqueue(shard: ShardLog, record: LogRecord, batch: Batch | null): void {
    this.#queue.push({ shard, record, batch });
    if (record.kind === 'batch') this.queuedBytes += record.length;
  }

  /** Forgets queued batches of a shard beyond `lsn`: a cut or reset that follows makes them void. */
  forget(shard: ShardLog, lsn: number): void {
    const isVoid = (item: QueuedRecord): boolean =>
      item.shard === shard && item.record.kind === 'batch' && item.record.lastLsn > lsn;
    if (!this.#queue.some(isVoid)) return;
    const kept: QueuedRecord[] = [];
    for (const item of this.#queue) {
      if (!isVoid(item)) kept.push(item);
      else if (item.record.kind === 'batch' && item.record.firstLsn <= lsn) kept.push(shorten(item, lsn));
    }
    this.#queue = kept;
    this.queuedBytes = 0;
    for (const { record } of kept) if (record.kind === 'batch') this.queuedBytes += record.length;
  }

  stalledMs(): number {
    const since = this.#writing ? this.#beganMs : this.#waitingSinceMs;
    return since === null ? 0 : this.#clock.monotonicMs() - since;
  }

  flush(): void {
    if (this.#writing || this.#queue.length === 0 || this.#stats.latched) return;
    const segment = this.#pool.current;
    if (this.#tryWrite(segment)) return;
    if (segment.end === blockBytes) {
      this.#listener.failed(new Error(`a record does not fit into a segment of ${segment.fileBytes} bytes`));
    } else if (this.#pool.roll()) {
      this.#openingWanted = true;
      this.#stats.segments = this.#pool.count;
      this.flush();
    } else {
      this.#waitingSinceMs ??= this.#clock.monotonicMs();
      this.#pool.prepareNow();
    }
  }

  #tryWrite(segment: LiveSegment): boolean {
    const openings: LogRecord[] = [];
    if (this.#openingWanted) for (const shard of this.#shards.values()) openings.push(shard.stateRecord());
    const at = segment.end;
    const wallMs = Math.max(0, Math.floor(this.#clock.wallMs()));
    const frame = this.#builder.build(this.#queue, openings, segment.fileBytes - at, {
      segment: segment.number,
      offset: at,
      sequence: this.#sequence,
      wallMs,
    });
    if (frame === null) return false;
    this.#sequence += 1;
    this.#openingWanted = false;
    this.#waitingSinceMs = null;
    const reports = this.#handOver(segment.number, at + frame.payloadStart, frame.taken);
    segment.end = at + frame.bytes.length;
    segment.newestMs = wallMs;
    this.#pool.grew();
    this.#writing = true;
    this.#beganMs = this.#clock.monotonicMs();
    (segment.file as DiskFile).write(frame.bytes, at, (error, written) => {
      if (error !== null || written !== frame.bytes.length) {
        this.#listener.failed(error ?? new ShortWrite(written, frame.bytes.length));
        return;
      }
      this.#written(segment.number, frame.bytes.length, reports);
    });
    return true;
  }

  /** Takes the first records off the queue: they have places now. Returns what to report when they are durable. */
  #handOver(segment: number, offset: number, count: number): Report[] {
    const reports: Report[] = [];
    let at = offset;
    for (let i = 0; i < count; i++) {
      const { shard, record } = this.#queue[i] as QueuedRecord;
      let report = shard.unreported[shard.unreported.length - 1];
      if (report === undefined || !reports.includes(report)) {
        report = { shard, position: null, hardState: null, checkpoint: null };
        shard.unreported.push(report);
        reports.push(report);
      }
      shard.handOver(record, segment, at, report);
      if (record.kind !== 'batch') continue;
      at += record.length;
      this.#stats.batchBytes += record.length;
      this.queuedBytes -= record.length;
    }
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    return reports;
  }

  #written(segment: number, bytes: number, reports: readonly Report[]): void {
    const stats = this.#stats;
    // A write that completes after something else failed is not reported either.
    if (stats.latched) return;
    const took = this.#clock.monotonicMs() - this.#beganMs;
    stats.flushes += 1;
    stats.bytesWritten += bytes;
    stats.flushMsTotal += took;
    stats.flushMsMax = Math.max(stats.flushMsMax, took);
    stats.logBytes = this.#pool.usedBytes();
    this.#writing = false;
    this.openedSegment = segment;
    for (const { shard, position } of reports) if (position !== null) shard.cache.durableLsn = position.lsn;
    // The disk goes on while the listeners work.
    for (const shard of this.#shards.values()) shard.listener?.nextWrite?.();
    this.flush();
    for (const report of reports) tell(report);
    if (this.idle) this.#listener.idle();
  }
}

function tell(report: Report): void {
  const { shard, position, hardState, checkpoint } = report;
  shard.unreported.splice(shard.unreported.indexOf(report), 1);
  if (checkpoint !== null) shard.durableCheckpoint = checkpoint;
  if (position !== null || hardState !== null) shard.listener?.durable(position, hardState);
}

function shorten(item: QueuedRecord, lsn: number): QueuedRecord {
  const { shard, record } = item;
  const batch = (item.batch as Batch).through(lsn);
  if (record.kind !== 'batch') return item;
  return { shard, record: { ...record, lastLsn: lsn, length: batch.bytes.length }, batch };
}
