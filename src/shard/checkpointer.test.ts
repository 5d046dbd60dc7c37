import { expect, test } from 'vitest';
import type { Task } from '../env/task.ts';
import { stepVoid } from '../env/task.ts';
import type { CheckpointId, Manifest } from '../state/checkpoint-store.ts';
import { Checkpointer } from './checkpointer.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

function at(lsn: number): CheckpointId {
  return { shard: 1, term: 1, lsn };
}

/** @param writing what the writing of a checkpoint waits for */
function checkpointer(
  writing: (done: () => void) => void = (done) => done(),
  pinned = 0,
): {
  made: Checkpointer;
  removed: number[];
  cut: (lsn: number) => void;
} {
  const removed: number[] = [];
  function* written(): Task<void> {
    yield* stepVoid((done) => writing(() => done(null)));
  }
  function* nothing(): Task<void> {
    yield* stepVoid((done) => done(null));
  }
  const core = {
    commit: 1000,
    flushed: 1000,
    timeMs: 0,
    memberships: { at: () => ({}) },
    log: { runsThrough: () => [] },
  };
  const slices = { next: () => null, digest: '', keys: 0, abandon: () => {} };
  const replica = { shard: 1, core, keyspace: { beginCheckpoint: () => slices } };
  const context = {
    clock: { monotonicMs: () => 0 },
    logger: { info: () => {}, warn: () => {} },
    log: { checkpointed: () => {}, pinnedBytes: () => pinned },
    options: { checkpointBytes: 1600, checkpointMs: 1e9 },
    checkpoints: {
      *create() {
        yield* nothing();
        yield* written();
        return { write: nothing, finish: written, abandon: nothing };
      },
      *remove(id: CheckpointId) {
        removed.push(id.lsn);
        yield* nothing();
      },
    },
    encodeMembership: () => Buffer.alloc(0),
    touched: () => {},
  };
  const made = new Checkpointer(replica as unknown as Replica, context as unknown as ReplicaContext);
  return { made, removed, cut: (lsn) => made.begin({ term: 1, lsn }) };
}

function manifest(lsn: number): Manifest {
  return { ...at(lsn), terms: [], membership: '', digest: '', keys: 0, timeMs: 0 };
}

test('the latest checkpoint and the one before it stay', () => {
  const { made, removed, cut } = checkpointer();
  for (const lsn of [10, 20, 30, 40]) cut(lsn);
  expect(made.latest?.lsn).toBe(40);
  expect(removed).toEqual([10, 20]);
});

test('checkpoints of earlier lives of the process go too', () => {
  const { made, removed, cut } = checkpointer();
  made.found([at(30), at(20), at(10)], manifest(30));
  cut(40);
  expect(removed).toEqual([10, 20]);
});

test('a checkpoint that a snapshot replaced goes with the next one', () => {
  const { made, removed, cut } = checkpointer();
  made.found([at(10)], manifest(10));
  made.adopt(manifest(50), Buffer.alloc(0));
  cut(60);
  expect(removed).toEqual([10]);
});

test('a checkpoint that takes the place of a damaged one stays', () => {
  const { made, removed, cut } = checkpointer();
  made.found([at(30), at(20)], manifest(20));
  cut(30);
  expect(made.latest?.lsn).toBe(30);
  expect(removed).toEqual([]);
  cut(40);
  expect(removed).toEqual([20]);
});

test('a checkpoint that is being sent stays until it has been', () => {
  const { made, removed, cut } = checkpointer();
  let sent: number | null = 10;
  made.isSent = ({ lsn }) => lsn === sent;
  for (const lsn of [10, 20, 30, 40]) cut(lsn);
  expect(removed).toEqual([20]);
  sent = null;
  cut(50);
  expect(removed).toEqual([20, 10, 30]);
});

test('a checkpoint that somebody needs is cut once, unless the one under way is too old', () => {
  const waiting: (() => void)[] = [];
  const { made, cut } = checkpointer((done) => void waiting.push(done));
  expect(made.isDue(0)).toBe(false);
  made.want(10);
  expect(made.isDue(0)).toBe(true);
  cut(12);
  made.want(10);
  // It is written, then its manifest is.
  waiting.shift()?.();
  expect(made.running).toBe(false);
  made.want(12);
  expect(made.isDue(0)).toBe(false);
  waiting.shift()?.();
  expect(made.latest?.lsn).toBe(12);
  expect(made.isDue(0)).toBe(false);
  cut(20);
  made.want(21);
  expect(made.isDue(0), 'one at a time').toBe(false);
  for (const done of waiting.splice(0)) done();
  expect(made.isDue(0)).toBe(true);
  cut(30);
  made.abandon();
  made.want(30);
  for (const done of waiting.splice(0)) done();
  expect(made.isDue(0), 'what was abandoned is none').toBe(true);
});

test('a shard in which little happens is checkpointed when it keeps much log of others', () => {
  const due = (pinned: number, own: number, now = 5000): boolean => {
    const { made } = checkpointer(undefined, pinned);
    made.logged(own);
    return made.isDue(now);
  };
  expect(due(6400, 0)).toBe(false);
  expect(due(6401, 0)).toBe(true);
  expect(due(6401, 99)).toBe(true);
  expect(due(6401, 100)).toBe(false);
  expect(due(0, 1600)).toBe(true);
  // It looks now and then only.
  expect(due(6401, 0, 900)).toBe(false);
});
