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
