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
