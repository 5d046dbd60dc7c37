import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

let cluster: TestCluster;
let leader: TestNode;
let follower: TestNode;
let writer: RawClient;
let reader: RawClient;

beforeAll(async () => {
  cluster = await TestCluster.start({ proxies: true });
  leader = await cluster.ready();
  [follower] = (await cluster.followers()) as [TestNode];
  writer = await RawClient.connect(leader.port);
  reader = await RawClient.connect(follower.port);
});

afterAll(async () => {
  await Promise.all([writer.close(), reader.close()]);
  await cluster.dispose();
});

/** What the follower answers at a level. */
async function readAt(level: string, key: string): Promise<string> {
  expect((await reader.command('REPL', 'READ', ...level.split(' '))).value).toBe('OK');
  const { value } = await reader.command('GET', key);
  return value instanceof ReplyError ? value.message : String(value);
}

/** The LSN of the writer's last write. */
async function lastLsn(): Promise<number> {
  return Number(String((await writer.command('REPL', 'TOKEN')).value).split(':')[2]);
}

describe('on a follower that is well', () => {
  it('strict reads see every write that was acknowledged before they were sent', async () => {
    for (let i = 0; i < 200; i++) {
      await writer.command('SET', 'strict', i);
      expect(await readAt('strict', 'strict')).toBe(String(i));
    }
  });

  it('strict reads of a pipeline share their questions to the leader', async () => {
    const pipeline = 5000;
    const asked = leader.proxy as NonNullable<typeof leader.proxy>;
    await writer.command('SET', 'strict', 'all');
    await reader.command('REPL', 'READ', 'strict');
    const before = asked.bytes;
    for (let i = 0; i < pipeline; i++) reader.sendCommand('GET', 'strict');
    for (let i = 0; i < pipeline; i++) expect((await reader.next()).value).toBe('all');
    // A question for each would take more than 20 bytes each; what heartbeats answer comes on top.
    expect(asked.bytes - before).toBeLessThan(8 * pipeline);
  });

  it('bounds that heartbeats cannot prove are asked for', async () => {
    for (const bound of [20, 50, 1000]) {
      await writer.command('SET', 'bounded', bound);
      await new Promise((resolve) => setTimeout(resolve, bound));
      expect(await readAt(`bounded ${bound}`, 'bounded')).toBe(String(bound));
    }
  });

  it('a bound by LSN includes what was written there', async () => {
    for (let i = 0; i < 50; i++) {
      await writer.command('SET', 'by-lsn', i);
      expect(await readAt(`bounded lsn ${await lastLsn()}`, 'by-lsn')).toBe(String(i));
    }
    expect(await readAt(`bounded lsn ${(await lastLsn()) + 1000}`, 'by-lsn')).toMatch(
      /^ASK \d+ 127\.0\.0\.1:/,
    );
  });

  it('a token of another connection lets eventual reads see its writes', async () => {
    for (let i = 0; i < 100; i++) {
      await writer.command('SET', 'token', i);
      const token = String((await writer.command('REPL', 'TOKEN')).value);
      expect((await reader.command('REPL', 'AFTER', token)).value).toBe('OK');
      expect(await readAt('eventual', 'token')).toBe(String(i));
    }
    await reader.command('REPL', 'AFTER', 'NONE');
  });

  it('a token of a write that was lost is told, once', async () => {
    await writer.command('SET', 'token', 'there');
    const [shard, term, lsn] = String((await writer.command('REPL', 'TOKEN')).value)
      .split(':')
      .map(Number);
    await reader.command('REPL', 'AFTER', `${shard}:${Number(term) - 1}:${lsn}`);
    await until('the follower knows', async () =>
      (await readAt('eventual', 'token')).startsWith('LOSTWRITE'),
    );
    await until('there', async () => (await readAt('eventual', 'token')) === 'there');
  });

  it('linearizable and local reads are sent to the leader', async () => {
    for (const level of ['linearizable', 'local'])
      expect(await readAt(level, 'token')).toMatch(/^MOVED \d+ 127\.0\.0\.1:/);
  });

  it('READONLY, READWRITE and RESET set the level, and the configuration says which', async () => {
    const level = async () => (await reader.command('REPL', 'READ')).value;
    await reader.command('RESET');
    expect(await level()).toBe('linearizable');
    await reader.command('READONLY');
    expect(await level()).toBe('eventual');
    await reader.command('REPL', 'READ', 'strict');
    await reader.command('READWRITE');
    expect(await level()).toBe('linearizable');
    expect((await reader.command('CONFIG', 'SET', 'readonly-level', 'bounded 750')).value).toBe('OK');
    await reader.command('READONLY');
    expect(await level()).toBe('bounded 750');
    const refused = await reader.command('CONFIG', 'SET', 'readonly-level', 'fresh');
    expect(refused.value).toBeInstanceOf(ReplyError);
    await reader.command('CONFIG', 'SET', 'readonly-level', 'eventual');
    await reader.command('RESET');
    expect(await level()).toBe('linearizable');
  });
});

describe('on a follower whose link is delayed by 300 ms', () => {
  /** When each number was acknowledged. */
  const acknowledgedMs: number[] = [];
  let writing: Promise<void>;
  let stop = false;

  beforeAll(async () => {
    (follower.proxy as NonNullable<TestNode['proxy']>).delayMs = 300;
    writing = (async () => {
      for (let i = 0; !stop; i++) {
        await writer.command('SET', 'delayed', i);
        acknowledgedMs.push(performance.now());
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await until('the delay shows', async () => {
      const shown = Number(await readAt('eventual', 'delayed'));
      return (acknowledgedMs[shown + 1] ?? performance.now()) < performance.now() - 250;
    });
  });

  afterAll(async () => {
    stop = true;
    await writing;
    (follower.proxy as NonNullable<TestNode['proxy']>).delayMs = 0;
  });

  it('no read bounded by 100 ms is served, and clients are sent to the leader', async () => {
    await reader.command('CONFIG', 'SET', 'read-wait', '20');
    const slot = (await reader.command('CLUSTER', 'KEYSLOT', 'delayed')).value;
    for (let i = 0; i < 50; i++)
      expect(await readAt('bounded 100', 'delayed')).toBe(`ASK ${slot} 127.0.0.1:${leader.port}`);
    await reader.command('CONFIG', 'SET', 'read-wait', '200');
  });

  it('all reads bounded by 1000 ms are served, and keep the bound', async () => {
    for (let i = 0; i < 200; i++) {
      const sentMs = performance.now();
      const shown = Number(await readAt('bounded 1000', 'delayed'));
      // Everything that was acknowledged a second before the read was sent is there.
      const next = acknowledgedMs[shown + 1];
      expect(next === undefined || next > sentMs - 1000).toBe(true);
      expect(Number.isInteger(shown)).toBe(true);
    }
  });

  it('strict reads wait for the round trip and see everything', async () => {
    await reader.command('CONFIG', 'SET', 'read-wait', '5000');
    for (let i = 0; i < 3; i++) {
      const before = acknowledgedMs.length - 1;
      expect(Number(await readAt('strict', 'delayed'))).toBeGreaterThanOrEqual(before);
    }
    await reader.command('CONFIG', 'SET', 'read-wait', '200');
  });
});
