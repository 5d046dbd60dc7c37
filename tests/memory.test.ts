import { afterEach, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { digestsOf } from './support/digests.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

const limit = 1 << 20;
const valueBytes = 200;
/** A few more than fit. */
const keys = 6000;

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** Sets keys, hundreds at a time; every reply must be OK. */
async function fill(node: TestNode, from: number, to: number): Promise<void> {
  const client = await RawClient.connect(node.port);
  for (let next = from; next < to; ) {
    const end = Math.min(next + 500, to);
    for (let i = next; i < end; i++) client.sendCommand('SET', `key:${i}`, 'x'.repeat(valueBytes));
    for (; next < end; next++) expect((await client.next()).wire).toBe('+OK\r\n');
  }
  await client.close();
}

async function belowLimit(node: TestNode): Promise<void> {
  await until('the limit holds', async () => ((await node.shard())?.memoryBytes ?? limit + 1) <= limit);
}

it('a cluster evicts what its leader chooses: below the limit, and with equal states on all nodes', async () => {
  cluster = await TestCluster.start({
    flags: ['--maxmemory', `${limit}b`, '--maxmemory-policy', 'allkeys-lru'],
  });
  const running = cluster;
  const first = await running.leader();
  await fill(first, 0, keys);
  await belowLimit(first);
  const [digest, ...others] = await digestsOf(running);
  expect(others).toEqual(others.map(() => digest));
  const shards = await Promise.all(running.nodes.map((node) => node.shard()));
  for (const [i, shard] of shards.entries()) {
    // What followers hold, they hold because the leader said so.
    expect(shard?.evicted ?? 0).toBe(running.nodes[i] === first ? keys - (shard?.keys ?? 0) : 0);
    expect(shard?.memoryBytes).toBeLessThanOrEqual(limit);
  }
  await first.kill();
  const second = await running.leader();
  expect((await second.shard())?.evicted).toBe(0);
  await fill(second, keys, keys + 1000);
  first.start();
  await running.ready();
  await belowLimit(second);
  const [after, ...rest] = await digestsOf(running);
  expect(rest).toEqual(rest.map(() => after));
  expect((await second.shard())?.evicted).toBeGreaterThan(500);
});

it('a limit that is lowered while the cluster runs is reached without a command; keys in use stay', async () => {
  cluster = await TestCluster.start({ nodes: 1 });
  const running = cluster;
  const [node] = running.nodes as [TestNode];
  await fill(node, 0, keys);
  const client = await RawClient.connect(node.port);
  const used = Array.from({ length: 50 }, (_, i) => `key:${i * 100}`);
  let idle = '';
  await until(
    async () => `other keys have been idle: ${idle}, at ${Date.now()}; ${await running.described('')()}`,
    async () => {
      await client.command('TOUCH', ...used.slice(0, 1));
      idle = (await client.command('OBJECT', 'IDLETIME', 'key:1')).wire;
      return /^:[1-9]/.test(idle);
    },
  );
  for (const key of used) expect((await client.command('GET', key)).value).not.toBeNull();
  await client.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  await client.command('CONFIG', 'SET', 'maxmemory', limit);
  await belowLimit(node);
  const left = await Promise.all(used.map((key) => client.command('EXISTS', key)));
  expect(left.filter(({ value }) => value === 1).length).toBeGreaterThanOrEqual(48);
  const info = String((await client.command('INFO', 'memory', 'stats')).value);
  expect(info).toContain(`maxmemory:${limit}\r\n`);
  expect(info).toContain('maxmemory_policy:allkeys-lru\r\n');
  expect(Number(/evicted_keys:(\d+)/.exec(info)?.[1])).toBeGreaterThan(1000);
  await client.close();
});
