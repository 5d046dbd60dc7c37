import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandDisk, SeededRandom } from './log-test-kit.ts';
import type { Operation } from './workload-test-kit.ts';
import { Workload } from './workload-test-kit.ts';

/** A workload that goes over several segments, with cuts, votes, resets and checkpoints. */
function* script(): Generator<Operation> {
  for (let round = 0; round < 7; round++) {
    yield { kind: 'vote', shard: round % 3 };
    yield { kind: 'append', shard: 0, entries: 3, bytes: 40 };
    yield { kind: 'append', shard: 1, entries: 1, bytes: 9_000 };
    yield { kind: 'flush' };
    yield { kind: 'append', shard: 2, entries: 2, bytes: 700 };
    yield { kind: 'complete', count: 2 };
    yield { kind: 'overwrite', shard: 0, back: 2, bytes: 300 };
    yield { kind: 'flush' };
    yield { kind: 'cut', shard: 2, back: 1 };
    yield { kind: 'append', shard: 2, entries: 1, bytes: 600 };
    yield { kind: 'complete', count: 3 };
    yield { kind: 'checkpoint', shard: 1, back: 1 };
    yield { kind: 'checkpoint', shard: 0, back: 3 };
    yield { kind: 'flush' };
    yield { kind: 'complete', count: 20 };
    if (round === 3) yield { kind: 'reset', shard: 2, ahead: 100, keepSuffix: false };
    if (round === 4) yield { kind: 'reset', shard: 0, ahead: 4, keepSuffix: true };
    yield { kind: 'append', shard: 1, entries: 1, bytes: 12_000 };
    yield { kind: 'flush' };
    yield { kind: 'complete', count: 4 };
    yield { kind: 'tick' };
    yield { kind: 'complete', count: 30 };
  }
}

/** Every prefix of the disk's operations: each `complete` is one operation. */
function* singleSteps(): Generator<Operation> {
  for (const operation of script()) {
    if (operation.kind !== 'complete') yield operation;
    else for (let i = 0; i < operation.count; i++) yield { kind: 'complete', count: 1 };
  }
}

/** Opens what a crash left, lets the log go on, and looks once more. */
function checkImage(workload: Workload, image: HandDisk, random: SeededRandom): void {
  const again = openedAfterCrashes(image, random);
  const state = workload.check(again.hand, again.opened);
  // What was shown once must stay, even when power is lost right away.
  const next = new Workload(random.below(2) === 0 ? again.hand.killed() : again.hand.crashed(random), state);
  next.check(next.hand, next.opened);
  next.perform({ kind: 'append', shard: 0, entries: 1, bytes: 10 });
  next.perform({ kind: 'vote', shard: 1 });
  next.perform({ kind: 'flush' });
  next.hand.settle();
  next.checkRunning();
  const later = new Workload(next.hand.crashed(random), state);
  next.check(later.hand, later.opened);
}

/** Opening may be interrupted too: half of the times power is lost once more on the way. */
function openedAfterCrashes(image: HandDisk, random: SeededRandom): Workload {
  if (random.below(2) === 0) return new Workload(image);
  const stopAfter = random.below(30);
  let operations = 0;
  image.fault = () => (++operations > stopAfter ? 'hang' : null);
  try {
    const workload = new Workload(image);
    image.fault = () => null;
    return workload;
  } catch {
    return new Workload(image.crashed(random));
  }
}

describe('a crash at any point', () => {
  it('pitfall 02, 06, 08, 11: loses nothing that was reported and invents nothing', () => {
    const random = new SeededRandom(1);
    const workload = new Workload(new HandDisk());
    let images = 0;
    for (const operation of singleSteps()) {
      workload.perform(operation);
      if (operation.kind !== 'complete' && operation.kind !== 'flush') continue;
      for (let i = 0; i < 3; i++) {
        const image = i === 0 ? workload.hand.killed() : workload.hand.crashed(random);
        checkImage(workload, image, random);
        images += 1;
      }
    }
    workload.checkRunning();
    expect(images).toBeGreaterThan(500);
    expect(workload.opened.latched).toEqual([]);
  });
});

const shard = fc.integer({ min: 0, max: 2 });
const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      shard,
      entries: fc.integer({ min: 1, max: 4 }),
      bytes: fc.constantFrom(0, 30, 480, 5_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('newTerm' as const), shard }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('overwrite' as const),
      shard,
      back: fc.nat(5),
      bytes: fc.constantFrom(0, 200, 4_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), shard, back: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reset' as const),
      shard,
      ahead: fc.integer({ min: 1, max: 20 }),
      keepSuffix: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), shard, back: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('vote' as const), shard }) },
  { weight: 5, arbitrary: fc.constant<Operation>({ kind: 'flush' }) },
  { weight: 2, arbitrary: fc.constant<Operation>({ kind: 'tick' }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('complete' as const), count: fc.nat(12) }) },
);

describe('any order of appends, cuts, resets, votes, flushes and restarts', () => {
  it('pitfall 06: gives the log that a plain model gives', () => {
    const life = fc.record({
      operations: fc.array(anyOperation, { minLength: 1, maxLength: 60 }),
      end: fc.constantFrom('crash', 'kill', 'settle'),
    });
    fc.assert(
      fc.property(fc.array(life, { minLength: 1, maxLength: 4 }), fc.integer(), (lives, seed) => {
        const random = new SeededRandom(seed);
        let workload = new Workload(new HandDisk());
        for (const { operations, end } of lives) {
          for (const operation of operations) workload.perform(operation);
          workload.checkRunning();
          if (end === 'settle') {
            workload.perform({ kind: 'flush' });
            workload.hand.settle();
          }
          const image = end === 'crash' ? workload.hand.crashed(random) : workload.hand.killed();
          const opened = new Workload(image);
          const state = workload.check(opened.hand, opened.opened);
          workload = new Workload(opened.hand.crashed(random), state);
          workload.check(workload.hand, workload.opened);
        }
      }),
      { numRuns: 150 },
    );
  });
});
