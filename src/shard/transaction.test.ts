import { expect, test } from 'vitest';
import { TestCluster } from './cluster-test-kit.ts';

test('a command that no transaction may hold is refused as it comes, and the transaction with it', () => {
  const cluster = new TestCluster();
  const client = cluster.client('a');
  for (const command of [['MULTI'], ['SET', 'k', 'v'], ['SHUTDOWN', 'NOSAVE'], ['EXEC'], ['EXISTS', 'k']])
    client.send(...command);
  cluster.settle();
  expect(client.received()).toBe(
    [
      ...['+OK', '+QUEUED', '-ERR Command not allowed inside a transaction'],
      ...['-EXECABORT Transaction discarded because of previous errors.', ':0', ''],
    ].join('\r\n'),
  );
});

test('on a node with several shards, EXEC says that a watched key has changed before the commands came', () => {
  const cluster = new TestCluster(2);
  const client = cluster.client('a');
  client.send('WATCH', 'k');
  cluster.client('a').send('SET', 'k', 'changed');
  for (const command of [['MULTI'], ['SET', 'k', 'v'], ['EXEC'], ['GET', 'k']]) client.send(...command);
  cluster.settle();
  expect(client.received()).toBe('+OK\r\n+OK\r\n+QUEUED\r\n*-1\r\n$7\r\nchanged\r\n');
});

test('on a node with several shards, EXEC says so when an earlier command was refused', () => {
  const cluster = new TestCluster(2);
  const client = cluster.client('a');
  for (const command of [['MULTI'], ['GET'], ['SET', 'k', 'v'], ['EXEC'], ['EXISTS', 'k']])
    client.send(...command);
  cluster.settle();
  const refused = "-ERR wrong number of arguments for 'get' command";
  const aborted = '-EXECABORT Transaction discarded because of previous errors.';
  expect(client.received()).toBe(['+OK', refused, '+QUEUED', aborted, ':0', ''].join('\r\n'));
});
