import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReplyError } from '../../src/resp/reply-parser.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';

describe('a transaction that would log far more than was sent', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await startRival();
  });

  afterAll(() => server.stop());

  it.each([
    ['moves of long items', ['RPUSH', 'l', 'x'.repeat(400_000)], ['LMOVE', 'l', 'l', 'LEFT', 'RIGHT'], 60],
    ['merged HyperLogLogs', ['PFADD', 'h', ...Array.from({ length: 3000 }, (_, i) => String(i))], null, 4000],
  ] as const)(
    '%s: the commands that do not fit are refused, the server stays',
    async (_, first, again, times) => {
      const client = await RawClient.connect(server.port);
      // However long the machine takes for all of it, the reply is what it found.
      await client.command('REPL', 'ACK', 'majority', 'TIMEOUT', '0');
      await client.command(...first);
      await client.command('MULTI');
      for (let i = 0; i < times; i++) client.sendCommand(...(again ?? ['PFMERGE', `merged:${i}{h}`, 'h']));
      for (let i = 0; i < times; i++) expect((await client.next()).value).toBe('QUEUED');
      const replies = (await client.command('EXEC')).value;
      if (replies instanceof ReplyError) expect.fail(replies.message);
      expect(replies).toHaveLength(times);
      const refused = (replies as unknown[]).filter((reply) => reply instanceof ReplyError);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(times);
      expect((await client.command('PING')).value).toBe('PONG');
      await client.close();
    },
  );
});
