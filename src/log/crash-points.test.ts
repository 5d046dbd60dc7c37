import { describe, expect, it } from 'vitest';
import type { DiskFault, DiskOperation } from '../sim/memory-disk.ts';
import { fingerprint, imagesAfterPowerLoss, onlyDurable } from './crash-images-test-kit.ts';
import { HandDisk, SeededRandom } from './log-test-kit.ts';
import type { Operation } from './workload-test-kit.ts';
import { Workload } from './workload-test-kit.ts';

/**
 * Crash points, one after the other: work on the log is stopped after each file operation, and every disk that a loss of
 * power may leave there is opened by the production recovery. BELLWETHER_ROUNDS above 1 tears writes in more places and
 * takes that many orders of completion.
 */
const rounds = Number(process.env['BELLWETHER_ROUNDS'] ?? '1');
const thorough = rounds > 1;

/** Votes, appends over blocks, overwritten and cut tails, snapshots, checkpoints; segments fill and the first ones go. */
function* script(): Generator<Operation> {
  for (let round = 0; round < 9; round++) {
    yield { kind: 'vote', shard: round % 3 };
    yield { kind: 'append', shard: 0, entries: 3, bytes: 40 };
    yield { kind: 'flush' };
    yield { kind: 'append', shard: 1, entries: 1, bytes: 9_000 };
    yield { kind: 'complete', count: 2 };
    yield { kind: 'overwrite', shard: 0, back: 2, bytes: 300 };
    yield { kind: 'cut', shard: 1, back: 1 };
    yield { kind: 'append', shard: 1, entries: 2, bytes: 700 };
    yield { kind: 'flush' };
    yield { kind: 'complete', count: 3 };
    yield { kind: 'checkpoint', shard: 1, back: 1 };
    yield { kind: 'checkpoint', shard: 0, back: 2 };
    if (round === 2) yield { kind: 'reset', shard: 2, ahead: 100, keepSuffix: false };
    if (round === 3) yield { kind: 'reset', shard: 0, ahead: 2, keepSuffix: true };
    yield { kind: 'append', shard: 2, entries: 1, bytes: 12_000 };
    yield { kind: 'checkpoint', shard: 2, back: 0 };
    yield { kind: 'flush' };
    yield { kind: 'complete', count: 4 };
    yield { kind: 'append', shard: 1, entries: 1, bytes: 15_000 };
    yield { kind: 'flush' };
    yield { kind: 'tick' };
    yield { kind: 'complete', count: 50 };
    yield { kind: 'tick' };
    yield { kind: 'complete', count: 50 };
  }
}

type Order = (waiting: number) => number;
const firstFirst: Order = () => 0;
const lastFirst: Order = (waiting) => waiting - 1;

interface Step {
  readonly workload: Workload;
  /** Operations of the disk that have ended so far. */
  readonly point: number;
  readonly ended: string;
}

/** Runs the script and stops after each call into the log and after each operation that ends. */
function* steps(order: Order): Generator<Step> {
  const workload = new Workload(new HandDisk());
  const { hand } = workload;
  let point = 0;
  for (const operation of script()) {
    if (operation.kind !== 'complete') {
      workload.perform(operation);
      if (operation.kind === 'flush' || operation.kind === 'tick')
        yield { workload, point, ended: operation.kind };
      continue;
    }
    for (let i = 0; i < operation.count && hand.waiting.length > 0; i++) {
      const [next] = hand.waiting.splice(order(hand.waiting.length), 1);
      next?.complete();
      point += 1;
      yield { workload, point, ended: `${next?.operation.kind} ${next?.operation.path}` };
    }
  }
  workload.checkRunning();
}

/** Opens an image: everything that was reported is there, and nothing that was never queued. */
function checkImage(workload: Workload, image: HandDisk, further: boolean): void {
  const again = new Workload(image);
  const state = workload.check(again.hand, again.opened);
  if (!further) return;
  // What was shown stays, whatever is lost right behind.
  const next = new Workload(onlyDurable(again.hand), state);
  next.check(next.hand, next.opened);
  next.perform({ kind: 'append', shard: 0, entries: 1, bytes: 10 });
  next.perform({ kind: 'vote', shard: 1 });
  next.perform({ kind: 'flush' });
  next.hand.settle();
  next.checkRunning();
  const later = new Workload(onlyDurable(next.hand), state);
  next.check(later.hand, later.opened);
}

/** The power is lost once more, at each operation of the recovery. */
function checkInterruptedRecovery(workload: Workload, image: () => HandDisk): number {
  for (let stopAfter = 0; ; stopAfter++) {
    const interrupted = image();
    let begun = 0;
    interrupted.fault = () => (++begun > stopAfter ? 'hang' : null);
    try {
      new Workload(interrupted);
      return stopAfter;
    } catch (error) {
      expect((error as Error).message).toBe('the task waits for something that does not come');
    }
    for (const left of [onlyDurable(interrupted), interrupted.killed()]) {
      const again = new Workload(left);
      workload.check(again.hand, again.opened);
    }
  }
}

interface Summary {
  readonly points: number;
  readonly images: number;
}

/** Checks all images of all points in one order of completion. Returns how many different ones there were. */
function checkOrder(order: Order, seed: number): Summary {
  const random = new SeededRandom(seed);
  const seen = new Set<string>();
  const operations = new Set<string>();
  let points = 0;
  let interruptions = 0;
  for (const { workload, point, ended } of steps(order)) {
    points = point;
    operations.add(ended);
    const check = (image: HandDisk): void => {
      const name = `${workload.reported} ${fingerprint(image, ['log'])}`;
      if (seen.has(name)) return;
      seen.add(name);
      try {
        checkImage(workload, image, seen.size % (thorough ? 3 : 10) === 0);
        if (seen.size % (thorough ? 200 : 400) === 0)
          interruptions += checkInterruptedRecovery(workload, () => onlyDurable(workload.hand));
      } catch (error) {
        throw new Error(`seed ${seed}, crash after operation ${point} (${ended})`, { cause: error });
      }
    };
    check(workload.hand.killed());
    for (const image of imagesAfterPowerLoss(workload.hand, thorough, random)) check(image);
  }
  // The script must reach what it is meant to reach.
  for (const operation of ['rename log/0000000004.log.new', 'remove log/0000000002.log'])
    expect(operations).toContain(operation);
  console.log(
    `${points} crash points, ${seen.size} different images, ${interruptions} interrupted recoveries`,
  );
  return { points, images: seen.size };
}

describe('power lost at every point', () => {
  it('pitfall 07, 08: no image loses what was reported or shows what was never written, operations in order', () => {
    const { points, images } = checkOrder(firstFirst, 1);
    expect(points).toBeGreaterThan(150);
    expect(images).toBeGreaterThan(900);
  });

  it('nor when whatever began last ends first', () => {
    const { images } = checkOrder(lastFirst, 2);
    expect(images).toBeGreaterThan(900);
  });

  it.runIf(thorough)(
    'nor in other orders',
    () => {
      for (let seed = 3; seed < 3 + rounds; seed++) {
        const random = new SeededRandom(seed);
        checkOrder((waiting) => random.below(waiting), seed);
      }
    },
    900_000,
  );
});

type Hits = (operation: DiskOperation) => boolean;
const changing = new Set(['write', 'sync', 'truncate', 'rename', 'remove', 'syncDirectory']);

/** The nth operation that changes the disk fails. Null when there are not so many. */
function failAt(nth: number, fault: DiskFault, hits: Hits): Workload | null {
  const hand = new HandDisk();
  const workload = new Workload(hand);
  let counted = 0;
  hand.fault = (operation) => (hits(operation) && ++counted === nth ? fault : null);
  let reportedBefore = -1;
  for (const operation of script()) {
    workload.perform(operation);
    if (operation.kind === 'flush' || operation.kind === 'tick') hand.settle();
    const [error] = workload.opened.latched;
    if (error === undefined) continue;
    expect(error).toMatchObject({ code: 'BW_LOG_LATCHED' });
    if (reportedBefore === -1) reportedBefore = workload.reported;
    expect(workload.reported).toBe(reportedBefore);
  }
  hand.settle();
  if (counted < nth) return null;
  expect(workload.opened.latched, `operation ${nth} failed`).toHaveLength(1);
  expect(hand.waiting).toEqual([]);
  return workload;
}

describe('one operation fails', () => {
  const io = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  // A segment that cannot be prepared for want of space is no failure.
  const ofTheLog: Hits = ({ kind, path }) => kind === 'write' && !path.endsWith('.new');
  it.each<[string, DiskFault, Hits, number]>([
    ['anything, with an error', { error: io }, ({ kind }) => changing.has(kind), 100],
    ['a write, with fewer bytes written', { short: 512 }, ofTheLog, 25],
  ])('pitfall 01: %s: the log is latched, reports nothing more, and keeps what it reported', (...given) => {
    const [, fault, hits, atLeast] = given;
    let nth = 1;
    for (; ; nth++) {
      const workload = failAt(nth, fault, hits);
      if (workload === null) break;
      for (const image of [onlyDurable(workload.hand), workload.hand.killed()])
        checkImage(workload, image, true);
    }
    expect(nth).toBeGreaterThan(atLeast);
  });
});
