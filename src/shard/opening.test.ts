import { expect, test } from 'vitest';
import { runTask } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import { openReplicaState } from './opening.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** Opens a replica with a log behind LSN 10, whose only checkpoint cannot be loaded for this reason. */
function opened(reason: Error): { error: Error | null; resets: number } {
  let resets = 0;
  let problem: Error | null = null;
  const position = { term: 1, lsn: 10 };
  const replica = {
    shard: 1,
    keyspace: { restore: () => ({ finish: () => {} }) },
    checkpointer: { found: () => {} },
  };
  const context = {
    self: 'a',
    clock: { monotonicMs: () => 0 },
    logger: { warn: () => {} },
    checkpoints: {
      *list() {
        return [{ shard: 1, ...position }];
      },
      path: () => 'it',
      *load() {
        throw reason;
      },
    },
    log: {
      inDoubt: () => {},
      reset: () => {
        resets += 1;
      },
    },
  };
  const recovered = {
    base: position,
    last: { term: 1, lsn: 20 },
    hardState: { term: 1, vote: null },
    terms: [],
    memberships: [],
    damage: null,
  };
  const voters = { voters: ['a', 'b', 'c'], learners: [] };
  const task = openReplicaState(
    replica as unknown as Replica,
    context as unknown as ReplicaContext,
    recovered as unknown as Parameters<typeof openReplicaState>[2],
    voters,
    false,
  );
  runTask(task, (error) => {
    problem = error;
  });
  return { error: problem, resets };
}

test('a checkpoint that the disk does not give out now costs no log: the replica does not open', () => {
  const { error, resets } = opened(new Error('EIO: i/o error'));
  expect(error?.message).toBe('EIO: i/o error');
  expect(resets).toBe(0);
});

test('a checkpoint that is damaged is done without: the log that it carried is void', () => {
  const damaged = new BellwetherError('BW_CHECKPOINT_DAMAGED', 'it is damaged', 'Nothing has to be done.');
  expect(opened(damaged)).toEqual({ error: null, resets: 1 });
});
