import { expect, test } from 'vitest';
import { TestCluster } from './cluster-test-kit.ts';

const size = 10_000;

/** A cluster whose leader a has two sets of ten thousand members, half of them in common. */
function withLargeSets(): TestCluster {
  const cluster = new TestCluster();
  const client = cluster.client('a');
  for (let i = 0; i < size; i++) {
    client.send('SADD', '{k}one', `${i}`);
    client.send('SADD', '{k}other', `${i + size / 2}`);
  }
  cluster.settle();
  return cluster;
}

const question = ['SINTERCARD', '2', '{k}one', '{k}other'];

test('others are served while an answer is worked out, which tells the state as it was asked', () => {
  const cluster = withLargeSets();
  const asking = cluster.client('a');
  const other = cluster.client('a');
  asking.send(...question);
  other.send('SREM', '{k}one', `${size - 1}`);
  other.send('DEL', '{k}other');
  cluster.endTurn('a');
  expect(asking.received()).toBe('');
  other.send('SCARD', '{k}one');
  cluster.settle();
  expect(other.received()).toBe(`:1\r\n:1\r\n:${size - 1}\r\n`);
  expect(asking.received()).toBe(`:${size / 2}\r\n`);
});

test('several clients get their answers by turns, and each one its commands in order', () => {
  const cluster = withLargeSets();
  const clients = ['a', 'a', 'a'].map((node) => cluster.client(node));
  for (const client of clients) client.send(...question);
  cluster.endTurn('a');
  cluster.endTurn('a');
  cluster.endTurn('a');
  expect(clients.map((client) => client.received())).toEqual(['', '', '']);
  cluster.settle();
  for (const client of clients) {
    expect(client.received()).toBe(`:${size / 2}\r\n`);
    client.send('PING');
    cluster.settle();
    expect(client.received()).toBe('+PONG\r\n');
  }
});

test('in a transaction it is worked out at once', () => {
  const cluster = withLargeSets();
  const client = cluster.client('a');
  for (const command of [['MULTI'], question, ['SCARD', '{k}one'], ['EXEC']]) client.send(...command);
  cluster.settle();
  expect(client.received()).toBe(`+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:${size / 2}\r\n:${size}\r\n`);
});

test('when leadership ends meanwhile, the question is asked anew', () => {
  const cluster = withLargeSets();
  const asking = cluster.client('a');
  const other = cluster.client('a');
  const host = cluster.host('a');
  asking.send(...question);
  cluster.endTurn('a');
  const replica = host.replicas.get(0);
  for (const session of host.sessions.values()) if (replica !== undefined) session.leadershipEnded(replica);
  other.send('DEL', '{k}other');
  cluster.run(50);
  expect(asking.received()).toBe(':0\r\n');
  expect(other.received()).toBe(':1\r\n');
});

test('who has gone is forgotten', () => {
  const cluster = withLargeSets();
  const client = cluster.client('a');
  client.send(...question);
  for (const session of cluster.host('a').sessions.values()) if (session.later.active) session.disconnected();
  cluster.settle();
  expect(client.received()).toBe('');
});

const stores = [
  ['SINTERSTORE {k}to {k}one {k}other', 5000, 'SCARD'],
  ['SUNIONSTORE {k}to {k}one {k}other', 15_000, 'SCARD'],
  ['SDIFFSTORE {k}to {k}one {k}other', 5000, 'SCARD'],
  ['ZINTERSTORE {k}to 2 {k}one {k}other', 5000, 'ZCARD'],
  ['ZDIFFSTORE {k}to 2 {k}one {k}other', 5000, 'ZCARD'],
  ['SORT {k}one STORE {k}to', size, 'LLEN'],
] as const;

test.each(stores)('%s', (text, count, card) => {
  const cluster = withLargeSets();
  const client = cluster.client('a');
  client.send(...text.split(' '));
  cluster.endTurn('a');
  expect(client.received()).toBe('');
  cluster.settle();
  client.send(card, '{k}to');
  cluster.settle();
  expect(client.received()).toBe(`:${count}\r\n:${count}\r\n`);
});

test('what is stored is what the sets are when it is stored, however often they change meanwhile', () => {
  const cluster = withLargeSets();
  const storing = cluster.client('a');
  const other = cluster.client('a');
  storing.send('SINTERSTORE', '{k}to', '{k}one', '{k}other');
  const works = (): boolean => [...cluster.host('a').sessions.values()].some(({ later }) => later.active);
  let removed = 0;
  for (; works(); removed++) {
    if (removed === 100) throw new Error('it begins anew for ever');
    other.send('SREM', '{k}one', `${size / 2 + removed}`);
    for (let turn = 0; turn < 3; turn++) cluster.endTurn('a');
  }
  expect(removed).toBeGreaterThan(3);
  cluster.settle();
  const answer = storing.received();
  other.received();
  other.send('SCARD', '{k}to');
  cluster.settle();
  expect(other.received()).toBe(answer);
  expect(Number(answer.slice(1))).toBe(size / 2 - removed);
});

test('what was worked out for a store goes by the leader that there is', () => {
  const cluster = withLargeSets();
  const client = cluster.client('a');
  client.send('SUNIONSTORE', '{k}to', '{k}one', '{k}other');
  cluster.endTurn('a');
  cluster.host('a').replicas.get(0)?.handOver('b', cluster.now);
  cluster.until(() => cluster.host('b').replicas.get(0)?.serving === true);
  cluster.run(50);
  const answer = client.received();
  const there = cluster.client('b');
  there.send('SCARD', '{k}to');
  cluster.run(50);
  expect([`:15000\r\n`, '-MOVED 7629 b:1\r\n']).toContain(answer);
  expect(there.received()).toBe(answer.startsWith(':') ? answer : ':0\r\n');
});

test.each([
  ['SINTER {k}one {k}other', 5000],
  ['SUNION {k}one {k}other', 15_000],
  ['SDIFF {k}one {k}other', 5000],
  ['ZINTER 2 {k}one {k}other', 5000],
  ['ZUNION 2 {k}one {k}other', 15_000],
  ['ZDIFF 2 {k}one {k}other', 5000],
  ['SORT {k}one', size],
])('%s', (text, count) => {
  const cluster = withLargeSets();
  const client = cluster.client('a');
  const inTransaction = cluster.client('a');
  client.send(...text.split(' '));
  inTransaction.send('MULTI');
  inTransaction.send(...text.split(' '));
  inTransaction.send('EXEC');
  cluster.settle();
  const answer = client.received();
  expect(answer.startsWith(`*${count}\r\n`)).toBe(true);
  expect(inTransaction.received()).toBe(`+OK\r\n+QUEUED\r\n*1\r\n${answer}`);
});
