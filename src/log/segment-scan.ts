import { MalformedBytes } from '../bytes/byte-reader.ts';
import { Batch } from './batch.ts';
import type { FrameHead } from './frame.ts';
import {
  back,
  blockBytes,
  front,
  headBytes,
  isZero,
  looksLikeHead,
  payloadStart,
  readHead,
  readTable,
  roundUp,
  showsUnwrittenSectors,
} from './frame.ts';
import type { BatchRecord, LogRecord } from './record.ts';
import { decodeTable } from './record.ts';

/** One record of a frame. A batch record whose batch is null has a damaged payload. */
export interface FoundRecord {
  readonly record: LogRecord;
  /** Offset of the payload in the segment file. */
  readonly offset: number;
  readonly batch: Batch | null;
}

export interface FoundFrame {
  readonly kind: 'frame';
  readonly head: FrameHead;
  readonly records: readonly FoundRecord[];
  readonly tables: { readonly front: boolean; readonly back: boolean };
}

/** Blocks that hold something and no frame that can be read. */
export interface FoundGap {
  readonly kind: 'gap';
  readonly offset: number;
  readonly end: number;
}

export interface SegmentScan {
  readonly found: readonly (FoundFrame | FoundGap)[];
  /** Where the next frame may go. */
  readonly end: number;
  /** What stands behind `end` and was never acknowledged: must be zero before anything goes there. */
  readonly leftover: boolean;
  /** The segment, the last one in use, ends with a gap: what stood there may have been acknowledged. */
  readonly tailDamaged: boolean;
}

/**
 * Finds the frames of a segment. `laterUsed`: frames stand in later segments, so nothing here can be a torn end.
 *
 * Only the final write of the log can be torn: nothing valid follows it, and sectors that it was to write are still
 * zero. A write that shows no such sectors was completed and changed afterwards, so it may have been acknowledged.
 */
export function scanSegment(bytes: Buffer, segment: number, laterUsed: boolean): SegmentScan {
  const found: (FoundFrame | FoundGap)[] = [];
  let at = blockBytes;
  while (at < bytes.length) {
    const head = findHead(bytes, at, segment);
    const frame = head === null ? null : readFrame(bytes, head);
    const frameEnd = head === null ? at + blockBytes : at + head.length;
    if (frame !== null && isWhole(frame)) {
      found.push(frame);
      at = frameEnd;
      continue;
    }
    const next = nextFrame(bytes, frameEnd, segment);
    if (next === null && !laterUsed) {
      return scanTail(bytes, at, head, frame, found);
    }
    if (frame !== null) {
      found.push(frame);
      at = frameEnd;
      continue;
    }
    const end = next ?? lastUsedBlock(bytes, at);
    if (end === at) break;
    found.push({ kind: 'gap', offset: at, end });
    at = end;
    if (next === null) break;
  }
  return { found, end: at, leftover: false, tailDamaged: false };
}

/** What stands at the end of the log, where a whole frame would be the next one and there is none. */
function scanTail(
  bytes: Buffer,
  at: number,
  head: FrameHead | null,
  frame: FoundFrame | null,
  found: (FoundFrame | FoundGap)[],
): SegmentScan {
  const torn = head === null ? !looksLikeHead(bytes, at) : showsUnwrittenSectors(bytes, head);
  if (torn) {
    return { found, end: at, leftover: !isZero(bytes, at, bytes.length), tailDamaged: false };
  }
  if (frame !== null && head !== null) {
    found.push(frame);
    const end = at + head.length;
    return { found, end, leftover: !isZero(bytes, end, bytes.length), tailDamaged: false };
  }
  const end = Math.max(lastUsedBlock(bytes, at), head === null ? 0 : at + head.length);
  found.push({ kind: 'gap', offset: at, end });
  return { found, end, leftover: false, tailDamaged: true };
}

/** True when a segment holds any frame, even a damaged one. */
export function holdsFrames(bytes: Buffer, segment: number): boolean {
  return nextFrame(bytes, blockBytes, segment) !== null;
}

/** The head of the frame that begins at `at`, from either of its ends. */
function findHead(bytes: Buffer, at: number, segment: number): FrameHead | null {
  const head = readHead(bytes, at, segment, front);
  if (head !== null) return head;
  for (let block = at; block < bytes.length; block += blockBytes) {
    if (readHead(bytes, block, segment, front) !== null) return null;
    const end = readHead(bytes, block + blockBytes - headBytes, segment, back);
    if (end !== null) return end.offset === at ? end : null;
  }
  return null;
}

/** Where the first frame at or behind `from` begins. */
function nextFrame(bytes: Buffer, from: number, segment: number): number | null {
  for (let block = from; block < bytes.length; block += blockBytes) {
    if (readHead(bytes, block, segment, front) !== null) return block;
    const end = readHead(bytes, block + blockBytes - headBytes, segment, back);
    if (end !== null && end.offset >= from) return end.offset;
  }
  return null;
}

function lastUsedBlock(bytes: Buffer, from: number): number {
  let end = roundUp(bytes.length, blockBytes);
  while (end > from && isZero(bytes, end - blockBytes, Math.min(end, bytes.length))) end -= blockBytes;
  return end;
}

function readFrame(bytes: Buffer, head: FrameHead): FoundFrame | null {
  const frontHead = readHead(bytes, head.offset, head.segment, front);
  const backHead = readHead(bytes, head.offset + head.length - headBytes, head.segment, back);
  const frontTable = readTable(bytes, head, front);
  const backTable = readTable(bytes, head, back);
  const records = decodeTable(frontTable ?? backTable ?? Buffer.alloc(0), head.records);
  if (records === null || (frontTable ?? backTable) === null) return null;
  const tables = {
    front: frontHead !== null && frontTable !== null,
    back: backHead !== null && backTable !== null,
  };
  return { kind: 'frame', head, records: readPayloads(bytes, head, records), tables };
}

function readPayloads(bytes: Buffer, head: FrameHead, records: readonly LogRecord[]): FoundRecord[] {
  let offset = head.offset + payloadStart(head.tableBytes);
  return records.map((record) => {
    if (record.kind !== 'batch') return { record, offset, batch: null };
    const found = { record, offset, batch: readBatch(bytes, offset, record) };
    offset += record.length;
    return found;
  });
}

/** The batch that a record speaks of, or null when other bytes stand there. */
function readBatch(bytes: Buffer, offset: number, record: BatchRecord): Batch | null {
  try {
    const batch = Batch.parse(bytes.subarray(offset, offset + record.length));
    const same =
      batch.shard === record.shard &&
      batch.term === record.term &&
      batch.firstLsn === record.firstLsn &&
      batch.lastLsn === record.lastLsn;
    return same ? batch : null;
  } catch (error) {
    if (error instanceof MalformedBytes) return null;
    throw error;
  }
}

function isWhole(frame: FoundFrame): boolean {
  return frame.records.every(({ record, batch }) => record.kind !== 'batch' || batch !== null);
}
