import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

const reads = 25;

let cluster: TestCluster;
let leader: TestNode;
let slow: TestNode;
let fast: TestNode;

beforeAll(async () => {
  cluster = await TestCluster.start({ proxies: true, flags: ['--replica-max-lag', '150ms'] });
  leader = await cluster.ready();
  [slow, fast] = (await cluster.followers()) as [TestNode, TestNode];
  (slow.proxy as NonNullable<TestNode['proxy']>).delayMs = 250;
  await until(cluster.described('every node leaves the slow one out'), async () => {
    const told = await Promise.all(cluster.nodes.map(replicasTold));
    return told.every((ports) => !ports.includes(slow.port));
  });
});
afterAll(async () => {
  await cluster.dispose();
});

/** Ports of the nodes that CLUSTER SLOTS names beside the leader. */
async function replicasTold(node: TestNode): Promise<number[]> {
  const client = await RawClient.connect(node.port);
  const [row] = (await client.command('CLUSTER', 'SLOTS')).value as [[number, number, ...[string, number][]]];
  await client.close();
  return row.slice(3).map((member) => (member as [string, number])[1]);
}

async function commandsOf(node: TestNode): Promise<number> {
  return (await node.status())?.commands.total ?? 0;
}

it('a follower that lags too far is left out of CLUSTER SLOTS, and still is a node of the cluster', async () => {
  for (const node of cluster.nodes) {
    expect(await replicasTold(node)).toEqual([fast.port]);
    const client = await RawClient.connect(node.port);
    const nodes = String((await client.command('CLUSTER', 'NODES')).value);
    for (const { port } of cluster.nodes) expect(nodes).toContain(`127.0.0.1:${port}@`);
    expect((await client.command('CLUSTER', 'SHARDS')).wire).toMatch(/health\r\n\$7\r\nloading\r\n/);
    await client.close();
  }
  const view = (await leader.shard())?.followers.find(({ node }) => node === slow.id);
  expect(view?.listed).toBe(false);
  expect(view?.boundMs).toBeGreaterThan(150);
});

it('ioredis with scaleReads slave reads from the others only, and follows a failover', async () => {
  const client = new Cluster([...cluster.addresses], { scaleReads: 'slave', slotsRefreshInterval: 100 });
  await new Promise<void>((resolve) => client.once('ready', resolve));
  await until('it knows the two', () => client.nodes('all').length === 2);
  const before = [await commandsOf(slow), await commandsOf(fast)] as const;
  for (let i = 0; i < reads; i++) {
    await client.set('key', String(i));
    await client.get('key');
  }
  expect((await commandsOf(slow)) - before[0]).toBe(0);
  expect((await commandsOf(fast)) - before[1]).toBeGreaterThanOrEqual(reads);
  await leader.kill();
  await until(cluster.described('it writes again'), () =>
    client.set('key', 'after').then(
      () => true,
      () => false,
    ),
  );
  leader.start();
  client.disconnect();
  leader = await cluster.ready();
  await until(cluster.described('the slow one is left out again'), async () => {
    const told = await Promise.all(cluster.nodes.map(replicasTold));
    return told.every((ports) => !ports.includes(slow.port) && ports.length === 1);
  });
});

it('node-redis with useReplicas reads from the others only', async () => {
  const client = createCluster({
    rootNodes: cluster.addresses.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
    useReplicas: true,
  });
  await client.connect();
  const before = await commandsOf(slow);
  for (let i = 0; i < reads; i++) {
    await client.set('key', String(i));
    await client.get('key');
  }
  client.destroy();
  expect((await commandsOf(slow)) - before).toBe(0);
});

it('it is named again when it lags no more, and when that is asked of no replica', async () => {
  const client = await RawClient.connect(leader.port);
  await client.command('CONFIG', 'SET', 'replica-max-lag', '0');
  await until(cluster.described('all are named'), async () => {
    const told = await Promise.all(cluster.nodes.map(replicasTold));
    return told.every((ports) => ports.length === 2);
  });
  await client.command('CONFIG', 'SET', 'replica-max-lag', '150ms');
  await until(cluster.described('it is left out'), async () => (await replicasTold(leader)).length === 1);
  (slow.proxy as NonNullable<TestNode['proxy']>).delayMs = 0;
  await until(cluster.described('all are named'), async () => {
    const told = await Promise.all(cluster.nodes.map(replicasTold));
    return told.every((ports) => ports.length === 2);
  });
  await client.close();
});
