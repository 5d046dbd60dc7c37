import type { Disk } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { LogRecord } from './record.ts';
import { SegmentReader, segmentName, segmentNumber } from './segment.ts';
import { scanSegment } from './segment-scan.ts';

/** One record, with the write that put it on disk. */
export interface DecodedRecord {
  /** Path of the segment file, below the disk's root. */
  readonly file: string;
  /** Offset of the write in the file; for a batch, of its bytes. */
  readonly offset: number;
  /** Number of the write, 1, 2, 3 … over the whole log. */
  readonly write: number;
  /** Wall clock of the write, ms since the epoch. */
  readonly wallMs: number;
  readonly record: LogRecord;
  /** The batch of a batch record; null when it is damaged. A view that is valid until the visitor returns. */
  readonly batch: Batch | null;
}

/**
 * Shows every record of a log directory, oldest first, to a visitor until it answers false. Only reads, so it works
 * beside the running node: a write that is on its way is not shown. Returns notes on what could not be read.
 */
export function* decodeLog(
  disk: Disk,
  directory: string,
  visit: (item: DecodedRecord) => boolean,
): Task<string[]> {
  const names = yield* step<string[]>((done) => disk.list(directory, done));
  const notes: string[] = [];
  const reader = new SegmentReader(disk, directory, notes);
  for (const name of names) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const file = `${directory}/${segmentName(number)}`;
    const bytes = yield* readOrNote(reader, number, file, notes);
    if (bytes !== null && !show(bytes, number, file, notes, visit)) return notes;
  }
  return notes;
}

/** The bytes, or null with a note when the file is gone: the node drops segments while this runs. */
function* readOrNote(
  reader: SegmentReader,
  number: number,
  file: string,
  notes: string[],
): Task<Buffer | null> {
  try {
    return yield* reader.read(number);
  } catch (error) {
    if (error instanceof BellwetherError) throw error;
    notes.push(`${file}: ${(error as Error).message}`);
    return null;
  }
}

function show(
  bytes: Buffer,
  number: number,
  file: string,
  notes: string[],
  visit: (item: DecodedRecord) => boolean,
): boolean {
  for (const item of scanSegment(bytes, number, false).found) {
    if (item.kind === 'gap') {
      notes.push(`${file} at offset ${item.offset}: ${item.end - item.offset} bytes cannot be read`);
      continue;
    }
    const { sequence, wallMs } = item.head;
    for (const { record, offset, batch } of item.records) {
      const at = record.kind === 'batch' ? offset : item.head.offset;
      if (!visit({ file, offset: at, write: sequence, wallMs, record, batch })) return false;
    }
  }
  return true;
}
