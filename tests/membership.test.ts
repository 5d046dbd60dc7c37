import fs from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { ShardStatus } from '../src/server/status-types.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { commandLine } from './support/command-line.ts';
import { checkWithRedisCli } from './support/redis-cli.ts';
import { until } from './support/wait.ts';
import {
  type Appender,
  appendUntil,
  ioredisAppender,
  nodeRedisAppender,
  wrongLists,
} from './support/writers.ts';

let running: TestCluster;
afterEach(() => running.dispose());

/** `bellwether …` against the cluster, to its end; its output. */
async function bellwether(...words: string[]): Promise<string> {
  const alive = running.nodes.filter(({ process }) => process !== null);
  const { code, output } = await commandLine(alive, [...words, '--timeout', '60']);
  if (code !== 0) throw new Error(await running.described(`${words.join(' ')}: ${output}`)());
  return output;
}

async function shardsOn(node: TestNode): Promise<number[]> {
  return ((await node.status())?.shards ?? []).map(({ shard }) => shard).sort();
}

/** What the leader of a shard says of it. */
async function shard(number: number): Promise<ShardStatus> {
  return await until(running.described(`shard ${number} is led`), async () => {
    for (const node of running.nodes)
      for (const one of (await node.status())?.shards ?? [])
        if (one.shard === number && one.serving) return one;
    return null;
  });
}

/** The metadata that each node goes by is the newest one. */
async function metadataIsEverywhere(): Promise<void> {
  await until(running.described('all nodes know the same metadata'), async () => {
    const all = await Promise.all(running.nodes.map((node) => node.status()));
    const epochs = all.flatMap((status) => (status === null ? [] : status.metadata.epoch));
    return epochs.length > 0 && Math.min(...epochs) > 0 && Math.min(...epochs) === Math.max(...epochs);
  });
}

async function start(flags: readonly string[], nodes = 3): Promise<void> {
  running = await TestCluster.prepare({ nodes, flags });
  for (const node of running.nodes) node.start();
  await running.leader();
  await metadataIsEverywhere();
}

/** Times that a leader of clients' shards lost its place against its will, as on a machine that stood still. */
function unplannedLosses(): number {
  return running.nodes.reduce((sum, { said }) => sum + said.split('"planned":false').length - 1, 0);
}

/** Two client libraries that append unique items until the end, where nothing may be missing, double or failed. */
class Load {
  readonly #appenders: readonly Appender[];
  readonly #working: Promise<void>[];
  #stopped = false;

  constructor(appenders: readonly Appender[]) {
    this.#appenders = appenders;
    this.#working = appenders.map((appender) => appendUntil(appender, 4, () => this.#stopped));
  }

  static async start(): Promise<Load> {
    return new Load([await ioredisAppender(running), await nodeRedisAppender(running)]);
  }

  #count({ acknowledged }: Appender): number {
    return [...acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
  }

  async goOn(more = 100): Promise<void> {
    const from = this.#appenders.map((appender) => this.#count(appender));
    await until(
      () => `writes go on; errors: ${this.#appenders.flatMap(({ errors }) => errors).slice(0, 5)}`,
      () => this.#appenders.every((appender, i) => this.#count(appender) >= (from[i] as number) + more),
    );
  }

  async end(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#working);
    const errors = this.#appenders.flatMap(({ library, errors }) =>
      errors.map((error) => `${library}: ${error}`),
    );
    const logs = running.nodes.map(({ output }) => output).join('\n');
    // A machine that stands still costs leaders their place, and clients their connections, whatever we do.
    if (unplannedLosses() === 0) expect(errors, logs).toEqual([]);
    else console.log(`not judged: leaders stood still, and clients saw ${errors.length} errors`);
    expect(await wrongLists(running, this.#appenders)).toEqual([]);
    await Promise.all(this.#appenders.map((appender) => appender.close()));
  }
}

it('a node joins, replicas move to it and another node leaves, without an error or a lost write', async () => {
  await start(['--shards', '3']);
  const [n1, n2, n3] = running.nodes as [TestNode, TestNode, TestNode];
  const load = await Load.start();
  await load.goOn();

  const n4 = await running.newcomer();
  n4.start();
  await until(running.described('n4 is known everywhere'), async () => {
    const all = await Promise.all(running.nodes.map((node) => node.status()));
    return all.every((status) => status?.metadata.nodes.includes('n4') === true);
  });
  await metadataIsEverywhere();
  expect(await shardsOn(n4)).toEqual([]);
  await checkWithRedisCli(running.nodes);
  await load.goOn();

  // Shard 1 is led by n1, or wants to be: its leader hands over before it goes.
  expect(await bellwether('replica', 'move', '1', 'n1', 'n4')).toContain('Shard 1 is on n2, n3, n4.');
  await until(running.described('n1 has dropped its replica'), async () => !(await shardsOn(n1)).includes(1));
  await checkWithRedisCli(running.nodes);
  await load.goOn();

  expect(await bellwether('remove-node', 'n3')).toContain('n3 has left');
  for (const number of [1, 2, 3]) expect((await shard(number)).voters).not.toContain('n3');
  await until(running.described('n4 has what n3 had'), async () => (await shardsOn(n4)).length === 3);
  await load.goOn();
  n3.signal('SIGTERM');
  await n3.exit();
  await load.goOn();
  await checkWithRedisCli(running.nodes);

  // What was decided survives: everybody starts again and knows it.
  await load.end();
  for (const node of [n1, n2, n4]) {
    node.signal('SIGTERM');
    await node.exit();
  }
  for (const node of [n1, n2, n4]) node.start();
  await metadataIsEverywhere();
  for (const number of [1, 2, 3]) expect([...(await shard(number)).voters].sort()).not.toContain('n3');
  await checkWithRedisCli(running.nodes);
});

it('the replication factor goes from 3 to 5 and back, without an error or a lost write', async () => {
  await start(['--replicas', '3', '--shards', '3'], 5);
  const load = await Load.start();
  await load.goOn();
  const before = [...(await shard(1)).voters].sort();
  const others = running.nodes.map(({ id }) => id).filter((id) => !before.includes(id));
  for (const node of others) await bellwether('replica', 'add', '1', node);
  expect([...(await shard(1)).voters].sort()).toEqual(running.nodes.map(({ id }) => id));
  await checkWithRedisCli(running.nodes);
  await load.goOn();
  for (const node of others) await bellwether('replica', 'remove', '1', node);
  expect([...(await shard(1)).voters].sort()).toEqual(before);
  await until(running.described('who was removed has dropped its replica'), async () => {
    const held = await Promise.all(
      running.nodes.filter(({ id }) => others.includes(id)).map((node) => shardsOn(node)),
    );
    return held.every((shards) => !shards.includes(1));
  });
  await load.goOn();
  await checkWithRedisCli(running.nodes);
  await load.end();
});

it('a wiped node is not taken for the one that it was: it joins anew, under another id', async () => {
  await start([]);
  const n4 = await running.newcomer();
  n4.start();
  await until(
    running.described('n4 has started'),
    async () => (await n4.status())?.metadata.nodes.includes('n4') === true,
  );
  await n4.kill();
  fs.rmSync(n4.dir, { recursive: true });
  n4.start();
  await n4.exit();
  expect(n4.ended).toBe(1);
  expect(n4.output).toContain('n4 is known with another data directory, and ids are never used again');
  const n5 = await running.newcomer();
  n5.start();
  await until(
    running.described('n5 has started'),
    async () => (await n5.status())?.metadata.nodes.includes('n5') === true,
  );
  await bellwether('replica', 'add', '1', 'n5');
  await bellwether('remove-node', 'n4');
  expect([...(await shard(1)).voters].sort()).toEqual(['n1', 'n2', 'n3', 'n5']);
});

it('a node that is gone for too long is replaced, and drops what it had when it comes back', async () => {
  await start(['--replicas', '3', '--shards', '4', '--replace-after', '1500ms'], 4);
  const gone = running.nodes[3] as TestNode;
  const held = await shardsOn(gone);
  expect(held).toHaveLength(3);
  await gone.kill();
  for (const number of held) {
    await until(running.described(`shard ${number} is whole without n4`), async () => {
      const { voters, followers } = await shard(number);
      return voters.length === 3 && !voters.includes('n4') && followers.every(({ inSync }) => inSync);
    });
  }
  gone.start();
  await until(running.described('n4 has nothing any more, and belongs to the cluster'), async () => {
    const status = await gone.status();
    return status?.metadata.nodes.includes('n4') === true && status.shards.length === 0;
  });
});

it('replicas are spread over a node that joined, as the plan says', async () => {
  await start(['--shards', '2']);
  const n4 = await running.newcomer();
  n4.start();
  await until(
    running.described('n4 is known'),
    async () => (await n4.status())?.metadata.nodes.includes('n4') === true,
  );
  // Who leads the metadata has to reach the new node, and to hear from all leaders of shards.
  const plan = await until(running.described('there is a plan'), async () => {
    const shown = await bellwether('rebalance', '--plan');
    return shown.includes('1 move.') ? shown : null;
  });
  const [first] = plan.split('\n');
  expect(first).toMatch(/^shard [12]: replica on n4 instead of n\d/);
  expect(await shardsOn(n4)).toEqual([]);
  const done = await bellwether('rebalance');
  expect(done).toContain(first?.split(' (')[0]);
  expect(done).toContain('1 move in ');
  expect(await bellwether('rebalance', '--plan')).toContain('Nothing is to be moved');
  expect(await shardsOn(n4)).toHaveLength(1);
  await bellwether('slots', 'move', '600', '--from', '1', '--to', '2');
  expect(await bellwether('rebalance')).toMatch(/600 slots of shard 2 to shard 1/);
  expect(await bellwether('rebalance', '--auto', 'off')).toContain('moves nothing by itself');
  expect(await bellwether('rebalance', '--plan')).toContain('It moves nothing by itself.');
});
