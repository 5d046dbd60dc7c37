import { expect, test } from 'vitest';
import type { Task } from '../env/task.ts';
import { stepVoid } from '../env/task.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { ReplicaContext } from './replica-context.ts';
import { SnapshotSender } from './snapshot-sender.ts';

const checkpoint = { term: 1, lsn: 10 };

function sender() {
  const state = { nowMs: 0, gone: false };
  const sizes: number[] = [];
  const context = {
    options: { snapshotPieceBytes: 4 },
    clock: { monotonicMs: () => state.nowMs },
    logger: { debug: () => {}, warn: () => {} },
    peers: {
      send: (_to: string, _shard: number, chunk: { totalBytes: number }) => sizes.push(chunk.totalBytes),
    },
    checkpoints: {
      *readPiece(): Task<{ bytes: Buffer; totalBytes: number } | null> {
        yield* stepVoid((done) => done(null));
        return state.gone ? null : { bytes: Buffer.alloc(4), totalBytes: 8 };
      },
    },
    touched: () => {},
  } as unknown as ReplicaContext;
  const made = new SnapshotSender(1, context, { latest: null } as unknown as Checkpointer);
  const ask = (follower: string, offset: number): void =>
    made.answer(follower, { kind: 'snapshotRequest', term: 1, checkpoint, offset, maxBytes: 4 });
  return { sender: made, state, sizes, ask };
}

test('pitfall 20: a follower is held to the checkpoint that it is fetching, until it has had time to put it in place', () => {
  const { sender: made, state, ask } = sender();
  expect(made.sendingTo('b')).toBeNull();
  ask('b', 0);
  expect(made.sendingTo('b')).toEqual(checkpoint);
  expect(made.sendingTo('c')).toBeNull();
  expect(made.isSending(checkpoint)).toBe(true);
  ask('b', 4);
  state.nowMs = 30_000;
  expect(made.sendingTo('b')).toEqual(checkpoint);
  state.nowMs = 70_000;
  expect(made.isSending(checkpoint)).toBe(false);
});

test('a follower that stopped asking, or whose checkpoint is gone, may be offered another', () => {
  const { sender: made, state, sizes, ask } = sender();
  ask('b', 0);
  state.nowMs = 6000;
  expect(made.sendingTo('b')).toBeNull();
  state.gone = true;
  ask('b', 4);
  expect(made.sendingTo('b')).toBeNull();
  expect(sizes).toEqual([8, 0]);
});

test('pitfall 22: one follower at a time: another is told to wait until the last piece has left', () => {
  const { sizes, ask } = sender();
  ask('b', 0);
  ask('c', 0);
  ask('b', 4);
  ask('c', 0);
  expect(sizes).toEqual([8, -1, 8, 8]);
});
