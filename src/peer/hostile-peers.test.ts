import net from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { encodeMessage } from './codec.ts';
import { aliveFrame, frameHeaderBytes } from './frame.ts';
import { AcceptHandshake, DialHandshake, type LocalNode } from './handshake.ts';
import { appendOf, introduce, numbered, pieceOf, TestNode, until } from './peer-test-kit.ts';
import { runHandshake } from './run-handshake.ts';
import type { TcpPeerOptions } from './tcp-network.ts';
import type { Lane } from './types.ts';

const running: TestNode[] = [];
const cleanups: (() => void)[] = [];

async function started(id: string, options: Partial<TcpPeerOptions> = {}): Promise<TestNode> {
  const node = await new TestNode(id, options).start();
  running.push(node);
  return node;
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  await Promise.all(running.splice(0).map(({ network }) => network.close()));
});

const stranger = (node: string): LocalNode => ({
  identity: { node, cluster: 'test', instance: `${node}-disk`, client: '127.0.0.1:1', fresh: true },
  secret: null,
});

/** A bare connection to a node, without the code that keeps a peer honest. */
function connect(to: TestNode): net.Socket {
  const socket = net.connect(to.address.port, to.address.host);
  socket.on('error', () => {});
  cleanups.push(() => socket.destroy());
  return socket;
}

/** A connection that got through the handshake and may now send what it likes. */
function intrude(to: TestNode, lane: Lane = 'control'): Promise<net.Socket> {
  const socket = connect(to);
  const handshake = new DialHandshake(stranger('evil'), to.id, lane);
  socket.write(handshake.hello);
  return new Promise((resolve, reject) => {
    runHandshake(socket, handshake, (outcome) => {
      if (outcome.kind === 'established') resolve(socket);
      else reject(new Error(JSON.stringify(outcome)));
    });
  });
}

/** A peer that shakes hands, then never reads again; `alive` makes it go on saying that it is there. */
async function deafPeer(alive: boolean): Promise<{ port: number; sockets: net.Socket[] }> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    cleanups.push(() => socket.destroy());
    runHandshake(socket, new AcceptHandshake(stranger('deaf'), () => null), () => {
      socket.pause();
      sockets.push(socket);
      if (!alive) return;
      const timer = setInterval(() => socket.write(aliveFrame), 20);
      socket.on('close', () => clearInterval(timer));
    });
  });
  cleanups.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as net.AddressInfo).port, sockets };
}

function closed(socket: net.Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) =>
    socket.destroyed ? resolve() : void socket.once('close', () => resolve()),
  );
}

describe('strangers', () => {
  test('who send garbage are cut off, and the links that stand do not notice', async () => {
    const [a, b] = [await started('a'), await started('b')];
    introduce(a, b);
    await until(() => a.network.connected('b') && b.network.connected('a'));
    const greeting = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const hello = new DialHandshake(stranger('b'), 'a', 'control').hello;
    const garbage = fc.oneof(
      fc.constant(greeting),
      fc.uint8Array({ minLength: 7, maxLength: 300 }),
      fc
        .uint8Array({ minLength: 1, maxLength: 300 })
        .map((tail) => Buffer.concat([hello.subarray(0, 7), tail])),
      fc.uint8Array({ minLength: 1, maxLength: 50 }).map((tail) => Buffer.concat([hello, tail])),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const socket = connect(a);
        socket.end(bytes);
        await closed(socket);
      }),
      { numRuns: 200 },
    );
    const { malformed, refused, unfinished } = a.network.listenerCounters;
    expect(malformed).toBeGreaterThan(50);
    expect(malformed + refused + unfinished).toBe(200);
    expect(a.events).toEqual(['up b']);
    a.network.send('b', 0, numbered(1), 'control');
    b.network.send('a', 0, numbered(2), 'control');
    await until(() => a.messages.length === 1 && b.messages.length === 1);
    const text = 'a connection from 127.0.0.1 was closed: no handshake of this protocol at byte 0';
    expect(a.warnings.filter((line) => line === text)).toHaveLength(1);
  });

  test('who say nothing are disconnected, and the oldest first when there are many', async () => {
    const a = await started('a', { timing: { handshakeMs: 150 }, limits: { handshakes: 5 } });
    const sockets: net.Socket[] = [];
    for (let i = 0; i < 8; i++) {
      const socket = connect(a);
      await new Promise((resolve) => socket.once('connect', resolve));
      sockets.push(socket);
    }
    const order: number[] = [];
    await Promise.all(sockets.map((socket, i) => closed(socket).then(() => order.push(i))));
    expect(order.slice(0, 3).sort()).toEqual([0, 1, 2]);
    expect(order).toHaveLength(8);
    await until(() => a.network.listenerCounters.unfinished === 8);
  });

  test('who were refused cannot stay connected', async () => {
    const a = await started('a', { timing: { handshakeMs: 150 } });
    const socket = net.connect({ ...a.address, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(new DialHandshake(stranger('evil'), 'a', 'control').hello);
    // It keeps its half open and goes on sending, until it is told that nobody is there any more.
    const timer = setInterval(() => socket.write('more'), 10);
    cleanups.push(() => clearInterval(timer));
    await closed(socket);
    expect(a.network.listenerCounters.refused).toBe(1);
  });
});

describe('a peer that breaks the protocol', () => {
  const messageFrame = (): Buffer => Buffer.from(encodeMessage(0, numbered(1)).header);
  const withLength = (length: number): Buffer => {
    const frame = messageFrame();
    frame.writeUInt32LE(length, 4);
    return frame;
  };
  const cases: [string, () => Buffer, string][] = [
    ['a frame too long', () => withLength(0xffff_ffff), 'a frame of 4294967295 bytes'],
    ['a frame too short', () => withLength(frameHeaderBytes - 1), 'a frame of 16 bytes'],
    [
      'a wrong checksum',
      () => {
        const frame = messageFrame();
        frame[20] = 99;
        return frame;
      },
      'a frame with a wrong checksum',
    ],
    [
      'a damaged batch',
      () => {
        const { header, parts } = encodeMessage(0, appendOf(100));
        const frame = Buffer.concat([header, ...parts]);
        frame[frame.length - 1] = 0;
        return frame;
      },
      'a batch with a wrong checksum',
    ],
  ];
  for (const [name, bytes, reason] of cases) {
    test(`${name}: its link is closed, with its name and the reason in the log`, async () => {
      const a = await started('a');
      a.network.setPeers([{ node: 'evil', host: '127.0.0.1', port: 1 }]);
      const socket = await intrude(a);
      socket.write(Buffer.concat([encodeMessage(0, numbered(7)).header, bytes(), messageFrame()]));
      await closed(socket);
      expect(a.messages).toHaveLength(1);
      const [line] = a.log.filter(({ fields }) => 'code' in fields && fields['code'] === 'BW_PEER_MALFORMED');
      expect(line?.fields).toMatchObject({ peer: 'evil', reason: expect.stringContaining(reason) });
      await (await intrude(a)).destroy();
    });
  }

  test('random bytes after the handshake never do more than close the link', async () => {
    const a = await started('a');
    a.network.setPeers([{ node: 'evil', host: '127.0.0.1', port: 1 }]);
    const valid = Buffer.concat([aliveFrame, messageFrame()]);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 8, maxLength: 400 }),
        fc.boolean(),
        async (tail, afterValid) => {
          const socket = await intrude(a);
          const frame = Buffer.from(tail);
          frame.writeUInt32LE(frame.length, 4);
          if (frame.length < frameHeaderBytes) frame.writeUInt32LE(3, 4);
          socket.end(afterValid ? Buffer.concat([valid, frame]) : frame);
          await closed(socket);
        },
      ),
      { numRuns: 150 },
    );
    expect(a.messages.every(({ message }) => message.kind === 'readIndexRequest')).toBe(true);
  });

  test('may announce the longest frame there is without costing more than that', async () => {
    const a = await started('a', { timing: { aliveMs: 20, silenceMs: 300 } });
    a.network.setPeers([{ node: 'evil', host: '127.0.0.1', port: 1 }]);
    const before = process.memoryUsage().rss;
    const socket = await intrude(a, 'bulk');
    const { header } = encodeMessage(0, pieceOf(4 << 20));
    socket.write(header);
    await closed(socket);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
    expect(a.messages).toHaveLength(0);
  });
});

describe('a peer that does not read', () => {
  test('costs no more memory than the bounds of its queues', async () => {
    const limits = { controlQueueBytes: 4 << 20, bulkQueueBytes: 2 << 20, reserveBytes: 100_000 };
    const a = await started('a', { limits });
    const { port } = await deafPeer(true);
    a.network.setPeers([{ node: 'deaf', host: '127.0.0.1', port }]);
    await until(() => a.network.connected('deaf'));
    await until(() => a.network.send('deaf', 0, pieceOf(1), 'bulk'), 'a bulk lane');
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    // Asking for the bulk lane before it stood dropped messages too.
    const droppedBefore = a.network.status()[0]?.counters.dropped ?? 0;
    let kept = 0;
    let keptBulk = 0;
    for (let i = 1; i <= 400; i++) {
      if (a.network.send('deaf', 0, appendOf(100_000, i), 'control')) kept += 1;
      if (a.network.send('deaf', 0, pieceOf(100_000), 'bulk')) keptBulk += 1;
      expect(a.network.queuedBytes('deaf', 'control')).toBeLessThan(limits.controlQueueBytes + 1000);
      expect(a.network.queuedBytes('deaf', 'bulk')).toBeLessThan(limits.bulkQueueBytes + 1000);
      await turn();
    }
    expect(a.network.queuedBytes('deaf', 'control')).toBeGreaterThan(limits.controlQueueBytes - 101_000);
    expect(kept).toBeLessThan(200);
    expect(keptBulk).toBeLessThan(200);
    let small = 0;
    while (small < 10_000 && a.network.send('deaf', 0, numbered(small), 'control')) small += 1;
    expect(small).toBeGreaterThan(2000);
    expect(small).toBeLessThan(10_000);
    const [status] = a.network.status();
    expect(status?.counters.dropped).toBe(droppedBefore + 400 - kept + (400 - keptBulk) + 1);
  });

  test('and says nothing either is given up, and its queue with it', async () => {
    const a = await started('a', { timing: { aliveMs: 20, silenceMs: 200, handshakeMs: 100 } });
    const { port, sockets } = await deafPeer(false);
    a.network.setPeers([{ node: 'deaf', host: '127.0.0.1', port }]);
    await until(() => a.network.connected('deaf') && sockets.length === 2);
    for (let i = 1; i <= 200; i++) a.network.send('deaf', 0, appendOf(100_000, i), 'control');
    a.network.flush();
    expect(a.network.queuedBytes('deaf', 'control')).toBeGreaterThan(10 << 20);
    await until(() => a.events.includes('down deaf'));
    expect(a.network.queuedBytes('deaf', 'control')).toBe(0);
    await until(() => a.events.join() === 'up deaf,down deaf,up deaf', 'a link that is dialled again');
  });
});

describe('a network that swallows everything', () => {
  test('breaks the link in both directions, not as a refusal', async () => {
    const timing = { aliveMs: 20, silenceMs: 300, handshakeMs: 100 };
    const [a, b] = [await started('a', { timing }), await started('b', { timing })];
    let cut = false;
    const relay = net.createServer((near) => {
      const far = net.connect(b.address.port, b.address.host);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => {});
        from.on('close', () => cut || to.destroy());
        from.on('data', (chunk) => cut || to.write(chunk));
        cleanups.push(() => from.destroy());
      }
    });
    cleanups.push(() => relay.close());
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    a.network.setPeers([{ node: 'b', host: '127.0.0.1', port: (relay.address() as net.AddressInfo).port }]);
    b.network.setPeers([{ node: 'a', ...a.address }]);
    await until(() => a.network.connected('b') && b.network.connected('a'));
    const sinceMs = performance.now();
    cut = true;
    await until(() => a.events.length === 2);
    expect(performance.now() - sinceMs).toBeGreaterThan(250);
    expect(a.events).toEqual(['up b', 'down b']);
    await until(() => b.log.some(({ message }) => message === 'link from peer broke'));
    expect(b.network.connected('a')).toBe(true);
    cut = false;
    await until(() => a.network.connected('b'));
  });
});
