import { expect, test } from 'vitest';
import type { Task } from '../env/task.ts';
import { stepVoid } from '../env/task.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';

const checkpoint = { term: 2, lsn: 200 };

interface Trial {
  /** The state is being read again from the last checkpoint. */
  restoring?: boolean;
  /** The disk fails when the snapshot is to become a checkpoint. */
  installFails?: boolean;
  /** What has arrived does not hold together, and the file cannot be removed. */
  damaged?: boolean;
  /** What it is committed up to when the last piece arrives. */
  commit?: number;
  /** It leads by then. */
  leads?: boolean;
  /** In how many pieces the snapshot comes; the first one has arrived. */
  pieces?: number;
}

/** A follower at LSN 100 that has been offered a checkpoint of one piece and got it. */
function fetched(trial: Trial) {
  const seen: string[] = [];
  function* noted(what: string, fails = false): Task<void> {
    seen.push(what);
    yield* stepVoid((done) => done(fails ? new Error('no space') : null));
  }
  const incoming = {
    path: 'incoming',
    received: 0,
    *write(bytes: Buffer) {
      incoming.received += bytes.length;
      yield* noted('write');
    },
    close: () => noted('close'),
    install: () => noted('install', trial.installFails),
    discard: () => noted('discard', trial.damaged),
  };
  const replica = {
    shard: 1,
    restoring: trial.restoring ?? false,
    keyspace: { restore: () => ({}) },
    core: {
      commit: 100,
      term: 2,
      leader: 'b',
      leadership: null,
      unfitToLead: false,
      log: { holds: () => false, learn: () => {} },
      snapshotInstalled: () => seen.push('told the core'),
    },
    checkpointer: { abandon: () => {}, adopt: () => {} },
    historyIs: () => {},
    watches: { stateReplaced: () => {} },
    rebuild: () => seen.push('rebuild'),
  };
  const context = {
    options: { snapshotPieceBytes: 1 << 20 },
    clock: { monotonicMs: () => 0 },
    logger: { info: () => {}, warn: () => {} },
    peers: { send: () => true },
    log: { reset: () => seen.push('reset the log') },
    checkpoints: {
      *receive() {
        yield* noted('open');
        return incoming;
      },
      *load() {
        yield* noted('load', trial.damaged);
        return { terms: [], membership: '', lsn: 200, term: 2, keys: 0, digest: '' };
      },
    },
    decodeMembership: () => ({ voters: [], learners: [] }),
    touched: () => {},
  };
  const receiver = new SnapshotReceiver(replica as unknown as Replica, context as unknown as ReplicaContext);
  receiver.fetch('b', checkpoint);
  Object.assign(replica.core, { commit: trial.commit ?? 100, leadership: trial.leads === true ? {} : null });
  const bytes = Buffer.from('all of it');
  receiver.arrived('b', {
    kind: 'snapshotChunk',
    term: 2,
    checkpoint,
    offset: 0,
    totalBytes: bytes.length * (trial.pieces ?? 1),
    bytes,
  });
  return { receiver, replica, seen };
}

test('pitfall 21: a snapshot that has arrived takes the place of state and log', () => {
  const { receiver, seen } = fetched({});
  expect(seen).toEqual(['open', 'write', 'load', 'install', 'reset the log', 'told the core']);
  expect(receiver.installing).toBe(false);
});

test('a disk that fails while a snapshot is put in place does not stop the replica for ever', () => {
  const { receiver, seen } = fetched({ installFails: true });
  expect(receiver.installing).toBe(false);
  expect(seen).toContain('rebuild');
  expect(seen).not.toContain('reset the log');
  receiver.fetch('b', checkpoint);
  expect(seen.filter((what) => what === 'open')).toHaveLength(2);
});

test('pitfall 21: a snapshot waits while the state is being rebuilt', () => {
  const { receiver, replica, seen } = fetched({ restoring: true });
  expect(receiver.installing).toBe(false);
  expect(seen).toEqual(['open', 'write']);
  replica.restoring = false;
  receiver.tick(10);
  expect(seen).toEqual(['open', 'write', 'load', 'install', 'reset the log', 'told the core']);
});

test('a damaged snapshot that cannot be removed does not stop the replica for ever', () => {
  const { receiver, seen } = fetched({ damaged: true });
  expect(receiver.installing).toBe(false);
  expect(seen).toContain('rebuild');
  receiver.fetch('b', checkpoint);
  expect(seen.filter((what) => what === 'open')).toHaveLength(2);
});

test.each([{ commit: 200 }, { commit: 250 }, { leads: true }])(
  'pitfall 30: a snapshot that is of no use any more when it has arrived is dropped: %j',
  (trial) => {
    const { receiver, seen } = fetched(trial);
    expect(receiver.installing).toBe(false);
    expect(seen).toEqual(['open', 'write', 'discard']);
  },
);

test('pitfall 22: pieces of a leader of the past are not awaited any more when another one leads', () => {
  const { receiver, replica, seen } = fetched({ pieces: 2 });
  expect(seen).toEqual(['open', 'write']);
  receiver.tick(999);
  replica.core.leader = 'c';
  receiver.tick(1000);
  expect(seen).toEqual(['open', 'write', 'close']);
  receiver.fetch('c', { term: 3, lsn: 300 });
  expect(seen.at(-1)).toBe('open');
});
