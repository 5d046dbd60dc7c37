import type { Disk } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step } from '../env/task.ts';
import { back, blockBytes, front, headBytes, readTable, writeHead } from './frame.ts';
import { SegmentReader, segmentName, segmentNumber } from './segment.ts';
import type { FoundFrame, FoundGap, SegmentScan } from './segment-scan.ts';
import { holdsFrames, scanSegment } from './segment-scan.ts';
import type { RecoveredLog } from './shard-recovery.ts';
import { ShardRecovery } from './shard-recovery.ts';

/** A segment file as recovery found it. */
export interface RecoveredSegment {
  readonly number: number;
  readonly fileBytes: number;
  /** Where the last frame ends. */
  readonly end: number;
  /** Wall clock of its last frame, ms; 0 when it holds none. */
  readonly newestMs: number;
}

/** Bytes to put on disk, durably, before the log goes on. */
export interface Repair {
  readonly segment: number;
  readonly offset: number;
  /** Null: zeros to the end of the file. */
  readonly bytes: Buffer | null;
}

export interface Recovery {
  readonly shards: ReadonlyMap<number, RecoveredLog>;
  /** Segments that hold frames, ascending; may be empty. */
  readonly used: readonly RecoveredSegment[];
  /** Prepared and unused, ascending. */
  readonly spares: readonly RecoveredSegment[];
  /** The last used segment ends in damage: the log goes on in another. */
  readonly tailDamaged: boolean;
  readonly nextSequence: number;
  readonly repairs: readonly Repair[];
  readonly notes: string[];
  /** Records were lost of which not even the shards are known: there may be shards that nothing else speaks of. */
  readonly incomplete: boolean;
}

/** Reads the whole log back. Nothing is written. */
export function* recoverLog(disk: Disk, directory: string): Task<Recovery> {
  const names = yield* step<string[]>((done) => disk.list(directory, done));
  const numbers = names.map(segmentNumber).filter((number): number is number => number !== null);
  const notes: string[] = [];
  const reader = new SegmentReader(disk, directory, notes);
  let lastUsed = 0;
  for (let i = numbers.length - 1; i >= 0 && lastUsed === 0; i--) {
    const number = numbers[i] as number;
    if (holdsFrames(yield* reader.read(number), number)) lastUsed = number;
  }
  // Files were read once to find the last one in use: what was noted then will be noted again.
  notes.length = 0;
  const stream = new StreamReader(directory, notes, numbers[0] === 1);
  for (const number of numbers) {
    const bytes = yield* reader.read(number);
    stream.segment(number, bytes, scanSegment(bytes, number, number < lastUsed), number <= lastUsed);
  }
  return stream.finish();
}

class StreamReader {
  readonly #directory: string;
  readonly #notes: string[];
  readonly #shards = new Map<number, ShardRecovery>();
  readonly #used: RecoveredSegment[] = [];
  readonly #spares: RecoveredSegment[] = [];
  readonly #repairs: Repair[] = [];
  #finalFrame: Repair | null = null;
  #tailDamaged = false;
  /** Sequence of the last frame; null before the first of a log whose beginning was dropped. */
  #sequence: number | null;
  #newestMs = 0;
  /** Unreadable blocks since the last frame. */
  #gap: { where: string; blocks: number } | null = null;
  /** Set once records were lost of which nothing is known. */
  #lost: { where: string; maybeHardState: boolean } | null = null;

  constructor(directory: string, notes: string[], fromTheStart: boolean) {
    this.#directory = directory;
    this.#notes = notes;
    this.#sequence = fromTheStart ? 0 : null;
  }

  #where(segment: number, offset: number): string {
    return `${this.#directory}/${segmentName(segment)} at offset ${offset}`;
  }

  segment(number: number, bytes: Buffer, scan: SegmentScan, used: boolean): void {
    this.#newestMs = 0;
    let final: FoundFrame | null = null;
    for (const item of scan.found) {
      if (item.kind === 'gap') {
        this.#noteGap(number, item);
      } else {
        this.#frame(number, item);
        final = item;
      }
    }
    if (final !== null)
      this.#finalFrame = { segment: number, offset: final.head.offset, bytes: wholeFrame(bytes, final) };
    const segment = { number, fileBytes: bytes.length, end: scan.end, newestMs: this.#newestMs };
    if (used || scan.found.length > 0) this.#used.push(segment);
    else this.#spares.push(segment);
    if (scan.leftover) {
      this.#notes.push(
        `${this.#where(number, scan.end)}: a write that never finished was removed; nobody was told that it had`,
      );
      this.#repairs.push({ segment: number, offset: scan.end, bytes: null });
    }
    this.#tailDamaged ||= scan.tailDamaged;
  }

  #noteGap(segment: number, gap: FoundGap): void {
    const where = this.#where(segment, gap.offset);
    const blocks = (gap.end - gap.offset) / blockBytes;
    this.#notes.push(`${where}: ${blocks} damaged blocks`);
    this.#gap = { where: this.#gap?.where ?? where, blocks: (this.#gap?.blocks ?? 0) + blocks };
  }

  #frame(segment: number, frame: FoundFrame): void {
    const { head, tables } = frame;
    if (this.#sequence !== null && head.sequence !== this.#sequence + 1) {
      // A frame is missing: in a gap, or never written although it was reported so.
      this.#lose(this.#gap ?? { where: this.#where(segment, head.offset), blocks: 2 });
    }
    this.#gap = null;
    this.#sequence = head.sequence;
    this.#newestMs = head.wallMs;
    if (!tables.front || !tables.back) {
      const at = tables.front ? head.offset + head.length - headBytes - head.tableBytes : head.offset;
      this.#notes.push(
        `${this.#where(segment, at)}: one of two copies of a table is damaged; the other serves`,
      );
    }
    for (const { record, offset, batch } of frame.records) {
      const where = this.#where(segment, offset);
      if (record.kind === 'batch' && batch === null) {
        this.#notes.push(
          `${where}: LSN ${record.firstLsn} to ${record.lastLsn} of shard ${record.shard} are damaged`,
        );
      }
      this.#shard(record.shard).apply(record, batch, { segment, offset, where });
    }
  }

  #lose(gap: { where: string; blocks: number }): void {
    // A frame with a hard state has its two tables in different blocks, so it cannot be lost with a single one.
    const maybeHardState = gap.blocks > 1;
    this.#lost = { where: gap.where, maybeHardState: maybeHardState || this.#lost?.maybeHardState === true };
    for (const shard of this.#shards.values()) shard.lost(gap.where, maybeHardState);
  }

  #shard(id: number): ShardRecovery {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = new ShardRecovery(id);
      if (this.#lost !== null) shard.lost(this.#lost.where, this.#lost.maybeHardState);
      this.#shards.set(id, shard);
    }
    return shard;
  }

  finish(): Recovery {
    if (this.#gap !== null && this.#tailDamaged) this.#lose(this.#gap);
    const shards = new Map<number, RecoveredLog>();
    for (const [id, shard] of this.#shards) shards.set(id, shard.finish());
    // The last write may be in the system's cache only, since nobody heard of its end: it is written once more.
    const repairs = this.#finalFrame === null ? this.#repairs : [this.#finalFrame, ...this.#repairs];
    return {
      shards,
      used: this.#used,
      spares: this.#spares,
      tailDamaged: this.#tailDamaged,
      // One is left out behind a damaged tail, so that it stays visible as a loss.
      nextSequence: (this.#sequence ?? 0) + (this.#tailDamaged ? 2 : 1),
      repairs,
      notes: this.#notes,
      incomplete: this.#lost !== null,
    };
  }
}

/** A copy of the frame's bytes in which both heads and tables are as they were written. */
function wholeFrame(bytes: Buffer, frame: FoundFrame): Buffer {
  const { head } = frame;
  const copy = Buffer.from(bytes.subarray(head.offset, head.offset + head.length));
  const table = readTable(bytes, head, front) ?? readTable(bytes, head, back);
  table?.copy(copy, headBytes);
  table?.copy(copy, head.length - headBytes - head.tableBytes);
  writeHead(copy, 0, head, front);
  writeHead(copy, head.length - headBytes, head, back);
  return copy;
}
