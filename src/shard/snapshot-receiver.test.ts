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
    discard: () => noted('discard', true),
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
      log: { holds: () => false },
      snapshotInstalled: () => seen.push('told the core'),
    },
    checkpointer: { abandon: () => {}, adopt: () => {} },
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
        return { membership: '', lsn: 200, term: 2, keys: 0, digest: '' };
      },
    },
    decodeMembership: () => ({ voters: [], learners: [] }),
    touched: () => {},
  };
  const receiver = new SnapshotReceiver(replica as unknown as Replica, context as unknown as ReplicaContext);
  receiver.fetch('b', checkpoint);
  const bytes = Buffer.from('all of it');
  receiver.arrived('b', {
    kind: 'snapshotChunk',
    term: 2,
    checkpoint,
    offset: 0,
    totalBytes: bytes.length,
    bytes,
  });
  return { receiver, replica, seen };
}

test('a snapshot that has arrived takes the place of state and log', () => {
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

test('a snapshot waits while the state is being rebuilt', () => {
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
