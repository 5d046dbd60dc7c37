import { expect, test } from 'vitest';
import type { Membership } from '../core/types.ts';
import { TestCluster } from './cluster-test-kit.ts';
import type { Replica } from './replica.ts';

const of = (voters: string, learners = ''): Membership => ({ voters: [...voters], learners: [...learners] });

function replicaOf(cluster: TestCluster, node = 'a'): Replica {
  return cluster.host(node).replicas.get(0) as Replica;
}

/** What the leader answers to a change: its error's code, or that it is on its way. */
function change(cluster: TestCluster, next: Membership, node = 'a'): string {
  return replicaOf(cluster, node).changeMembership(next, cluster.now)?.code ?? 'proposed';
}

/** The change is made, and committed everywhere where it is known. */
function make(cluster: TestCluster, next: Membership): void {
  expect(change(cluster, next)).toBe('proposed');
  cluster.run(100);
  expect(replicaOf(cluster).core.membership).toEqual(next);
  expect(replicaOf(cluster).core.mayChangeMembership()).toBe(true);
}

function write(cluster: TestCluster, count: number): void {
  const client = cluster.client('a');
  for (let i = 0; i < count; i++) client.send('SET', `k${i}`, `${i}`);
  cluster.run(50);
  expect(client.received()).toBe('+OK\r\n'.repeat(count));
}

test('a learner is added, catches up, becomes a voter and is removed, while clients write', () => {
  const cluster = new TestCluster(1, ['d']);
  write(cluster, 3);
  make(cluster, of('abc', 'd'));
  write(cluster, 5);
  cluster.run(1500);
  const learner = replicaOf(cluster, 'd');
  expect(learner.core.role).toBe('learner');
  expect(learner.keyspace.appliedLsn).toBe(replicaOf(cluster).lastLsn);
  make(cluster, of('abcd'));
  expect(learner.core.role).toBe('follower');
  expect(learner.core.membership).toEqual(of('abcd'));
  make(cluster, of('abd'));
  write(cluster, 2);
  expect(replicaOf(cluster, 'b').core.membership).toEqual(of('abd'));
  expect([...(replicaOf(cluster).core.leadership?.followers.keys() ?? [])]).toEqual(['b', 'd']);
});

test('a membership is an entry in a batch of its own, behind what was executed before it', () => {
  const cluster = new TestCluster(1, ['d']);
  const client = cluster.client('a');
  const leader = replicaOf(cluster);
  const before = leader.lastLsn;
  client.send('SET', 'k', '1');
  expect(change(cluster, of('abc', 'd'))).toBe('proposed');
  client.send('SET', 'k', '2');
  cluster.run(100);
  expect(client.received()).toBe('+OK\r\n+OK\r\n');
  expect(leader.core.memberships.currentLsn).toBe(before + 2);
  expect(leader.core.commit).toBe(before + 3);
  for (const node of ['a', 'b', 'd']) expect(replicaOf(cluster, node).keyspace.appliedLsn).toBe(before + 3);
});

test('what is no step, and what a leader does not do to itself, is refused for good', () => {
  const cluster = new TestCluster(1, ['d', 'e']);
  const refused = [
    of('bc'), // the leader itself
    of('bc', 'a'),
    of('ab', 'cx'), // a node that nobody knows
    of('abd'), // one comes and one goes
    of('abcd'), // was no learner before
    of('abc', 'dd'),
    of('abc', 'c'),
    of('a'), // two go
    of('abc'), // nothing changes
    of('cba'),
  ];
  const before = replicaOf(cluster).lastLsn;
  for (const next of refused)
    expect([JSON.stringify(next), change(cluster, next)]).toEqual([
      JSON.stringify(next),
      'BW_MEMBERSHIP_REFUSED',
    ]);
  expect(replicaOf(cluster).lastLsn).toBe(before);
});

test('a member that left the cluster keeps nobody from coming, and does not come itself', () => {
  const cluster = new TestCluster(1, ['d']);
  cluster.run(1000);
  make(cluster, of('ab', 'c'));
  cluster.gone.add('c');
  make(cluster, of('ab', 'cd'));
  make(cluster, of('ab', 'd'));
  expect(change(cluster, of('ab', 'cd'))).toBe('BW_MEMBERSHIP_REFUSED');
});

test('only a leader changes members, one change at a time, and not during a handover', () => {
  const cluster = new TestCluster(1, ['d', 'e']);
  expect(change(cluster, of('abc', 'd'), 'b')).toBe('BW_NOT_LEADER');
  cluster.holds = (from, message) => from !== 'a' && message.kind === 'appendAck';
  expect(change(cluster, of('abc', 'd'))).toBe('proposed');
  expect(change(cluster, of('abc', 'de'))).toBe('BW_MEMBERSHIP_PENDING');
  cluster.holds = () => false;
  cluster.run(100);
  expect(change(cluster, of('abc', 'de'))).toBe('proposed');
  cluster.run(100);
  cluster.holds = (_from, message) => message.kind === 'campaignNow';
  expect(replicaOf(cluster).handOver('b', cluster.now)).toBe(true);
  expect(change(cluster, of('abc'))).toBe('BW_MEMBERSHIP_PENDING');
  cluster.holds = () => false;
  cluster.run(100);
  expect(change(cluster, of('abc'), 'b')).toBe('proposed');
});

test('a learner is promoted once it was in sync for a second', () => {
  const cluster = new TestCluster(1, ['d']);
  make(cluster, of('abc', 'd'));
  cluster.run(700);
  expect(change(cluster, of('abcd'))).toBe('BW_MEMBERSHIP_NOT_IN_SYNC');
  cluster.run(2000);
  // It falls behind: what it had before does not count any more.
  cluster.cutOff.add('d');
  cluster.run(1200);
  expect(change(cluster, of('abcd'))).toBe('BW_MEMBERSHIP_NOT_IN_SYNC');
  cluster.cutOff.clear();
  cluster.run(500);
  expect(change(cluster, of('abcd'))).toBe('BW_MEMBERSHIP_NOT_IN_SYNC');
  cluster.run(1000);
  make(cluster, of('abcd'));
});

test('a voter is not removed while too few of the others are in sync', () => {
  const cluster = new TestCluster();
  cluster.cutOff.add('b');
  cluster.run(1500);
  // A majority of a and b are both, and b is away.
  expect(change(cluster, of('ab'))).toBe('BW_MEMBERSHIP_NOT_IN_SYNC');
  make(cluster, of('ac'));
  make(cluster, of('a'));
});

test('WAIT counts voters', () => {
  const cluster = new TestCluster(1, ['d']);
  make(cluster, of('abc', 'd'));
  cluster.run(500);
  const client = cluster.client('a');
  client.send('WAIT', '3', '50');
  cluster.run(100);
  expect(client.received()).toBe(':2\r\n');
  client.send('SET', 'k', 'v');
  client.send('WAIT', '3', '50');
  cluster.run(100);
  expect(client.received()).toBe('+OK\r\n:2\r\n');
});

test('a replica that was removed is told so: it asks for no votes, and sends clients to the leader', () => {
  const cluster = new TestCluster();
  cluster.run(1000);
  // It is away when it is removed, so its own log does not say so.
  cluster.cutOff.add('c');
  make(cluster, of('ab'));
  cluster.cutOff.clear();
  cluster.run(500);
  const removed = replicaOf(cluster, 'c').core;
  expect(removed.membership).toEqual(of('abc'));
  removed.priority = 100;
  cluster.run(3000);
  expect([removed.role, removed.isOutside, removed.term]).toEqual([
    'follower',
    true,
    replicaOf(cluster).core.term,
  ]);
  const client = cluster.client('c');
  client.send('GET', 'k');
  client.send('READONLY');
  client.send('GET', 'k');
  client.send('DBSIZE');
  cluster.run(50);
  expect(client.received()).toMatch(/^-MOVED \d+ a:1\r\n\+OK\r\n-MOVED \d+ a:1\r\n-MOVED \d+ a:1\r\n$/);
  // Nobody says so any more: it may be needed.
  cluster.cutOff.add('c');
  cluster.run(2000);
  expect([removed.role, removed.isOutside]).toEqual(['candidate', false]);
});

test('a replica that was removed comes back as a learner with what it has', () => {
  const cluster = new TestCluster();
  write(cluster, 3);
  make(cluster, of('ab'));
  write(cluster, 5);
  cluster.run(500);
  expect(replicaOf(cluster, 'c').core.isOutside).toBe(true);
  make(cluster, of('ab', 'c'));
  cluster.run(200);
  expect(replicaOf(cluster, 'c').core.role).toBe('learner');
  expect(replicaOf(cluster, 'c').core.isOutside).toBe(false);
  expect(replicaOf(cluster, 'c').keyspace.appliedLsn).toBe(replicaOf(cluster).lastLsn);
});
