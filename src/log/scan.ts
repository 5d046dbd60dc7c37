import { crc32 } from 'node:zlib';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { Batch } from './batch.ts';
import type { RecordHeader } from './record.ts';
import {
  blockBytes,
  hasZeroSector,
  holdsZeroSector,
  isZero,
  readRecordHeader,
  recordHeaderBytes,
  recordKind,
  roundUp,
  sectorBytes,
  startsWrite,
} from './record.ts';

/** One record as it was found. */
export interface FoundRecord {
  readonly kind: 'record';
  readonly header: RecordHeader;
  /** Offset of the payload in the segment file. */
  readonly offset: number;
  /** A view of the segment's bytes. */
  readonly payload: Buffer;
  /** The parsed batch of a batch record. */
  readonly batch: Batch | null;
}

/** A record whose payload does not fit its checksum, or (header null) bytes that hold no readable record at all. */
export interface FoundDamage {
  readonly kind: 'damage';
  readonly header: RecordHeader | null;
  readonly offset: number;
  /** True when the bytes look like a write that never finished: sectors that were to be written are still zero. */
  readonly looksTorn: boolean;
}

export type Found = FoundRecord | FoundDamage;

/** What a segment holds, in order. The first block is the segment's own header. Runs of zero blocks are skipped. */
export function scanSegment(bytes: Buffer, segment: number): Found[] {
  const found: Found[] = [];
  let at = blockBytes;
  while (at < bytes.length) {
    const first = readRecordHeader(bytes, at, bytes.length, segment);
    if (first !== null && (first.flags & startsWrite) !== 0 && first.writeBytes >= recordHeaderBytes) {
      const end = Math.min(at + first.writeBytes, bytes.length);
      scanWrite(bytes, at, end, first, found);
      at = roundUp(at + first.writeBytes, blockBytes);
      continue;
    }
    at = skipUnreadable(bytes, at, segment, found);
  }
  return found;
}

/** A block where a write should begin, and none does: free space, or damage. Returns where to go on. */
function skipUnreadable(bytes: Buffer, at: number, segment: number, found: Found[]): number {
  const blockEnd = Math.min(at + blockBytes, bytes.length);
  if (!isZero(bytes, at, blockEnd)) {
    const looksTorn = isZero(bytes, at, Math.min(at + sectorBytes, blockEnd));
    const previous = found[found.length - 1];
    // A run of unreadable blocks is one piece of damage.
    if (previous === undefined || previous.kind === 'record' || previous.header !== null) {
      found.push({ kind: 'damage', header: null, offset: at, looksTorn });
    }
    rescueHardStates(bytes, at, blockEnd, segment, found);
  }
  return blockEnd;
}

function scanWrite(bytes: Buffer, start: number, end: number, first: RecordHeader, found: Found[]): void {
  const zeroMeansTorn = (first.flags & holdsZeroSector) === 0;
  const looksTorn = (): boolean => zeroMeansTorn && hasZeroSector(bytes, start, end);
  let at = start;
  while (at < end) {
    const header = readRecordHeader(bytes, at, end, first.segment);
    if (header === null) {
      // Between records there is only the padding that puts a hard state's copy on a sector of its own.
      const next = roundUp(at + 1, sectorBytes);
      if (isZero(bytes, at, Math.min(next, end)) && at % sectorBytes !== 0) {
        at = next;
        continue;
      }
      found.push({ kind: 'damage', header: null, offset: at, looksTorn: looksTorn() });
      rescueHardStates(bytes, roundUp(at, sectorBytes), end, first.segment, found);
      return;
    }
    const offset = at + recordHeaderBytes;
    const payloadEnd = offset + header.length;
    const record = payloadEnd <= end ? readPayload(bytes.subarray(offset, payloadEnd), header, offset) : null;
    found.push(record ?? { kind: 'damage', header, offset: at, looksTorn: looksTorn() });
    at = payloadEnd;
  }
}

function readPayload(payload: Buffer, header: RecordHeader, offset: number): FoundRecord | null {
  if (header.kind !== recordKind.batch) {
    return crc32(payload) === header.payloadCrc
      ? { kind: 'record', header, offset, payload, batch: null }
      : null;
  }
  try {
    const batch = Batch.parse(payload);
    return batch.firstLsn === header.firstLsn ? { kind: 'record', header, offset, payload, batch } : null;
  } catch (error) {
    if (error instanceof MalformedBytes) return null;
    throw error;
  }
}

/** In bytes that cannot be read in order, the copies of hard states still begin on sectors. */
function rescueHardStates(bytes: Buffer, from: number, to: number, segment: number, found: Found[]): void {
  for (let at = from; at + recordHeaderBytes <= to; at += sectorBytes) {
    const header = readRecordHeader(bytes, at, to, segment);
    if (header === null || header.kind !== recordKind.hardState) continue;
    const offset = at + recordHeaderBytes;
    if (offset + header.length > to) continue;
    const record = readPayload(bytes.subarray(offset, offset + header.length), header, offset);
    if (record !== null) found.push(record);
  }
}
