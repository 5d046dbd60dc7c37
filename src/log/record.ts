import { crc32 } from 'node:zlib';
import { MalformedBytes, readU64 } from '../bytes/byte-reader.ts';
import { writeU64 } from '../bytes/byte-writer.ts';

/**
 * The node-local frame around what is logged. A durable write is a run of records that starts on a fresh block; its
 * first record says how long the write is, so that scanning knows where the next one begins.
 *
 *   0 u32 magic   4 u32 crc32 of the header from byte 8   8 u32 segment   12 u16 kind   14 u16 flags
 *  16 u32 payload length   20 u32 shard   24 u64 term   32 u64 first LSN   40 u64 last LSN
 *  48 u32 bytes of the whole write (first record only)   52 u32 crc32 of the payload (0 for a batch: it has its own)
 */
export const recordHeaderBytes = 56;
export const blockBytes = 4096;
export const sectorBytes = 512;
const magic = 0x52525742;

export const recordKind = {
  batch: 1,
  hardState: 2,
  /** The shard's log ends at (term, last LSN). */
  cut: 3,
  /** The shard's log begins behind (term, last LSN); first LSN 1 when a matching suffix was kept. */
  reset: 4,
  /** A durable checkpoint stands at (term, last LSN); the payload is the membership there. */
  checkpoint: 5,
  /** What every shard was when a segment began: see `ShardOpening`. */
  opening: 6,
  /** What this replica may have forgotten before is made good. */
  madeGood: 7,
} as const;
export type RecordKind = (typeof recordKind)[keyof typeof recordKind];

/** First record of a durable write. */
export const startsWrite = 1;
/** Some sector of the write holds nothing but zeros although it was written. */
export const holdsZeroSector = 2;

export interface RecordHeader {
  readonly segment: number;
  readonly kind: RecordKind;
  readonly flags: number;
  readonly length: number;
  readonly shard: number;
  readonly term: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly writeBytes: number;
  readonly payloadCrc: number;
}

export function writeRecordHeader(buffer: Buffer, at: number, header: RecordHeader): void {
  buffer.writeUInt32LE(magic, at);
  buffer.writeUInt32LE(header.segment, at + 8);
  buffer.writeUInt16LE(header.kind, at + 12);
  buffer.writeUInt16LE(header.flags, at + 14);
  buffer.writeUInt32LE(header.length, at + 16);
  buffer.writeUInt32LE(header.shard, at + 20);
  writeU64(buffer, at + 24, header.term);
  writeU64(buffer, at + 32, header.firstLsn);
  writeU64(buffer, at + 40, header.lastLsn);
  buffer.writeUInt32LE(header.writeBytes, at + 48);
  buffer.writeUInt32LE(header.payloadCrc, at + 52);
  sealRecordHeader(buffer, at);
}

/** Sets the flags and length of the write in its first record, once they are known. */
export function finishWrite(buffer: Buffer, at: number, writeBytes: number, zeroSector: boolean): void {
  buffer.writeUInt16LE(startsWrite | (zeroSector ? holdsZeroSector : 0), at + 14);
  buffer.writeUInt32LE(writeBytes, at + 48);
  sealRecordHeader(buffer, at);
}

function sealRecordHeader(buffer: Buffer, at: number): void {
  buffer.writeUInt32LE(crc32(buffer.subarray(at + 8, at + recordHeaderBytes)), at + 4);
}

/** The header at `at`, or null when there is none of this segment. */
export function readRecordHeader(
  buffer: Buffer,
  at: number,
  end: number,
  segment: number,
): RecordHeader | null {
  if (at + recordHeaderBytes > end || buffer.readUInt32LE(at) !== magic) return null;
  if (buffer.readUInt32LE(at + 4) !== crc32(buffer.subarray(at + 8, at + recordHeaderBytes))) return null;
  if (buffer.readUInt32LE(at + 8) !== segment) return null;
  try {
    return {
      segment,
      kind: buffer.readUInt16LE(at + 12) as RecordKind,
      flags: buffer.readUInt16LE(at + 14),
      length: buffer.readUInt32LE(at + 16),
      shard: buffer.readUInt32LE(at + 20),
      term: readU64(buffer, at + 24),
      firstLsn: readU64(buffer, at + 32),
      lastLsn: readU64(buffer, at + 40),
      writeBytes: buffer.readUInt32LE(at + 48),
      payloadCrc: buffer.readUInt32LE(at + 52),
    };
  } catch (error) {
    if (error instanceof MalformedBytes) return null;
    throw error;
  }
}

export function isZero(buffer: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (buffer[i] !== 0) return false;
  return true;
}

/** True when one of the sectors that `[from, to)` fills wholly or at its end holds only zeros. */
export function hasZeroSector(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += sectorBytes)
    if (isZero(buffer, at, Math.min(at + sectorBytes, to))) return true;
  return false;
}

export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}
