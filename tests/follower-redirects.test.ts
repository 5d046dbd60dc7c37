import { spawn, spawnSync } from 'node:child_process';
import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

/** Reads of each client. */
const reads = 15;

let cluster: TestCluster;
let leader: TestNode;

// Followers that hear everything 300 ms late, and readers who want nothing older than 100 ms.
beforeAll(async () => {
  cluster = await TestCluster.start({
    proxies: true,
    flags: ['--readonly-level', 'bounded 100', '--read-wait', '10ms'],
  });
  leader = await cluster.ready();
  const followers = await cluster.followers();
  for (const { proxy } of followers) (proxy as NonNullable<typeof proxy>).delayMs = 300;
  for (const { port } of followers) {
    const client = await RawClient.connect(port);
    await client.command('READONLY');
    await until('the delay shows', async () =>
      String((await client.command('GET', 'key')).wire).startsWith(`-ASK 12539 127.0.0.1:${leader.port}`),
    );
    await client.close();
  }
});

afterAll(async () => {
  await cluster.dispose();
});

async function commandsOf(node: TestNode): Promise<number> {
  return (await node.status())?.commands.total ?? 0;
}

async function commandsOfAll(): Promise<number> {
  let sum = 0;
  for (const node of cluster.nodes) sum += await commandsOf(node);
  return sum;
}

/** Reads what was just written, each time; answers how many commands the nodes were sent for one read. */
async function readOwnWrites(
  set: (value: string) => Promise<unknown>,
  get: () => Promise<string | null>,
): Promise<number> {
  const before = await commandsOfAll();
  for (let i = 0; i < reads; i++) {
    await set(String(i));
    expect(await get()).toBe(String(i));
  }
  return ((await commandsOfAll()) - before) / reads - 1;
}

it('ioredis with scaleReads slave goes to the leader for a read that its replica cannot serve', async () => {
  const client = new Cluster([...cluster.addresses], { scaleReads: 'slave' });
  await new Promise<void>((resolve) => client.once('ready', resolve));
  const perRead = await readOwnWrites(
    (value) => client.set('key', value),
    () => client.get('key'),
  );
  client.disconnect();
  // GET at the replica, ASKING and GET at the leader, and what its housekeeping asks.
  expect(perRead).toBeGreaterThan(2);
  expect(perRead).toBeLessThan(4.5);
});

it('node-redis with useReplicas goes to the leader for a read that its replica cannot serve', async () => {
  const client = createCluster({
    rootNodes: cluster.addresses.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
    useReplicas: true,
  });
  await client.connect();
  const perRead = await readOwnWrites(
    (value) => client.set('key', value),
    () => client.get('key'),
  );
  client.destroy();
  // It reads from the leader too, when its turn comes.
  expect(perRead).toBeGreaterThan(1.3);
  expect(perRead).toBeLessThan(4.5);
});

const redisCli = spawnSync('redis-cli', ['--version']).status === 0;
if (!redisCli) console.log('SKIPPED: no redis-cli is on PATH, so its redirections were not tried.');

it.skipIf(!redisCli)('redis-cli -c goes to the leader for a read that its replica cannot serve', async () => {
  const follower = (await cluster.followers())[0] as TestNode;
  const writer = await RawClient.connect(leader.port);
  await writer.command('SET', 'key', 'fresh');
  await writer.close();
  const cli = spawn('redis-cli', ['-c', '-p', String(follower.port)]);
  let output = '';
  cli.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  cli.stdin.end('READONLY\nGET key\nGET key\n');
  await new Promise((resolve) => cli.once('close', resolve));
  // It says where it goes, and stays there.
  const answers = output
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('->'));
  expect(answers).toEqual(['OK', 'fresh', 'fresh']);
});
