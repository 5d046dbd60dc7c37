import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { runTask, step, stepVoid } from '../env/task.ts';
import { blockBytes } from './frame.ts';
import { partialSuffix, ShortWrite, segmentHeader, segmentName, writeAll } from './segment.ts';
import { ZeroingPace } from './zeroing-pace.ts';

/** A segment file while the log is open. */
export interface LiveSegment {
  readonly number: number;
  readonly fileBytes: number;
  /** Where the next frame goes. */
  end: number;
  /** Wall clock of its last frame, ms. */
  newestMs: number;
  /** Null while nobody needed it. */
  file: DiskFile | null;
  /** Reads in progress; a dropped segment's file is closed after the last one. */
  readers: number;
  dropped: boolean;
}

export function liveSegment(number: number, fileBytes: number, file: DiskFile | null): LiveSegment {
  return { number, fileBytes, end: blockBytes, newestMs: 0, file, readers: 0, dropped: false };
}

/** Written and synced at once: so much may stand before one of the log's own writes. */
const zeroStepBytes = 1 << 20;
const zeros = Buffer.alloc(zeroStepBytes);

/** There is not enough free space for another segment. */
export class SpaceShort extends Error {}

/**
 * Makes a segment file: written in full, so that a later write need not touch what the file system keeps about the
 * file; synced; then named; then the directory synced. Throws `SpaceShort` when there is no room.
 */
export function* prepareSegment(
  disk: Disk,
  directory: string,
  number: number,
  bytes: number,
  reserveBytes: number,
  pace: ZeroingPace,
): Task<LiveSegment> {
  const free = yield* step<number>((done) => disk.freeBytes(done));
  if (free < bytes + reserveBytes) throw new SpaceShort(`${free} bytes are free`);
  const path = `${directory}/${segmentName(number)}`;
  const partial = path + partialSuffix;
  try {
    yield* stepVoid((done) => disk.remove(partial, done));
    yield* writePartial(disk, partial, number, bytes, pace);
  } catch (error) {
    yield* stepVoid((done) => disk.remove(partial, () => done(null)));
    throw isForWantOfSpace(error) ? new SpaceShort((error as Error).message) : error;
  }
  yield* stepVoid((done) => disk.rename(partial, path, done));
  yield* stepVoid((done) => disk.syncDirectory(directory, done));
  const file = yield* step<DiskFile | null>((done) => disk.open(path, 'durable', done));
  return liveSegment(number, bytes, file);
}

function* writePartial(
  disk: Disk,
  path: string,
  number: number,
  bytes: number,
  pace: ZeroingPace,
): Task<void> {
  const file = (yield* step<DiskFile | null>((done) => disk.open(path, 'create', done))) as DiskFile;
  try {
    for (let at = 0; at < bytes; at += zeroStepBytes) {
      if (!pace.mayGoOn(at)) yield* stepVoid((done) => pace.wait(done));
      if (pace.closed) throw new SpaceShort('the log was closed');
      yield* writeAll(file, zeros.subarray(0, Math.min(zeroStepBytes, bytes - at)), at);
      yield* stepVoid((done) => file.sync(done));
    }
    yield* writeAll(file, segmentHeader(number, bytes), 0);
    yield* stepVoid((done) => file.sync(done));
  } finally {
    yield* stepVoid((done) => file.close(() => done(null)));
  }
}

function isForWantOfSpace(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return error instanceof ShortWrite || code === 'ENOSPC' || code === 'EDQUOT';
}

export interface PoolListener {
  /** A spare segment is ready. */
  prepared(): void;
  spaceShort(short: boolean): void;
  failed(error: Error): void;
}

/** The segment files of an open log: older ones, the one that is written to, and a prepared spare. */
export class SegmentPool {
  current: LiveSegment;
  /** Older ones, ascending. */
  readonly older: LiveSegment[];
  spaceShort = false;
  readonly #spares: LiveSegment[];
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #reserveBytes: number;
  readonly #listener: PoolListener;
  readonly #pace = new ZeroingPace();
  #nextNumber: number;
  #preparing = false;
  #dropping = false;
  #closed = false;
  #onIdle: (() => void) | null = null;

  constructor(
    disk: Disk,
    directory: string,
    options: { readonly segmentBytes: number; readonly reserveBytes: number },
    segments: { older: LiveSegment[]; current: LiveSegment; spares: LiveSegment[]; nextNumber: number },
    listener: PoolListener,
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#segmentBytes = options.segmentBytes;
    this.#reserveBytes = options.reserveBytes;
    this.older = segments.older;
    this.current = segments.current;
    this.#spares = segments.spares;
    this.#nextNumber = segments.nextNumber;
    this.#listener = listener;
    this.#pace.taken(this.current.end);
  }

  get count(): number {
    return this.older.length + 1;
  }

  /** Bytes of log, older segments and the current one. */
  usedBytes(fromSegment = 0): number {
    let bytes = this.current.end;
    for (const segment of this.older) if (segment.number >= fromSegment) bytes += segment.end;
    return bytes;
  }

  /** Goes on in the spare segment; false when there is none yet. */
  roll(): boolean {
    const next = this.#spares.shift();
    if (next === undefined) return false;
    this.older.push(this.current);
    this.current = next;
    this.grew();
    this.prepare();
    return true;
  }

  /** The current segment has taken more. */
  grew(): void {
    this.#pace.taken(this.current.end);
  }

  /** The log cannot go on without a spare segment. */
  prepareNow(): void {
    this.prepare();
    this.#pace.hurry();
  }

  /** Prepares a spare segment unless there is one. */
  prepare(): void {
    if (this.#spares.length > 0 || this.#preparing || this.#closed) return;
    this.#preparing = true;
    this.#pace.begin();
    const number = this.#nextNumber;
    const task = prepareSegment(
      this.#disk,
      this.#directory,
      number,
      this.#segmentBytes,
      this.#reserveBytes,
      this.#pace,
    );
    runTask(task, (error, segment) => {
      this.#preparing = false;
      if (segment !== undefined) {
        this.#nextNumber = number + 1;
        this.#spares.push(segment);
      }
      if (this.#closed) {
        this.#onIdle?.();
      } else if (segment !== undefined) {
        this.#setSpaceShort(false);
        this.#listener.prepared();
      } else if (error instanceof SpaceShort) {
        this.#setSpaceShort(true);
      } else {
        this.#listener.failed(error as Error);
      }
    });
  }

  #setSpaceShort(short: boolean): void {
    if (this.spaceShort === short) return;
    this.spaceShort = short;
    this.#listener.spaceShort(short);
  }

  /**
   * Removes the oldest segment. One at a time, each made durable before the next, so that what is left after a crash
   * is always the end of the log without a hole. False when another one is still on its way.
   */
  dropOldest(): boolean {
    const oldest = this.older[0];
    if (oldest === undefined || this.#dropping || this.#closed) return false;
    this.#dropping = true;
    this.older.shift();
    oldest.dropped = true;
    if (oldest.readers === 0) this.#closeFile(oldest, () => {});
    runTask(this.#remove(oldest.number), (error) => {
      this.#dropping = false;
      if (this.#closed) this.#onIdle?.();
      else if (error !== null) this.#listener.failed(error);
    });
    return true;
  }

  *#remove(number: number): Task<void> {
    yield* stepVoid((done) => this.#disk.remove(`${this.#directory}/${segmentName(number)}`, done));
    yield* stepVoid((done) => this.#disk.syncDirectory(this.#directory, done));
  }

  find(number: number): LiveSegment | undefined {
    return this.current.number === number
      ? this.current
      : this.older.find((segment) => segment.number === number);
  }

  /** Path of a segment's file, for the operator. */
  path(segment: LiveSegment): string {
    return `${this.#directory}/${segmentName(segment.number)}`;
  }

  /** Reads from a segment, which may be dropped meanwhile. Returns the bytes read. */
  *read(segment: LiveSegment, into: Buffer, position: number): Task<number> {
    segment.readers += 1;
    try {
      if (segment.file === null) {
        const opened = yield* step<DiskFile | null>((done) =>
          this.#disk.open(this.path(segment), 'read', done),
        );
        if (segment.file === null) segment.file = opened;
        else if (opened !== null) yield* stepVoid((done) => opened.close(done));
      }
      const file = segment.file as DiskFile;
      return yield* step<number>((done) => file.read(into, position, done));
    } finally {
      segment.readers -= 1;
      if (segment.readers === 0 && (segment.dropped || this.#closed)) this.#closeFile(segment, () => {});
    }
  }

  #closeFile(segment: LiveSegment, done: (error: Error | null) => void): void {
    const file = segment.file;
    segment.file = null;
    if (file === null) done(null);
    else file.close(done);
  }

  /** Closes all files when nothing is being prepared or dropped any more; one that is being read follows after that. */
  close(done: (error: Error | null) => void): void {
    this.#closed = true;
    this.#onIdle = () => {
      if (this.#preparing || this.#dropping) return;
      this.#onIdle = null;
      this.#closeFiles(done);
    };
    this.#pace.close();
    this.#onIdle?.();
  }

  #closeFiles(done: (error: Error | null) => void): void {
    const open = [...this.older, this.current, ...this.#spares].filter(
      (segment) => segment.file !== null && segment.readers === 0,
    );
    let left = open.length;
    let first: Error | null = null;
    if (left === 0) done(null);
    for (const segment of open) {
      this.#closeFile(segment, (error) => {
        first ??= error;
        left -= 1;
        if (left === 0) done(first);
      });
    }
  }
}
