import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step, stepVoid } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import { blockBytes } from './frame.ts';

/**
 * The first block of a segment file, written when the file is prepared:
 *
 *   0 'BWLOG' 0   6 u16 format version (these eight bytes never change their meaning)   8 u32 segment
 *  12 u32 bytes of the file   16 u32 crc32 of the sixteen bytes before
 */
const magic = Buffer.from('BWLOG\0', 'latin1');
const formatVersion = 1;
const prefixBytes = 16;

/** Larger files are none that this log wrote. */
export const maxSegmentBytes = 1 << 30;
const readStepBytes = 1 << 20;
/** Stands for bytes that cannot be read: no head, no zeros. */
const unreadable = 0xee;

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.log`;
}

/** The segment's number, or null for a file that is none. */
export function segmentNumber(name: string): number | null {
  const match = /^(\d{10})\.log$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** What a file is called until it is written in full. */
export const partialSuffix = '.new';

export function segmentHeader(number: number, bytes: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  magic.copy(block, 0);
  block.writeUInt16LE(formatVersion, 6);
  block.writeUInt32LE(number, 8);
  block.writeUInt32LE(bytes, 12);
  block.writeUInt32LE(crc32(block.subarray(0, prefixBytes)), prefixBytes);
  return block;
}

/**
 * Bytes that the file was made with, by its header; null when the header is damaged, which does no harm.
 * Throws BW_DATA_VERSION for a header of another format.
 */
function checkHeader(bytes: Buffer, number: number, path: string): number | null {
  if (bytes.length < blockBytes || bytes.subarray(0, magic.length).compare(magic) !== 0) return null;
  if (bytes.readUInt32LE(prefixBytes) !== crc32(bytes.subarray(0, prefixBytes))) return null;
  const version = bytes.readUInt16LE(6);
  if (version !== formatVersion) {
    throw new BellwetherError(
      'BW_DATA_VERSION',
      `${path} has log format ${version} (at offset 6), this version reads ${formatVersion}`,
      'Start the version that wrote it.',
    );
  }
  return bytes.readUInt32LE(8) === number ? bytes.readUInt32LE(12) : null;
}

/** Reads segment files whole, one after the other into the same buffer. */
export class SegmentReader {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #notes: string[];
  #buffer: Buffer = Buffer.alloc(0);

  constructor(disk: Disk, directory: string, notes: string[]) {
    this.#disk = disk;
    this.#directory = directory;
    this.#notes = notes;
  }

  /** The file's bytes, valid until the next call. What cannot be read, or is missing at the end, holds 0xee. */
  *read(number: number): Task<Buffer> {
    const path = `${this.#directory}/${segmentName(number)}`;
    const file = (yield* step<DiskFile | null>((done) => this.#disk.open(path, 'read', done))) as DiskFile;
    try {
      const size = yield* step<number>((done) => file.size(done));
      if (size > maxSegmentBytes) {
        throw new BellwetherError(
          'BW_LOG_DAMAGED',
          `${path} has ${size} bytes, more than any segment (offset ${maxSegmentBytes})`,
          'Move the file away.',
        );
      }
      const head = this.#space(blockBytes);
      yield* this.#fill(file, path, head);
      const made = checkHeader(head, number, path);
      if (made === null)
        this.#notes.push(`${path} at offset 0: the segment's header is damaged; it is not needed`);
      const whole = this.#space(Math.min(Math.max(size, made ?? 0), maxSegmentBytes));
      if (size < whole.length) this.#notes.push(`${path} at offset ${size}: the file was cut short`);
      yield* this.#fill(file, path, whole);
      return whole;
    } finally {
      yield* stepVoid((done) => file.close(done));
    }
  }

  #space(bytes: number): Buffer {
    if (this.#buffer.length < bytes) this.#buffer = Buffer.allocUnsafeSlow(bytes);
    return this.#buffer.subarray(0, bytes);
  }

  *#fill(file: DiskFile, path: string, into: Buffer): Task<void> {
    for (let at = 0; at < into.length; at += readStepBytes) {
      const piece = into.subarray(at, at + readStepBytes);
      const read = yield* tryRead(file, piece, at);
      if (read === piece.length) continue;
      // Something in here cannot be read: find out what, block by block.
      for (let block = at; block < at + piece.length; block += blockBytes) {
        const target = into.subarray(block, Math.min(block + blockBytes, at + piece.length));
        if ((yield* tryRead(file, target, block)) === target.length) continue;
        target.fill(unreadable);
        this.#notes.push(`${path} at offset ${block}: the disk does not give these bytes back`);
      }
    }
  }
}

/** Bytes read; -1 for an error. */
function* tryRead(file: DiskFile, into: Buffer, position: number): Task<number> {
  return yield* step<number>((done) =>
    file.read(into, position, (error, bytes) => done(null, error === null ? bytes : -1)),
  );
}

/** Writes all bytes; a short write is an error. */
export function* writeAll(file: DiskFile, bytes: Uint8Array, position: number): Task<void> {
  const written = yield* step<number>((done) => file.write(bytes, position, done));
  if (written !== bytes.length) throw new ShortWrite(written, bytes.length);
}

/** A write that put fewer bytes on disk than it was given, without an error: mostly for want of space. */
export class ShortWrite extends Error {
  constructor(written: number, expected: number) {
    super(`short write: ${written} of ${expected} bytes`);
    this.name = 'ShortWrite';
  }
}
