import { afterEach, describe, expect, test } from 'vitest';
import { appendOf, introduce, numbered, pieceOf, TestNode, until } from './peer-test-kit.ts';
import type { TcpPeerOptions } from './tcp-network.ts';

const running: TestNode[] = [];

async function started(id: string, options: Partial<TcpPeerOptions> = {}): Promise<TestNode> {
  const node = await new TestNode(id, options).start();
  running.push(node);
  return node;
}

async function pair(options: Partial<TcpPeerOptions> = {}): Promise<[TestNode, TestNode]> {
  const [a, b] = [await started('a', options), await started('b', options)];
  introduce(a, b);
  await linked(a, b);
  return [a, b];
}

/** Both lanes stand both ways. */
async function linked(a: TestNode, b: TestNode): Promise<void> {
  const ready = (from: TestNode, to: string): boolean =>
    from.network
      .status()
      .some(({ node, counters }) => node === to && counters.connects - counters.breaks === 2);
  await until(() => ready(a, b.id) && ready(b, a.id), `links between ${a.id} and ${b.id}`);
}

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ network }) => network.close()));
});

const contexts = (node: TestNode): number[] =>
  node.messages.map(({ message }) => (message.kind === 'readIndexRequest' ? message.context : -1));

describe('messages', () => {
  test('arrive in order, both ways, with sender and shard', async () => {
    const [a, b] = await pair();
    const expected = Array.from({ length: 20_000 }, (_, i) => i);
    for (const i of expected) {
      expect(a.network.send('b', 3, numbered(i), 'control')).toBe(true);
      expect(b.network.send('a', 4, numbered(i), 'control')).toBe(true);
    }
    await until(() => a.messages.length === expected.length && b.messages.length === expected.length);
    expect(contexts(b)).toEqual(expected);
    expect(contexts(a)).toEqual(expected);
    expect(b.messages[0]).toMatchObject({ from: 'a', shard: 3 });
    expect(a.messages[0]).toMatchObject({ from: 'b', shard: 4 });
  });

  test('keep their order when small and large ones mix', async () => {
    const [a, b] = await pair();
    let lsn = 1;
    for (const bytes of [10, 9_000, 100, 70_000, 8_000, 1 << 20, 1, 33_000]) {
      a.network.send('b', 0, appendOf(bytes, lsn), 'control');
      a.network.send('b', 0, numbered(lsn), 'control');
      lsn += 1;
    }
    await until(() => b.messages.length === 16);
    const seen = b.messages.map(({ message }) =>
      message.kind === 'append'
        ? (message.batches[0]?.firstLsn ?? 0)
        : message.kind === 'readIndexRequest'
          ? message.context
          : 0,
    );
    expect(seen).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8]);
  });

  test('of one turn leave when it ends, or at flush', async () => {
    const scheduled: (() => void)[] = [];
    const turnEnd = { schedule: (callback: () => void) => void scheduled.push(callback) };
    const [a, b] = await pair({ turnEnd });
    for (let i = 0; i < 10; i++) a.network.send('b', 0, numbered(i), 'control');
    const queued = a.network.queuedBytes('b', 'control');
    expect(queued).toBeGreaterThan(10 * 17);
    expect(scheduled).toHaveLength(1);
    const before = a.network.status()[0]?.counters.bytesOut ?? 0;
    a.network.flush();
    expect((a.network.status()[0]?.counters.bytesOut ?? 0) - before).toBe(queued);
    await until(() => b.messages.length === 10);
    expect(a.network.queuedBytes('b', 'control')).toBe(0);
    a.network.send('b', 0, numbered(10), 'control');
    for (const callback of scheduled) callback();
    await until(() => b.messages.length === 11);
  });

  test('to nobody or over no link are dropped at once', async () => {
    const a = await started('a');
    a.network.setPeers([{ node: 'b', host: '127.0.0.1', port: 1 }]);
    expect(a.network.send('b', 0, numbered(1), 'control')).toBe(false);
    expect(a.network.send('x', 0, numbered(1), 'control')).toBe(false);
    expect(a.network.send('a', 0, numbered(1), 'control')).toBe(false);
    expect(a.network.connected('b')).toBe(false);
    expect(a.network.status()[0]?.counters.dropped).toBe(1);
  });

  test('that fit no frame are dropped and reported', async () => {
    const [a, b] = await pair();
    expect(a.network.send('b', 0, pieceOf((4 << 20) + 4096), 'bulk')).toBe(false);
    expect(a.warnings).toEqual([expect.stringContaining('is too large for a frame')]);
    expect(a.network.send('b', 0, pieceOf(4 << 20), 'bulk')).toBe(true);
    await until(() => b.messages.length === 1);
  });

  test('on the control lane pass by a bulk lane that is full of work', async () => {
    const [a, b] = await pair();
    const pieceBytes = 1 << 20;
    let sent = 0;
    const feed = setInterval(() => {
      while (sent < 150 && a.network.send('b', 0, pieceOf(pieceBytes, sent), 'bulk')) sent += 1;
    }, 1);
    let worstMs = 0;
    const pieces = (): number => b.messages.filter(({ message }) => message.kind === 'snapshotChunk').length;
    try {
      await until(() => sent > 8, 'a full bulk lane');
      for (let i = 0; pieces() < 150 && i < 2000; i++) {
        const startMs = performance.now();
        const arrived = new Promise<void>((resolve) => {
          b.onMessage = (_, message) => {
            if (message.kind === 'readIndexRequest') resolve();
          };
        });
        a.network.send('b', 0, numbered(i), 'control');
        await arrived;
        worstMs = Math.max(worstMs, performance.now() - startMs);
      }
      await until(() => pieces() === 150);
    } finally {
      clearInterval(feed);
    }
    const order = b.messages.flatMap(({ message }) =>
      message.kind === 'snapshotChunk' ? [message.offset] : [],
    );
    expect(order).toEqual(Array.from({ length: 150 }, (_, i) => i));
    const between = b.messages.findLastIndex(({ message }) => message.kind === 'readIndexRequest');
    expect(between).toBeGreaterThan(20);
    expect(worstMs).toBeLessThan(250);
  });
});

describe('identities', () => {
  test('are known before the link is used, and freshness is told when it ends', async () => {
    const [a, b] = await pair();
    expect(a.network.identityOf('b')).toEqual({
      node: 'b',
      cluster: 'test',
      instance: 'b-disk',
      client: '127.0.0.1:1',
      fresh: true,
      hearsNodes: false,
    });
    b.fresh = false;
    a.onMessage = () => a.events.push(`fresh ${a.network.identityOf('b')?.fresh}`);
    b.network.send('a', 0, numbered(1), 'control');
    await until(() => a.messages.length === 1);
    expect(a.events).toContain('fresh false');
    expect(a.identities.map(({ fresh }) => fresh)).toEqual([true, false]);
  });

  test('of a node that says nothing else are brought up to date too', async () => {
    const [a, b] = await pair({ timing: { aliveMs: 20 } });
    b.fresh = false;
    await until(() => a.network.identityOf('b')?.fresh === false);
    expect(b.network.identityOf('a')?.fresh).toBe(true);
  });

  test('change when a node comes back with another disk', async () => {
    const [a, b] = await pair();
    b.fresh = false;
    await b.network.close();
    const wiped = await started('b', {
      listen: b.address,
      identity: { node: 'b', cluster: 'test', instance: 'b-disk-2', client: '127.0.0.1:1' },
    });
    introduce(a, wiped);
    await linked(a, wiped);
    expect(a.network.identityOf('b')).toMatchObject({ instance: 'b-disk-2', fresh: true });
    expect(a.warnings).toEqual(['the peer came back with another data directory']);
  });
});

test('a node that comes back may serve its clients elsewhere', async () => {
  const [a, b] = await pair();
  await b.network.close();
  const again = await started('b', {
    listen: b.address,
    identity: { node: 'b', cluster: 'test', instance: 'b-disk', client: '127.0.0.1:2' },
  });
  introduce(a, again);
  await linked(a, again);
  expect(a.identities.map(({ client }) => client)).toEqual(['127.0.0.1:1', '127.0.0.1:2']);
  expect(a.warnings).toEqual([]);
});

describe('links', () => {
  test('that break because the process is gone say so quickly, and come back with it', async () => {
    const [a, b] = await pair({ timing: { steadyMs: 0 } });
    const closedMs = performance.now();
    await b.network.close();
    await until(() => a.events.length === 2);
    expect(performance.now() - closedMs).toBeLessThan(200);
    expect(a.events).toEqual(['up b', 'down b refused']);
    expect(a.network.connected('b')).toBe(false);
    const again = await started('b', { listen: b.address });
    introduce(a, again);
    await linked(a, again);
    expect(a.events).toEqual(['up b', 'down b refused', 'up b']);
    a.network.send('b', 0, numbered(5), 'control');
    await until(() => again.messages.length === 1);
  });

  test('follow a peer to its new address, and leave one that is no peer any more', async () => {
    const [a, b] = await pair();
    b.network.setPeers([]);
    const moved = await started('b');
    introduce(a, moved);
    await until(() => a.events.length === 3);
    expect(a.events).toEqual(['up b', 'down b', 'up b']);
    await linked(a, moved);
    a.network.send('b', 0, numbered(1), 'control');
    await until(() => moved.messages.length === 1);
    expect(b.messages).toHaveLength(0);
    a.network.setPeers([{ node: 'a', ...a.address }]);
    expect(a.events.at(-1)).toBe('down b');
    expect(a.network.send('b', 0, numbered(1), 'control')).toBe(false);
    await until(() => moved.network.connected('a') === false);
  });

  test('of two nodes with one name go to the one that was there first', async () => {
    const [a, b] = await pair();
    const second = await started('b', {
      identity: { node: 'b', cluster: 'test', instance: 'copy', client: '127.0.0.1:1' },
    });
    second.network.setPeers([{ node: 'a', ...a.address }]);
    await until(() => second.warnings.some((line) => line.includes("two nodes call themselves 'b'")));
    b.network.send('a', 0, numbered(1), 'control');
    await until(() => a.messages.length === 1);
    expect(a.identities).toHaveLength(1);
    expect(second.events).toEqual([]);
  });

  test('to the same node twice are a mistake in the list', async () => {
    const a = await started('a');
    const entry = { node: 'b', host: '127.0.0.1', port: 1 };
    expect(() => a.network.setPeers([entry, entry])).toThrow('BW_CONFIG_INVALID');
  });

  test('need a port of their own', async () => {
    const a = await started('a');
    await expect(new TestNode('b', { listen: a.address }).start()).rejects.toMatchObject({
      code: 'BW_PORT_TAKEN',
    });
    const nowhere = { host: '192.0.2.1', port: 0 };
    await expect(new TestNode('b', { listen: nowhere }).start()).rejects.toMatchObject({
      code: 'BW_CONFIG_INVALID',
    });
  });
});

describe('refusals', () => {
  const quick = { timing: { refusedRetryMs: 30 } };
  const cases: [string, Partial<TcpPeerOptions>, string][] = [
    [
      'another cluster',
      { identity: { node: 'b', cluster: 'else', instance: 'i', client: '127.0.0.1:1' } },
      "to cluster 'else'",
    ],
    [
      'another node',
      { identity: { node: 'c', cluster: 'test', instance: 'i', client: '127.0.0.1:1' } },
      "node 'c' answers at the address",
    ],
    ['another secret', { secret: 'guess' }, 'another shared secret'],
    ['no secret', { secret: null }, "node 'b' has none"],
  ];
  for (const [name, options, reason] of cases) {
    test(`${name}: both sides log why, once, and keep trying slowly`, async () => {
      const a = await started('a', { secret: 'right', ...quick });
      const b = await started('b', { secret: 'right', ...quick, ...options });
      a.network.setPeers([{ node: 'b', ...b.address }]);
      b.network.setPeers([{ node: 'a', ...a.address }]);
      const refusals = (): number => a.network.listenerCounters.refused + b.network.listenerCounters.refused;
      await until(() => refusals() >= 12, 'repeated attempts');
      for (const node of [a, b]) {
        const about = node.log.filter(({ fields, message }) => 'code' in fields && message.includes(reason));
        expect(about.length).toBeGreaterThan(0);
        for (const { fields, level } of about)
          expect([fields['code'], level]).toEqual(['BW_PEER_REFUSED', 'warn']);
        const lines = node.warnings;
        expect(new Set(lines).size).toBe(lines.length);
      }
      expect([...a.events, ...b.events, ...a.messages, ...b.messages]).toEqual([]);
    });
  }

  test('the dialler waits long between attempts', async () => {
    const a = await started('a', { secret: 'right' });
    const b = await started('b', { secret: 'wrong' });
    a.network.setPeers([{ node: 'b', ...b.address }]);
    b.network.setPeers([{ node: 'a', host: '127.0.0.1', port: 1 }]);
    await until(() => b.network.listenerCounters.refused === 2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(b.network.listenerCounters.refused).toBe(2);
  });

  test('end when the reason is gone', async () => {
    const a = await started('a', quick);
    const b = await started('b', quick);
    a.network.setPeers([{ node: 'b', ...b.address }]);
    await until(() => a.warnings.some((line) => line.includes('not in the peer list')));
    introduce(a, b);
    await linked(a, b);
  });
});
