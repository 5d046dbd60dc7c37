import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step, stepVoid } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import { blockBytes } from './record.ts';

const magic = Buffer.from('BWLOGSEG', 'latin1');
const formatVersion = 1;
const zeros = Buffer.alloc(1 << 20);

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.log`;
}

/** The segment's number, or null for a file that is none. */
export function segmentNumber(name: string): number | null {
  const match = /^(\d{10})\.log$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** The first block of a segment file. */
function headerBlock(number: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  magic.copy(block, 0);
  block.writeUInt32LE(formatVersion, 8);
  block.writeUInt32LE(number, 12);
  block.writeUInt32LE(crc32(block.subarray(0, 16)), 16);
  return block;
}

/** Null when the header is whole; else what is wrong with it, which does no harm. Another format's version is refused. */
export function checkSegmentHeader(bytes: Buffer, number: number, file: string): string | null {
  const whole = bytes.length >= blockBytes && bytes.readUInt32LE(16) === crc32(bytes.subarray(0, 16));
  if (!whole || bytes.subarray(0, 8).compare(magic) !== 0)
    return `${file}: the header in its first block is damaged`;
  const version = bytes.readUInt32LE(8);
  if (version !== formatVersion) {
    throw new BellwetherError(
      'BW_DATA_VERSION',
      `${file} has log format ${version}, this version reads ${formatVersion}`,
      'Start the version that wrote it.',
    );
  }
  return bytes.readUInt32LE(12) === number ? null : `${file}: its header names another segment`;
}

/** Makes a segment file, written in full, so that a later flush need not touch what the file system keeps about it. */
export function* prepareSegment(
  disk: Disk,
  directory: string,
  number: number,
  bytes: number,
): Task<DiskFile> {
  const path = `${directory}/${segmentName(number)}`;
  const partial = `${path}.new`;
  yield* stepVoid((done) => disk.remove(partial, done));
  const file = yield* step<DiskFile | null>((done) => disk.open(partial, 'create', done));
  const created = file as DiskFile;
  try {
    for (let at = 0; at < bytes; at += zeros.length) {
      const piece = zeros.subarray(0, Math.min(zeros.length, bytes - at));
      yield* writeAll(created, piece, at);
    }
    yield* writeAll(created, headerBlock(number), 0);
    yield* stepVoid((done) => created.sync(done));
  } finally {
    yield* stepVoid((done) => created.close(done));
  }
  yield* stepVoid((done) => disk.rename(partial, path, done));
  yield* stepVoid((done) => disk.syncDirectory(directory, done));
  return (yield* step<DiskFile | null>((done) => disk.open(path, 'durable', done))) as DiskFile;
}

export function* writeAll(file: DiskFile, bytes: Uint8Array, position: number): Task<void> {
  const written = yield* step<number>((done) => file.write(bytes, position, done));
  if (written !== bytes.length) throw new Error(`short write: ${written} of ${bytes.length} bytes`);
}

/** The whole file. */
export function* readFile(disk: Disk, path: string): Task<Buffer> {
  const file = (yield* step<DiskFile | null>((done) => disk.open(path, 'read', done))) as DiskFile;
  try {
    const size = yield* step<number>((done) => file.size(done));
    const bytes = Buffer.allocUnsafeSlow(size);
    const read = yield* step<number>((done) => file.read(bytes, 0, done));
    return bytes.subarray(0, read);
  } finally {
    yield* stepVoid((done) => file.close(done));
  }
}
