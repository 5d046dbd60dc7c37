import { crc32 } from 'node:zlib';
import { MalformedBytes, readU64 } from '../bytes/byte-reader.ts';
import { writeU64 } from '../bytes/byte-writer.ts';

/**
 * A frame is what one durable write holds. It starts on a fresh block:
 *
 *   head (64) · table · payloads · zeros · table · head (64)
 *
 * The table lists every record of the write; only batches have a payload outside it. Head and table stand at both
 * ends, in different sectors, so that a flip or a lost sector in one of them loses nothing: what the write held, and
 * for whom, stays known. A frame with anything but batches (a vote!) has them in different blocks.
 *
 *   0 u32 magic   4 u32 crc32 of the head from byte 8   8 u32 segment   12 u32 offset of the frame in the segment
 *  16 u32 bytes of the frame   20 u32 bytes of the table   24 u32 crc32 of the table   28 u32 records
 *  32 u32 weak sectors   36 u32 which copy (0 front, 1 back)   40 u64 sequence   48 u64 wall clock, ms   56 u64 zero
 */
export const headBytes = 64;
export const blockBytes = 4096;
export const sectorBytes = 512;
const magic = 0x4652_5742;

export interface FrameHead {
  readonly segment: number;
  /** Where the frame begins in its segment file. */
  readonly offset: number;
  /** Bytes of the whole frame, a multiple of the block. */
  readonly length: number;
  readonly tableBytes: number;
  readonly tableCrc: number;
  readonly records: number;
  /** Sectors of the frame, but for the first and the last one, that hold fewer than two bytes other than zero. */
  readonly weakSectors: number;
  /** 1, 2, 3 … over all frames of the log. */
  readonly sequence: number;
  readonly wallMs: number;
}

export const front = 0;
export const back = 1;
export type Copy = typeof front | typeof back;

export function writeHead(buffer: Buffer, at: number, head: FrameHead, copy: Copy): void {
  buffer.writeUInt32LE(magic, at);
  buffer.writeUInt32LE(head.segment, at + 8);
  buffer.writeUInt32LE(head.offset, at + 12);
  buffer.writeUInt32LE(head.length, at + 16);
  buffer.writeUInt32LE(head.tableBytes, at + 20);
  buffer.writeUInt32LE(head.tableCrc, at + 24);
  buffer.writeUInt32LE(head.records, at + 28);
  buffer.writeUInt32LE(head.weakSectors, at + 32);
  buffer.writeUInt32LE(copy, at + 36);
  writeU64(buffer, at + 40, head.sequence);
  writeU64(buffer, at + 48, head.wallMs);
  writeU64(buffer, at + 56, 0);
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 8, at + headBytes)), at + 4);
}

/** The head at `at` of a segment's bytes; null when there is none that belongs exactly there. */
export function readHead(bytes: Buffer, at: number, segment: number, copy: Copy): FrameHead | null {
  if (at < 0 || at + headBytes > bytes.length || bytes.readUInt32LE(at) !== magic) return null;
  if (bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, at + headBytes))) return null;
  if (bytes.readUInt32LE(at + 8) !== segment || bytes.readUInt32LE(at + 36) !== copy) return null;
  const head = parseHead(bytes, at);
  if (head === null) return null;
  const { offset, length, tableBytes } = head;
  // Lengths are bounded by what is there before anything is read by them.
  if (length % blockBytes !== 0 || offset % blockBytes !== 0 || offset + length > bytes.length) return null;
  if (length < 2 * (headBytes + tableBytes)) return null;
  return at === (copy === front ? offset : offset + length - headBytes) ? head : null;
}

function parseHead(bytes: Buffer, at: number): FrameHead | null {
  try {
    return {
      segment: bytes.readUInt32LE(at + 8),
      offset: bytes.readUInt32LE(at + 12),
      length: bytes.readUInt32LE(at + 16),
      tableBytes: bytes.readUInt32LE(at + 20),
      tableCrc: bytes.readUInt32LE(at + 24),
      records: bytes.readUInt32LE(at + 28),
      weakSectors: bytes.readUInt32LE(at + 32),
      sequence: readU64(bytes, at + 40),
      wallMs: readU64(bytes, at + 48),
    };
  } catch (error) {
    if (error instanceof MalformedBytes) return null;
    throw error;
  }
}

/** The table that a head speaks of, or null when it is not as it was written. */
export function readTable(bytes: Buffer, head: FrameHead, copy: Copy): Buffer | null {
  const start =
    copy === front ? head.offset + headBytes : head.offset + head.length - headBytes - head.tableBytes;
  const table = bytes.subarray(start, start + head.tableBytes);
  return crc32(table) === head.tableCrc ? table : null;
}

/** Where the payloads of a frame begin, counted from its start. */
export function payloadStart(tableBytes: number): number {
  return headBytes + tableBytes;
}

/** Bytes of a frame. `apart`: its two tables must not share a block. */
export function frameBytes(tableBytes: number, payloadBytes: number, apart: boolean): number {
  const front = payloadStart(tableBytes);
  const earliestBack = roundUp(front, apart ? blockBytes : sectorBytes);
  return roundUp(Math.max(front + payloadBytes, earliestBack) + tableBytes + headBytes, blockBytes);
}

/** Writes both heads and the table's second copy around `payloadBytes` that are in place; returns the frame's bytes. */
export function sealFrame(
  slab: Buffer,
  table: Buffer,
  payloadBytes: number,
  length: number,
  about: { segment: number; offset: number; records: number; sequence: number; wallMs: number },
): void {
  const payloadEnd = payloadStart(table.length) + payloadBytes;
  const backStart = length - headBytes - table.length;
  table.copy(slab, headBytes);
  slab.fill(0, payloadEnd, backStart);
  table.copy(slab, backStart);
  const head: FrameHead = {
    ...about,
    length,
    tableBytes: table.length,
    tableCrc: crc32(table),
    weakSectors: weakSectors(slab, length, payloadEnd, backStart),
  };
  writeHead(slab, 0, head, front);
  writeHead(slab, length - headBytes, head, back);
}

function weakSectors(slab: Buffer, length: number, paddingStart: number, paddingEnd: number): number {
  const skipFrom = roundUp(paddingStart, sectorBytes);
  const skipTo = Math.max(skipFrom, paddingEnd - (paddingEnd % sectorBytes));
  let weak = 0;
  for (let at = sectorBytes; at < length - sectorBytes; at += sectorBytes) {
    if ((at >= skipFrom && at < skipTo) || isWeak(slab, at)) weak += 1;
  }
  return weak;
}

function isWeak(bytes: Buffer, at: number): boolean {
  let found = 0;
  for (let i = at; i < at + sectorBytes; i++) {
    if (bytes[i] !== 0 && ++found === 2) return false;
  }
  return true;
}

/**
 * True when a frame shows sectors that were never written: more sectors are zero than one changed byte can explain.
 * A sector is either written or not, and the space for frames was zero before.
 */
export function showsUnwrittenSectors(bytes: Buffer, head: FrameHead): boolean {
  let zero = 0;
  for (let at = head.offset; at < head.offset + head.length; at += sectorBytes) {
    if (isZero(bytes, at, at + sectorBytes)) zero += 1;
  }
  return zero > head.weakSectors;
}

/** True when enough of the 64 bytes is set that they were written as a head: one changed byte in free space is not. */
export function looksLikeHead(bytes: Buffer, at: number): boolean {
  let found = 0;
  for (let i = at; i < Math.min(at + headBytes, bytes.length); i++) if (bytes[i] !== 0) found += 1;
  return found >= 8;
}

const zeroBlock = Buffer.alloc(blockBytes);

export function isZero(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += blockBytes) {
    const end = Math.min(at + blockBytes, to);
    if (bytes.compare(zeroBlock, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}

export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}
