import { afterEach, expect, it } from 'vitest';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { commandLine } from './support/command-line.ts';
import { RawClient } from './support/raw-client.ts';
import { checkWithRedisCli } from './support/redis-cli.ts';
import { rounds, until } from './support/wait.ts';
import {
  type Appender,
  appendUntil,
  doubtfulLists,
  ioredisAppender,
  nodeRedisAppender,
} from './support/writers.ts';

let running: TestCluster;
afterEach(() => running.dispose());

/** Those that belong to the cluster, or are about to. */
let belonging: TestNode[] = [];
const shardCount = 3;

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `bellwether …` to its end, which it reaches whoever dies meanwhile. */
async function bellwether(...words: string[]): Promise<void> {
  const beganMs = performance.now();
  let output = '';
  for (let left = 5; left > 0; left--) {
    const { code, output: said } = await commandLine(belonging, [...words, '--timeout', '180']);
    output += said;
    if (code === 0) {
      console.log(`${words.join(' ')}: ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
      return;
    }
    // A replica that the first try asked for is there already.
    if (/already|has no replica/.test(output)) return;
  }
  throw new Error(await running.described(`${words.join(' ')}: ${output}`)());
}

/** Kills leaders, of shards or the metadata, and starts them again, until it is told to stop. */
class Killer {
  kills = 0;
  readonly #killing: Promise<void>;
  #stopped = false;

  constructor() {
    this.#killing = this.#kill();
  }

  async #kill(): Promise<void> {
    while (!this.#stopped) {
      await pause(1500 + random(2500));
      const leaders: TestNode[] = [];
      for (const node of belonging) {
        const status = await node.status();
        const leads = status?.shards.some(({ serving }) => serving) || status?.metadata.leader === node.id;
        if (leads) leaders.push(node);
      }
      const victim = leaders[random(leaders.length)];
      if (victim === undefined || victim.ended !== null) continue;
      await victim.kill();
      this.kills += 1;
      await pause(random(1000));
      victim.start();
      // With two of three down there is nobody to go on: how long that lasts says nothing of the cluster.
      await until(
        running.described(`${victim.id} is back`),
        async () => victim.ended !== null || ((await victim.status())?.metadata.epoch ?? 0) > 0,
      );
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#killing;
  }
}

/** A node that joins by asking the others, one of whom may just be dead. */
async function join(): Promise<TestNode> {
  const newcomer = await running.newcomer(() => belonging[random(belonging.length)]);
  await until(
    running.described(`${newcomer.id} joins`),
    async () => {
      if (newcomer.process === null || newcomer.ended !== null) newcomer.start();
      const status = await newcomer.status();
      return status?.metadata.nodes.includes(newcomer.id) === true;
    },
    120_000,
  );
  belonging.push(newcomer);
  return newcomer;
}

async function changeFactor(): Promise<void> {
  const shard = String(1 + random(shardCount));
  const members = await until(running.described(`shard ${shard} is led`), async () => {
    for (const node of belonging) {
      const own = (await node.status())?.shards.find((one) => String(one.shard) === shard && one.serving);
      if (own !== undefined && own.learners.length === 0) return own.voters;
    }
    return null;
  });
  const others = belonging.map(({ id }) => id).filter((id) => !members.includes(id));
  const more = others.slice(0, 5 - members.length);
  for (const node of more) await bellwether('replica', 'add', shard, node);
  for (const node of more) await bellwether('replica', 'remove', shard, node);
}

/** Many slots of one shard go to another one; spreading brings as many back. */
async function moveSlots(): Promise<void> {
  const from = 1 + random(shardCount);
  const words = [
    'REPL',
    'SLOTS',
    'MOVE',
    '1500',
    'FROM',
    String(from),
    'TO',
    String(1 + (from % shardCount)),
  ];
  await until(running.described('slots are to be elsewhere'), async () => {
    for (const node of belonging) {
      if ((await node.status())?.metadata.leader !== node.id) continue;
      const client = await RawClient.connect(node.port).catch(() => null);
      const reply = await client?.command(...words).catch(() => null);
      await client?.close();
      if (typeof reply?.value === 'number') return true;
    }
    return false;
  });
}

async function whole(): Promise<void> {
  await until(
    running.described('every shard is whole'),
    async () => {
      const led = (await Promise.all(belonging.map((node) => node.status())))
        .flatMap((status) => status?.shards ?? [])
        .filter(({ serving }) => serving);
      return (
        led.length === shardCount &&
        led.every(({ voters, followers }) => voters.length === 3 && followers.every(({ inSync }) => inSync))
      );
    },
    60_000,
  );
}

/** The longest time between two acknowledged writes to one list. */
function watchPauses(appender: Appender): () => number {
  const append = appender.append.bind(appender);
  const lastMs = new Map<string, number>();
  let longest = 0;
  appender.append = async (list, item) => {
    await append(list, item);
    const now = performance.now();
    longest = Math.max(longest, now - (lastMs.get(list) ?? now));
    lastMs.set(list, now);
  };
  return () => longest;
}

it('nodes come and go, replicas and slots move, leaders are killed: nothing is lost, nothing done twice', async () => {
  const flags = ['--shards', String(shardCount), '--replicas', '3'];
  running = await TestCluster.prepare({ nodes: 5, flags });
  belonging = [...running.nodes];
  for (const node of running.nodes) node.start();
  await whole();
  const appenders = [await ioredisAppender(running, true), await nodeRedisAppender(running)];
  const pauses = appenders.map(watchPauses);
  let stopped = false;
  const working = appenders.map((appender) => appendUntil(appender, 6, () => stopped));
  const killer = new Killer();
  const beganMs = performance.now();
  for (let round = 0; round < rounds(1); round++) {
    await join();
    await moveSlots();
    await bellwether('rebalance');
    await changeFactor();
    const [oldest] = belonging as [TestNode];
    await bellwether('remove-node', oldest.id);
    belonging = belonging.filter((node) => node !== oldest);
    // It may be dead at this moment.
    await pause(1500);
    await oldest.kill();
  }
  await killer.stop();
  await whole();
  stopped = true;
  await Promise.all(working);
  await checkWithRedisCli(belonging);
  const doubtful = await doubtfulLists(running, appenders);
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  for (const [i, { library, acknowledged, errors }] of appenders.entries()) {
    const count = [...acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
    console.log(
      `${library}: ${count} writes in ${seconds} s, ${killer.kills} kills, ${errors.length} errors, longest pause ${Math.round(pauses[i]?.() ?? 0)} ms`,
    );
  }
  expect(doubtful).toEqual([]);
  await Promise.all(appenders.map((appender) => appender.close()));
}, 3_600_000);
