import { expect, test } from 'vitest';
import { Batch, BatchBuilder, entryKind } from '../log/batch.ts';
import { Applier } from './applier.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

function batchAt(lsn: number): Batch {
  const builder = new BatchBuilder(1);
  builder.begin(entryKind.effects, 0);
  builder.end();
  return Batch.parse(builder.seal(1, lsn, 0).bytes);
}

test('pitfall 21, 30: entries that come from disk while a snapshot replaces the state are not applied to it', () => {
  const applied: number[] = [];
  const reads: ((error: Error | null, batches: Batch[]) => void)[] = [];
  const replica = {
    shard: 1,
    serving: false,
    historyReached: () => {},
    receiving: false,
    core: { commit: 5 },
    keyspace: {
      appliedLsn: 4,
      applyEntry: (_bytes: Buffer, _start: number, _end: number, lsn: number) => applied.push(lsn),
    },
  };
  const context = {
    log: {
      cached: () => null,
      read: (_shard: number, _lsn: number, _max: number, done: (typeof reads)[number]) => reads.push(done),
    },
    touched: () => {},
  };
  const applier = new Applier(replica as unknown as Replica, context as unknown as ReplicaContext);
  applier.step();
  replica.receiving = true;
  reads[0]?.(null, [batchAt(5)]);
  expect(applied).toEqual([]);
  replica.receiving = false;
  applier.step();
  reads[1]?.(null, [batchAt(5)]);
  expect(applied).toEqual([5]);
});

test('pitfall 36: what is not committed is not applied, though it lies in one batch with what is', () => {
  const builder = new BatchBuilder(1);
  for (let i = 0; i < 4; i++) {
    builder.begin(entryKind.effects, 0);
    builder.end();
  }
  const batch = Batch.parse(builder.seal(1, 4, 1000).bytes);
  builder.begin(entryKind.effects, 0);
  builder.end();
  const next = Batch.parse(builder.seal(1, 8, 2000).bytes);
  const applied: number[] = [];
  const keyspace = {
    appliedLsn: 3,
    applyEntry: (_bytes: Buffer, _start: number, _end: number, lsn: number) => {
      applied.push(lsn);
      keyspace.appliedLsn = lsn;
    },
  };
  const core = { commit: 3, lastLsn: 8 };
  let historyMs = 0;
  const historyReached = (ms: number): void => {
    historyMs = ms;
  };
  const replica = { shard: 1, serving: false, receiving: false, core, keyspace, historyReached };
  const context = { log: { cached: () => [batch, next] }, touched: () => {} };
  const applier = new Applier(replica as unknown as Replica, context as unknown as ReplicaContext);
  applier.step();
  expect(applied).toEqual([]);
  expect(historyMs).toBe(0);
  core.commit = 5;
  applier.step();
  expect(applied).toEqual([4, 5]);
  core.commit = 7;
  applier.step();
  expect(applied).toEqual([4, 5, 6, 7]);
  // The time of what is not committed is no history either.
  expect(historyMs).toBe(1000);
});

test('a state that is read again from its checkpoint is of the time of that checkpoint', () => {
  let historyMs = 2000;
  const replica = {
    shard: 1,
    receiving: false,
    core: { unfitToLead: false },
    watches: { stateReplaced: () => {} },
    keyspace: { appliedLsn: 9, restore: () => ({ finish: () => {} }) },
    checkpointer: {
      latest: { term: 1, lsn: 9 },
      latestManifest: { timeMs: 1000 },
      abandon: () => {},
    },
    historyIs: (ms: number) => {
      historyMs = ms;
    },
  };
  const context = {
    checkpoints: { path: () => 'it', *load() {} },
    logger: { info: () => {} },
    touched: () => {},
    fatal: (error: Error) => {
      throw error;
    },
  };
  new Applier(replica as unknown as Replica, context as unknown as ReplicaContext).rebuild();
  expect(historyMs).toBe(1000);
});
