import { expect, test } from 'vitest';
import { TermIndex } from '../core/term-index.ts';
import type { AckPolicy } from './ack-policy.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';
import { ReplicaReads } from './replica-reads.ts';
import { SessionReads } from './session-reads.ts';

const policy: AckPolicy = { who: 'majority', stage: 'flushed', timeoutMs: 0 };

/** A replica in term 3, whose entries up to LSN 50 are of term 1 and later ones of term 3, and one connection to it. */
function connection(options: { serving?: boolean; applied?: number } = {}) {
  const { serving = false, applied = 80 } = options;
  const log = new TermIndex({ term: 0, lsn: 0 }, [], 0);
  log.append(1, 1, 50);
  log.append(3, 51, 100);
  const sent: unknown[] = [];
  const replica = {
    shard: 0,
    serving,
    rebuilding: false,
    lastLsn: 103,
    keyspace: { appliedLsn: applied },
    core: {
      term: 3,
      leader: 'b',
      lastLsn: 100,
      commit: 80,
      log,
      leadership: serving ? { startedMs: 500 } : null,
    },
    send: (_to: string, message: unknown) => void sent.push(message),
  };
  const context = {
    random: { float: () => 0 },
    self: serving ? 'b' : 'a',
    options: { core: { heartbeatMs: 50 } },
    touched: () => {},
  };
  const known = new ReplicaReads(replica as unknown as Replica, context as unknown as ReplicaContext);
  const whole = Object.assign(replica, { reads: known }) as unknown as Replica;
  const metadata = { epoch: 0 };
  const reads = new SessionReads(() => metadata.epoch);
  const admit = (sentByMs = 1000, now = 1000) => reads.admit(whole, serving, sentByMs, () => now);
  return { replica, known, reads, admit, sent, whole, metadata };
}

test('a strict read on a follower waits for an answer to a question that was asked after it came', () => {
  const { known, reads, admit, sent } = connection();
  reads.setLevel(['strict']);
  expect(admit(1000)).toBe('wait');
  known.ask(1001);
  expect(sent).toEqual([{ kind: 'readIndexRequest', term: 3, context: 0, byLease: false }]);
  known.answered(0, 80);
  known.wake();
  expect(admit(1000)).toBe('run');
  expect(admit(1002)).toBe('wait');
});

test('a strict read waits until what was committed is applied', () => {
  const { known, reads, admit, replica } = connection();
  reads.setLevel(['strict']);
  admit(1000);
  known.ask(1001);
  known.answered(0, 90);
  known.wake();
  expect(admit(1000)).toBe('wait');
  let woken = 0;
  known.wait({ stateMoved: () => (woken += 1) });
  known.wake();
  expect(woken).toBe(0);
  replica.keyspace.appliedLsn = 90;
  known.wake();
  expect(woken).toBe(1);
  expect(admit(1000)).toBe('run');
});

test('a leader that cannot prove that it leads answers nothing', () => {
  const { known, reads, admit } = connection();
  reads.setLevel(['strict']);
  admit(1000);
  known.ask(1001);
  known.answered(0, null);
  known.wake();
  expect(admit(1000)).toBe('wait');
});

test('a bound in time is measured from the stamp, and what the lease vouches for is no proof for strict reads', () => {
  const { known, reads, admit, sent } = connection();
  known.vouched(900, 80);
  known.wake();
  reads.setLevel(['bounded', '100']);
  expect(admit(1000, 1000)).toBe('run');
  expect(admit(1001, 1001)).toBe('wait');
  known.ask(1001);
  expect(sent).toEqual([{ kind: 'readIndexRequest', term: 3, context: 0, byLease: true }]);
  reads.setLevel(['strict']);
  expect(admit(900)).toBe('wait');
});

test('a bound in time is looked at again after the state was read', () => {
  const { known, reads, whole } = connection();
  known.vouched(900, 80);
  known.wake();
  reads.setLevel(['bounded', '100']);
  expect(reads.isFresh(whole, () => 1000)).toBe(true);
  expect(reads.isFresh(whole, () => 1000.5)).toBe(false);
});

test('a bound by LSN', () => {
  const { reads, admit } = connection();
  reads.setLevel(['bounded', 'lsn', '80']);
  expect(admit()).toBe('run');
  reads.setLevel(['bounded', 'lsn', '81']);
  expect(admit()).toBe('wait');
});

test('reads after a token wait for its LSN, and are told when its term shows that the write was lost', () => {
  const { reads, admit, replica } = connection();
  reads.setLevel(['eventual']);
  expect(reads.setAfter(['0:3:81'])).toBeNull();
  expect(admit()).toBe('wait');
  replica.keyspace.appliedLsn = 81;
  expect(admit()).toBe('run');
  reads.setAfter(['0:1:60']);
  expect(admit()).toEqual({ error: 'LOSTWRITE LSN 60 of term 1 was lost: a later leader does not have it' });
  expect(admit()).toBe('run');
  reads.setAfter(['0:1:95']);
  expect(admit()).toEqual({ error: 'LOSTWRITE LSN 95 of term 1 was lost: a later leader does not have it' });
  reads.setAfter(['0:4:60']);
  expect(admit()).toMatchObject({ error: expect.stringContaining('LOSTWRITE') });
  reads.setAfter(['0:4:90']);
  expect(admit()).toBe('wait');
});

test('a leader knows at once what was lost, and has what it has executed', () => {
  const { reads, admit } = connection({ serving: true, applied: 103 });
  reads.setAfter(['0:3:103']);
  expect(admit()).toBe('run');
  reads.setAfter(['0:3:104']);
  expect(admit()).toBe('wait');
  reads.setAfter(['0:2:104']);
  expect(admit()).toMatchObject({ error: expect.stringContaining('LOSTWRITE') });
  reads.setAfter(['0:4:104']);
  expect(admit()).toBe('wait');
});

test('a leader that does not know that another one leads calls nothing of that one lost', () => {
  const { reads, admit } = connection({ serving: true, applied: 103 });
  for (const lsn of [60, 90, 103]) {
    reads.setAfter([`0:4:${lsn}`]);
    expect(admit(), `LSN ${lsn}`).toBe('wait');
  }
});

test('the token of a connection names what its reads must include, until it has seen more', () => {
  const { reads } = connection();
  reads.setAfter(['0:3:50,1:2:11']);
  expect(reads.token).toBe('0:3:50,1:2:11');
  reads.saw(1, 2, 9);
  expect(reads.token).toBe('0:3:50,1:2:11');
  reads.saw(0, 3, 40);
  reads.saw(2, 1, 4);
  expect(reads.token).toBe('0:3:50,1:2:11,2:1:4');
  reads.saw(0, 3, 70);
  expect(reads.token).toBe('1:2:11,0:3:70,2:1:4');
});

test('a write under a later leader does not hide that an earlier one may be lost, until a read includes both', () => {
  const lost = connection({ serving: true, applied: 103 });
  lost.reads.setAfter(['0:2:99']);
  lost.reads.saw(0, 3, 101);
  expect(lost.reads.token).toBe('0:2:99,0:3:101');
  const next = connection({ serving: true, applied: 103 });
  expect(next.reads.setAfter(['0:2:99,0:3:101'])).toBeNull();
  expect(next.reads.token).toBe('0:2:99,0:3:101');
  expect(next.admit()).toMatchObject({ error: expect.stringContaining('LOSTWRITE LSN 99 of term 2') });
  expect(next.admit()).toBe('run');
  expect(next.reads.token).toBe('0:3:101');

  // Nor does what a later leader did hide a write that an earlier one still took.
  const deposed = connection({ serving: true, applied: 103 });
  deposed.reads.setAfter(['0:4:90']);
  deposed.reads.saw(0, 3, 102);
  expect(deposed.reads.token).toBe('0:4:90,0:3:102');

  const kept = connection({ serving: true, applied: 103 });
  kept.reads.setAfter(['0:1:50']);
  kept.reads.saw(0, 3, 101);
  expect(kept.admit()).toBe('run');
  expect(kept.reads.token).toBe('0:3:101');
});

test('where slots have moved, a token lets a follower wait until its node knows where they are', () => {
  const writer = connection({ serving: true });
  writer.metadata.epoch = 12;
  writer.reads.saw(0, 3, 60);
  expect(writer.reads.token).toBe('0:3:60');
  writer.reads.sawMovedSlot();
  expect(writer.reads.token).toBe('0:3:60,@12');

  const { reads, admit, metadata } = connection();
  metadata.epoch = 11;
  expect(reads.setAfter(['1:7:9,@12'])).toBeNull();
  expect(reads.token).toBe('1:7:9,@12');
  expect(admit()).toBe('wait');
  metadata.epoch = 12;
  expect(admit()).toBe('run');
  reads.setAfter(['none']);
  expect(reads.token).toBeNull();

  // What a leader may serve it knows by its own history.
  const leader = connection({ serving: true });
  leader.reads.setAfter(['1:7:9,@12']);
  expect(leader.admit()).toBe('run');
  for (const text of ['@12', '0:3:60,@', '0:3:60,@12,1:7:9'])
    expect(leader.reads.setAfter([text])).toContain('ERR that is no token');
});

test('a session waits for the last thing that it wrote or read', () => {
  const { reads, admit, replica } = connection({ applied: 70 });
  reads.setLevel(['session']);
  expect(reads.token).toBeNull();
  expect(admit()).toBe('run');
  reads.saw(0, 3, 75);
  reads.saw(0, 3, 72);
  reads.saw(0, 1, 99);
  expect(reads.token).toBe('0:3:75');
  expect(admit()).toBe('wait');
  replica.keyspace.appliedLsn = 75;
  expect(admit()).toBe('run');
});

test('a session remembers what it saw of each shard, and its token names all of them', () => {
  const { reads, admit, replica } = connection({ applied: 70 });
  reads.setLevel(['session']);
  reads.saw(0, 3, 75);
  reads.saw(1, 2, 9);
  reads.saw(1, 2, 11);
  expect(reads.token).toBe('0:3:75,1:2:11');
  expect(admit()).toBe('wait');
  replica.keyspace.appliedLsn = 75;
  expect(admit()).toBe('run');

  const other = connection({ applied: 70 });
  other.reads.setLevel(['eventual']);
  expect(other.reads.setAfter(['1:2:11,0:3:75'])).toBeNull();
  expect(other.admit()).toBe('wait');
  other.replica.keyspace.appliedLsn = 75;
  expect(other.admit()).toBe('run');
  expect(other.reads.setAfter(['1:2:11,'])).toContain('no token');
});

test('what replies of a leader wait for, by level', () => {
  const { reads, whole } = connection({ serving: true });
  const gate = (words: string, needs: 'read' | 'write' = 'read') => {
    reads.setLevel(words.split(' '));
    const found = reads.gate(whole, needs, 40, 1000, policy);
    return found === null ? null : [found.lsn, found.readMs, found.confirmed];
  };
  expect(gate('linearizable')).toEqual([40, 1000, false]);
  expect(gate('strict')).toEqual([40, 1000, true]);
  expect(gate('local')).toBeNull();
  expect(gate('bounded 100')).toEqual([40, 900, false]);
  expect(gate('bounded 5000')).toEqual([40, 500, false]);
  expect(gate('bounded lsn 60')).toEqual([60, -1, false]);
  expect(gate('session')).toEqual([40, -1, false]);
  expect(gate('eventual')).toEqual([40, -1, false]);
  // A write that changed nothing says something about now, whatever the reads of its client may show.
  for (const words of ['local', 'eventual', 'bounded 100'])
    expect(gate(words, 'write')).toEqual([40, 1000, false]);
});

test('tokens are read as they are written, and nothing else is one', () => {
  const { reads } = connection();
  for (const text of ['1', '0:1', '0:1:2:3', 'a:b:c', '0:1:-2', ''])
    expect(reads.setAfter([text])).toContain('no token');
  expect(reads.setAfter(['0:1:2', 'TIMEOUT', 'x'])).toContain('timeout is not an integer');
  expect(reads.setAfter(['0:1:2', 'SOON', '3'])).toContain('syntax error');
  expect(reads.setAfter(['0:1:2', 'timeout', '30'])).toBeNull();
  expect(reads.waitMs(200)).toBe(30);
  expect(reads.setAfter(['0:1:2', 'timeout', '0'])).toBeNull();
  expect(reads.waitMs(200)).toBe(Number.POSITIVE_INFINITY);
  expect(reads.setAfter(['none'])).toBeNull();
  expect(reads.waitMs(200)).toBe(200);
});

test('a reader who asks again and again waits once, and not at all when it has gone', () => {
  const { known, replica } = connection();
  let woken = 0;
  const waiter = { stateMoved: () => (woken += 1) };
  for (let i = 0; i < 100; i++) known.wait(waiter);
  const gone = { stateMoved: () => expect.unreachable() };
  known.wait(gone);
  known.forget(gone);
  replica.keyspace.appliedLsn += 1;
  known.wake();
  expect(woken).toBe(1);
});
