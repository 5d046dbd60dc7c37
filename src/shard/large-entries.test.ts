import { describe, expect, test } from 'vitest';
import type { TestClient } from './cluster-test-kit.ts';
import { TestCluster } from './cluster-test-kit.ts';

const tooLarge = /^-ERR the result is too large for an entry of the log\r\n/m;

/** Runs the same command so many times as one transaction; what EXEC answered. */
function together(cluster: TestCluster, client: TestClient, times: number, ...command: string[]): string {
  client.send('MULTI');
  for (let i = 0; i < times; i++) client.send(...command);
  cluster.settle();
  client.received();
  client.send('EXEC');
  cluster.settle();
  return client.received();
}

describe('what one entry of the log cannot hold is refused, and the leader goes on', () => {
  test('numbers of thousands of digits', () => {
    const cluster = new TestCluster();
    const client = cluster.client('a');
    client.send('SET', 'k', '1e4900');
    client.send('HSET', 'h', 'f', '1e4900');
    expect(together(cluster, client, 300, 'INCRBYFLOAT', 'k', '1')).toMatch(tooLarge);
    expect(together(cluster, client, 300, 'HINCRBYFLOAT', 'h', 'f', '1')).toMatch(tooLarge);
    client.send('PING');
    cluster.settle();
    expect(client.received()).toBe('+PONG\r\n');
  });

  test('removals that are all over a list', () => {
    const cluster = new TestCluster();
    const client = cluster.client('a');
    const some = Array.from({ length: 10_000 }, (_, i) => (i % 2 === 0 ? 'x' : 'y'));
    for (let i = 0; i < 20; i++) client.send('RPUSH', 'l', ...some);
    cluster.settle();
    client.received();
    client.send('LREM', 'l', '0', 'x');
    client.send('LREM', 'l', '1000', 'x');
    client.send('LLEN', 'l');
    cluster.settle();
    expect(client.received()).toMatch(/^-ERR the result is too large.*\r\n:1000\r\n:199000\r\n$/);
  });

  test('keys that have expired where patterns lead, and watched ones', () => {
    const cluster = new TestCluster();
    const client = cluster.client('a');
    const long = 'x'.repeat(2000);
    for (let i = 0; i < 1000; i++) {
      client.send('SET', `{t}${long}${i}`, 'v', 'PX', '5');
      client.send('RPUSH', '{t}', String(i));
      client.send('WATCH', `{t}${long}${i}`);
    }
    cluster.settle();
    client.received();
    cluster.now += 6;
    client.send('SORT', '{t}', 'GET', `{t}${long}*`);
    cluster.settle();
    expect(client.received()).toBe(`*1000\r\n${'$-1\r\n'.repeat(1000)}`);
    expect(together(cluster, client, 1, 'SET', '{t}k', 'v')).toBe('*-1\r\n');
  });
});

test('strings that are too long to be read as a whole end no leader', () => {
  const cluster = new TestCluster();
  const client = cluster.client('a');
  client.send('SETRANGE', '{t}long', String((512 << 20) - 1), 'x');
  client.send('RPUSH', '{t}', 'long');
  cluster.settle();
  client.received();
  client.send('SORT', '{t}', 'BY', '{t}*', 'ALPHA');
  client.send('SORT', '{t}', 'BY', 'nosort', 'GET', '{t}*');
  client.send('LCS', '{t}long', '{t}long');
  cluster.settle();
  expect(client.received()).toMatch(
    /^-ERR the strings[^\n]*\n-ERR the strings[^\n]*\n-ERR Insufficient[^\n]*\n$/,
  );
});

test('pops take few bytes of the log, however long what they take is', () => {
  const cluster = new TestCluster();
  const client = cluster.client('a');
  const members = Array.from({ length: 12 }, (_, i) => `${i % 10}`.repeat(100_000 + i));
  for (const [i, member] of members.entries()) client.send('ZADD', 'z', String(i), member);
  cluster.settle();
  client.received();
  const shown = (from: number, to: number): string =>
    `*${2 * (to - from)}\r\n${members
      .slice(from, to)
      .map((member, i) => `$${member.length}\r\n${member}\r\n$${`${from + i}`.length}\r\n${from + i}\r\n`)
      .join('')}`;
  client.send('ZPOPMIN', 'z', '8');
  cluster.settle();
  expect(client.received()).toBe(shown(0, 8));
  expect(together(cluster, client, 3, 'ZPOPMIN', 'z')).toBe(
    `*3\r\n${[8, 9, 10].map((i) => shown(i, i + 1)).join('')}`,
  );
  client.send('ZRANGE', 'z', '0', '-1', 'WITHSCORES');
  cluster.settle();
  expect(client.received()).toBe(shown(11, 12));
});
