import { expect, test } from 'vitest';
import { TestCluster } from './cluster-test-kit.ts';

test('a transaction does not run when a watched key changed while another node led', () => {
  const cluster = new TestCluster();
  const watcher = cluster.client('a');
  watcher.send('SET', 'k', '1');
  watcher.send('WATCH', 'k');
  watcher.send('MULTI');
  watcher.send('SET', 'k', 'mine');
  cluster.settle();
  expect(watcher.received()).toBe('+OK\r\n+OK\r\n+OK\r\n+QUEUED\r\n');

  cluster.handOver(0, 'a', 'b');
  const other = cluster.client('b');
  other.send('SET', 'k', 'theirs');
  cluster.settle();
  expect(other.received()).toBe('+OK\r\n');
  cluster.handOver(0, 'b', 'a');

  watcher.send('EXEC');
  watcher.send('GET', 'k');
  cluster.run(50);
  expect(watcher.received()).toBe('*-1\r\n$6\r\ntheirs\r\n');
});

test('a transaction runs when leadership came back and nobody changed what it watches', () => {
  const cluster = new TestCluster();
  const watcher = cluster.client('a');
  watcher.send('SET', 'k', '1');
  watcher.send('WATCH', 'k', 'missing');
  cluster.settle();
  cluster.handOver(0, 'a', 'b');
  cluster.handOver(0, 'b', 'a');
  watcher.received();
  watcher.send('MULTI');
  watcher.send('SET', 'k', 'mine');
  watcher.send('EXEC');
  cluster.run(50);
  expect(watcher.received()).toBe('+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n');
});

test('nothing is evicted while leadership is handed over, whatever clients queue', () => {
  const cluster = new TestCluster();
  const client = cluster.client('a');
  for (let i = 0; i < 20; i++) client.send('SET', `k${i}`, 'v');
  client.send('MULTI');
  cluster.settle();
  client.received();
  const replica = cluster.host('a').replicas.get(0);
  cluster.holds = (_from, message) => message.kind === 'campaignNow';
  replica?.handOver('b', cluster.now);
  cluster.settle();
  cluster.evicting.maxMemory = 1;
  const before = replica?.lastLsn;
  client.send('PING');
  cluster.settle();
  expect(replica?.lastLsn).toBe(before);
  expect(client.received()).toBe('+QUEUED\r\n');
  // The next leader takes over without a loss, so nobody is sent away.
  cluster.evicting.maxMemory = 0;
  cluster.holds = () => false;
  cluster.run(100);
  expect(cluster.host('b').replicas.get(0)?.serving).toBe(true);
  expect(client.closed()).toBe(null);
});

/** Keys of the first and the second of two shards. */
const inFirst = 'b';
const inSecond = 'a';

/** Node b leads the first shard from now on, without having got what a's clients wrote; a goes on leading the second. */
function overtakeFirst(cluster: TestCluster): void {
  cluster.holds = (from, message, shard) =>
    from === 'a' && (message.kind === 'append' || (shard === 0 && message.kind === 'heartbeat'));
  cluster.until(() => cluster.host('b').replicas.get(0)?.serving === true);
  cluster.run(100);
}

test('a lost write is not acknowledged because its reply stood behind one of another shard', () => {
  const cluster = new TestCluster(2);
  const client = cluster.client('a');
  cluster.holds = (_from, message) => message.kind === 'append';
  client.send('SET', inSecond, '1');
  client.send('SET', inFirst, '1');
  cluster.settle();
  overtakeFirst(cluster);
  expect(cluster.host('a').replicas.get(1)?.serving).toBe(true);
  expect(cluster.host('b').replicas.get(0)?.serving).toBe(true);
  expect(client.received()).toBe('');
  cluster.holds = () => false;
  cluster.run(100);
  expect(client.received()).toBe('+OK\r\n');
  expect(client.closed()).toMatch(/leadership ended/);
});

test('WAIT does not count copies of what stands where a lost write stood', () => {
  const cluster = new TestCluster(2);
  const client = cluster.client('a');
  client.send('REPL', 'ACK', 'leader', 'received');
  cluster.holds = (_from, message) => message.kind === 'append';
  client.send('SET', inFirst, '1');
  cluster.settle();
  overtakeFirst(cluster);
  cluster.holds = () => false;
  cluster.run(100);
  cluster.handOver(0, 'b', 'a');
  cluster.run(100);
  client.received();
  client.send('WAIT', '1', '0');
  cluster.run(50);
  expect(client.received()).toBe(':0\r\n');
});

test('a key that is written before a new leader has ticked counts as used then', () => {
  const cluster = new TestCluster();
  cluster.run(60_000);
  const keyspace = cluster.host('b').replicas.get(0)?.keyspace;
  cluster.host('a').replicas.get(0)?.handOver('b', cluster.now);
  if (keyspace !== undefined) keyspace.useClock = 0;
  cluster.settle();
  expect(cluster.host('b').replicas.get(0)?.core.leadership).not.toBeNull();
  expect(keyspace?.useClock).toBe(Math.floor(cluster.now / 100));
});
