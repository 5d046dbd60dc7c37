import { spawnSync } from 'node:child_process';
import { Cluster } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import type { ShardStatus } from '../src/server/status-types.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient, type RawReply } from './support/raw-client.ts';
import { checkWithRedisCli, redisCli } from './support/redis-cli.ts';
import { rounds, until } from './support/wait.ts';
import { ioredisWriter, lostWrites, nodeRedisWriter, writeUntil } from './support/writers.ts';

const shardCount = 6;
let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

async function start(): Promise<TestCluster> {
  cluster = await TestCluster.start({ flags: ['--shards', String(shardCount)] });
  await spread(cluster);
  return cluster;
}

async function shardsOf(node: TestNode): Promise<readonly ShardStatus[]> {
  return (await node.status())?.shards ?? [];
}

/** Waits until every node leads two shards, serves them, and has its followers in sync. */
async function spread(running: TestCluster): Promise<void> {
  await until(running.described('every node leads two shards'), async () => {
    const all = await Promise.all(running.nodes.map(shardsOf));
    return all.every((shards) => {
      const led = shards.filter(({ role, serving }) => role === 'leader' && serving);
      return led.length === 2 && led.every(({ followers }) => followers.every(({ inSync }) => inSync));
    });
  });
}

/** Answers of all nodes to one command. */
async function askAll(running: TestCluster, ...command: string[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const node of running.nodes) {
    const client = await RawClient.connect(node.port);
    answers.push((await client.command(...command)).value);
    await client.close();
  }
  return answers;
}

function textOf({ value }: RawReply): string {
  return value instanceof ReplyError ? value.message : String(value);
}

async function scanned(client: RawClient): Promise<string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, found] = (await client.command('SCAN', cursor, 'COUNT', '7')).value as [string, string[]];
    keys.push(...found);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

describe('a cluster of six shards on three nodes', () => {
  it('gives every node two to lead, and commands without keys all that a node leads', async () => {
    const running = await start();
    const client = new Cluster([...running.addresses]);
    const keys = Array.from({ length: 300 }, (_, i) => `key:${i}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    const sizes = (await askAll(running, 'DBSIZE')) as number[];
    expect(sizes.reduce((a, b) => a + b)).toBe(keys.length);
    expect(sizes.every((size) => size > 0)).toBe(true);
    const found: string[] = [];
    for (const node of running.nodes) {
      const raw = await RawClient.connect(node.port);
      const own = await scanned(raw);
      expect(new Set(own)).toEqual(new Set((await raw.command('KEYS', '*')).value as string[]));
      expect(own).toContain((await raw.command('RANDOMKEY')).value);
      found.push(...own);
      await raw.close();
    }
    expect([...found].sort()).toEqual([...keys].sort());
    await until(
      'all digests are equal',
      async () => new Set(await askAll(running, 'DEBUG', 'DIGEST')).size === 1,
    );
    expect(await askAll(running, 'FLUSHALL')).toEqual(['OK', 'OK', 'OK']);
    expect(await askAll(running, 'DBSIZE')).toEqual([0, 0, 0]);
    client.disconnect();
  });

  it('sends a client to the leader of a slot, and counts copies of its writes in all shards', async () => {
    const running = await start();
    const [node] = running.nodes as [TestNode];
    const raw = await RawClient.connect(node.port);
    const answers = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const [kind] = textOf(await raw.command('SET', `key:${i}`, 'v')).split(' ');
      answers.add(String(kind));
    }
    expect([...answers].sort()).toEqual(['MOVED', 'OK']);
    expect((await raw.command('WAIT', '2', '5000')).value).toBe(2);
    await raw.command('MULTI');
    expect(textOf(await raw.command('FLUSHALL'))).toContain('not inside MULTI');
    expect(textOf(await raw.command('EXEC'))).toContain('EXECABORT');
    await raw.close();
  });

  it('loses nothing when nodes are killed while two clients write to all shards', async () => {
    const running = await start();
    const writers = [await ioredisWriter(running), await nodeRedisWriter(running)];
    let stopped = false;
    const writing = writers.map((writer, i) => writeUntil(writer, `shards${i}`, 8, () => stopped));
    const goOn = async (): Promise<void> => {
      const from = writers.map(({ acknowledged }) => acknowledged.size);
      await until('writes go on', () =>
        writers.every(({ acknowledged }, i) => acknowledged.size > (from[i] as number) + 100),
      );
    };
    for (let round = 0; round < rounds(2); round++) {
      await goOn();
      const victim = running.nodes[round % 3] as TestNode;
      await victim.kill();
      victim.start();
      await goOn();
      await spread(running);
    }
    stopped = true;
    await Promise.all(writing);
    for (const writer of writers) {
      expect(await lostWrites(writer)).toEqual([]);
      await writer.close();
    }
    await until(
      'all digests are equal',
      async () => new Set(await askAll(running, 'DEBUG', 'DIGEST')).size === 1,
    );
  });

  it('pitfall 44: keeps the number of shards that it began with', async () => {
    const running = await start();
    const [node] = running.nodes as [TestNode];
    await node.kill();
    const other = spawnSync(
      process.execPath,
      node.command.map((word) => (word === String(shardCount) ? '2' : word)),
      { encoding: 'utf8' },
    );
    expect(other.status).not.toBe(0);
    expect(other.stderr + other.stdout).toContain('a cluster of 6 shards, and --shards says 2');
  });

  it.skipIf(!redisCli)('redis-cli finds every slot covered', async () => {
    const running = await start();
    await checkWithRedisCli(running.nodes);
  });
});
