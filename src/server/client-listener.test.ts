import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { defaultRequestLimits } from '../resp/parser.ts';
import type { ClientSession, SessionSink } from '../shard/session-types.ts';
import { ClientListener } from './client-listener.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A listener whose sessions do nothing but wait, where `blocked` says so. */
async function listening(options: { maxClients: number; idleSeconds: number; blocked: () => boolean }) {
  let sessions = 0;
  const openSession = (_sink: SessionSink): ClientSession => ({
    id: ++sessions,
    authenticated: true,
    get blocked() {
      return options.blocked();
    },
    pendingBytes: 0,
    arrived: () => {},
    resumed: () => {},
    execute: () => {},
    protocolError: () => {},
    closeAfterReply: () => {},
    disconnected: () => {},
  });
  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const listener = new ClientListener({
    ...{ host: '127.0.0.1', port: 0, keepAliveSeconds: 0, logger: quiet, openSession },
    maxClients: options.maxClients,
    idleSeconds: options.idleSeconds,
    limits: { request: defaultRequestLimits, outputBytes: 1 << 20 },
  });
  const port = await listener.listen();
  closers.push(() => listener.close());
  return { listener, port };
}

async function connected(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  closers.push(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('a client too many is told so, and keeps no descriptor whatever it sent', async () => {
  const { listener, port } = await listening({ maxClients: 0, idleSeconds: 0, blocked: () => false });
  const socket = await connected(port);
  socket.write('PING\r\n');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.toString()).toBe('-ERR max number of clients reached\r\n');
  // It has gone when the listener can end.
  await once(socket, 'end');
  socket.end();
  await listener.close();
});

test('a client that waits for something is not idle', async () => {
  let asked = 0;
  const waits = (): boolean => {
    asked += 1;
    return asked < 3;
  };
  const { port } = await listening({ maxClients: 10, idleSeconds: 0.02, blocked: waits });
  const socket = await connected(port);
  socket.resume();
  await once(socket, 'close');
  expect(asked).toBe(3);
});
