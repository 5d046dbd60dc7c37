import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient, sendAndEnd } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';

describe('a client that ends its side of the connection', () => {
  let server: ServerProcess;

  beforeAll(async () => {
    server = await startRival();
  });

  afterAll(() => server.stop());

  it('gets the replies to all that it sent, those of writes included', async () => {
    expect(await sendAndEnd(server.port, 'SET k v\r\n')).toBe('+OK\r\n');
    const many = await sendAndEnd(server.port, 'SET k v\r\nGET k\r\n'.repeat(500));
    expect(many).toBe('+OK\r\n$1\r\nv\r\n'.repeat(500));
  });

  it('gets nothing for half a command', async () => {
    expect(await sendAndEnd(server.port, 'PING\r\nPIN')).toBe('+PONG\r\n');
  });

  it('is let go although it waits for something that may never happen', async () => {
    expect(await sendAndEnd(server.port, 'SET k v\r\nWAIT 3 0\r\n')).toBe('+OK\r\n');
    const other = await RawClient.connect(server.port);
    expect((await other.command('CLIENT', 'LIST')).value).toMatch(/^id=\S+ [^\n]*\n$/);
    await other.close();
  });
});
