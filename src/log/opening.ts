import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step, stepVoid } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import { blockBytes, roundUp } from './frame.ts';
import type { RecoveredSegment, Recovery, Repair } from './recovery.ts';
import { recoverLog } from './recovery.ts';
import { maxSegmentBytes, partialSuffix, segmentName, writeAll } from './segment.ts';
import type { LiveSegment } from './segment-pool.ts';
import { liveSegment, prepareSegment, SpaceShort } from './segment-pool.ts';
import type { NodeLogOptions } from './types.ts';
import { ZeroingPace } from './zeroing-pace.ts';

/** What a log goes on from: everything on disk is as `recovery` says, durably. */
export interface StartingPoint {
  readonly recovery: Recovery;
  readonly segments: {
    readonly older: LiveSegment[];
    readonly current: LiveSegment;
    readonly spares: LiveSegment[];
    readonly nextNumber: number;
  };
  /** The first write must repeat what every shard is. */
  readonly openingWanted: boolean;
}

const zeroStepBytes = 1 << 20;
const smallestSegmentBytes = 64 << 10;

/** Recovers the log, puts its end in order, and finds or makes the segment to go on in. */
export function* prepareDirectory(
  disk: Disk,
  directory: string,
  options: NodeLogOptions,
): Task<StartingPoint> {
  const { segmentBytes } = options;
  if (
    segmentBytes % blockBytes !== 0 ||
    segmentBytes < smallestSegmentBytes ||
    segmentBytes > maxSegmentBytes
  ) {
    throw new BellwetherError(
      'BW_CONFIG_INVALID',
      `a segment of ${segmentBytes} bytes`,
      `Choose a multiple of ${blockBytes} from ${smallestSegmentBytes} to ${maxSegmentBytes}.`,
    );
  }
  yield* makeDirectory(disk, directory);
  const recovery = yield* recoverLog(disk, directory);
  for (const repair of recovery.repairs) yield* putRight(disk, directory, repair);
  const spares = yield* takeSpares(disk, directory, recovery.spares, segmentBytes);
  const numbers = [...recovery.used, ...recovery.spares].map((segment) => segment.number);
  let nextNumber = Math.max(0, ...numbers) + 1;
  const older = recovery.used.map((segment) => recoveredSegment(segment, null));
  let current: LiveSegment | undefined;
  const last = recovery.used[recovery.used.length - 1];
  if (last !== undefined && !recovery.tailDamaged) {
    older.pop();
    current = recoveredSegment(last, yield* openDurable(disk, directory, last.number));
  } else {
    current = spares.shift();
    current ??= yield* firstSegment(disk, directory, nextNumber++, options);
  }
  const fresh = [...recovery.shards.values()].some((shard) => shard.fresh);
  const openingWanted = fresh || current.number !== last?.number;
  return { recovery, segments: { older, current, spares, nextNumber }, openingWanted };
}

/** The directory itself, and no half-made segments in it. */
function* makeDirectory(disk: Disk, directory: string): Task<void> {
  yield* stepVoid((done) => disk.makeDirectory(directory, done));
  const parent = directory.includes('/') ? directory.slice(0, directory.lastIndexOf('/')) : '';
  yield* stepVoid((done) => disk.syncDirectory(parent, done));
  const names = yield* step<string[]>((done) => disk.list(directory, done));
  for (const name of names) {
    if (name.endsWith(partialSuffix)) yield* stepVoid((done) => disk.remove(`${directory}/${name}`, done));
  }
  yield* stepVoid((done) => disk.syncDirectory(directory, done));
}

function* openDurable(disk: Disk, directory: string, number: number): Task<DiskFile> {
  const path = `${directory}/${segmentName(number)}`;
  return (yield* step<DiskFile | null>((done) => disk.open(path, 'durable', done))) as DiskFile;
}

function* putRight(disk: Disk, directory: string, repair: Repair): Task<void> {
  const file = yield* openDurable(disk, directory, repair.segment);
  try {
    if (repair.bytes !== null) {
      yield* writeAll(file, repair.bytes, repair.offset);
      return;
    }
    const size = yield* step<number>((done) => file.size(done));
    const zeros = Buffer.alloc(zeroStepBytes);
    for (let at = repair.offset; at < size; at += zeroStepBytes) {
      yield* writeAll(file, zeros.subarray(0, Math.min(zeroStepBytes, size - at)), at);
    }
  } finally {
    yield* stepVoid((done) => file.close(done));
  }
}

/** Spares of the configured size; others, made under another configuration, are removed. */
function* takeSpares(
  disk: Disk,
  directory: string,
  found: readonly RecoveredSegment[],
  segmentBytes: number,
): Task<LiveSegment[]> {
  const spares: LiveSegment[] = [];
  for (const spare of found) {
    if (spare.fileBytes === segmentBytes && spares.length === 0) {
      spares.push(recoveredSegment(spare, yield* openDurable(disk, directory, spare.number)));
    } else {
      yield* stepVoid((done) => disk.remove(`${directory}/${segmentName(spare.number)}`, done));
      yield* stepVoid((done) => disk.syncDirectory(directory, done));
    }
  }
  return spares;
}

function recoveredSegment(segment: RecoveredSegment, file: DiskFile | null): LiveSegment {
  const live = liveSegment(segment.number, segment.fileBytes, file);
  live.end = roundUp(Math.max(segment.end, blockBytes), blockBytes);
  live.newestMs = segment.newestMs;
  return live;
}

function* firstSegment(
  disk: Disk,
  directory: string,
  number: number,
  options: NodeLogOptions,
): Task<LiveSegment> {
  try {
    const { segmentBytes, reserveBytes } = options;
    const atOnce = new ZeroingPace();
    atOnce.hurry();
    return yield* prepareSegment(disk, directory, number, segmentBytes, reserveBytes, atOnce);
  } catch (error) {
    if (!(error instanceof SpaceShort)) throw error;
    throw new BellwetherError(
      'BW_DISK_FULL',
      `there is no room for a log segment of ${options.segmentBytes} bytes in ${directory} (${error.message})`,
      'Free some space, then start again.',
    );
  }
}
