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

function checkpointer(): { made: Checkpointer; removed: number[]; cut: (lsn: number) => void } {
  const removed: number[] = [];
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
    log: { checkpointed: () => {} },
    checkpoints: {
      *create() {
        yield* nothing();
        return { write: nothing, finish: nothing, abandon: nothing };
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
