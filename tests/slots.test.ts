import { Cluster } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import type { Metadata } from '../src/cluster/metadata.ts';
import { metadataFrom } from '../src/cluster/metadata-file.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { commandLine } from './support/command-line.ts';
import { RawClient } from './support/raw-client.ts';
import { checkWithRedisCli } from './support/redis-cli.ts';
import { rounds, until } from './support/wait.ts';
import {
  type Appender,
  appendUntil,
  ioredisAppender,
  nodeRedisAppender,
  wrongLists,
} from './support/writers.ts';

let running: TestCluster;
afterEach(() => running.dispose());

/** What a node answers to one command; empty when nobody does. */
async function ask(node: TestNode, ...words: string[]): Promise<string> {
  try {
    const client = await RawClient.connect(node.port);
    const { value } = await client.command(...words);
    await client.close();
    return String(value);
  } catch {
    return '';
  }
}

async function metadataOn(node: TestNode): Promise<Metadata | null> {
  const text = await ask(node, 'REPL', 'METADATA');
  return text === '' ? null : metadataFrom(JSON.parse(text));
}

/** `bellwether …` against the cluster, to its end; its output. */
async function bellwether(...words: string[]): Promise<string> {
  const { code, output } = await commandLine(running.nodes, [...words, '--timeout', '60']);
  if (code !== 0) throw new Error(await running.described(`${words.join(' ')}: ${output}`)());
  return output;
}

/** Asks whoever leads the metadata. */
async function decide(...words: string[]): Promise<void> {
  await until(running.described(words.join(' ')), async () => {
    for (const node of running.nodes)
      if (/^\d+$/.test(await ask(node, 'REPL', 'SLOTS', ...words))) return true;
    return false;
  });
}

/** All nodes say that a shard has so many slots, and that nothing is on its way. */
async function hasSlots(shard: number, count: number): Promise<void> {
  await until(
    running.described(`shard ${shard} has ${count} slots`),
    async () => {
      const all = await Promise.all(running.nodes.filter(({ process }) => process !== null).map(metadataOn));
      return all.every(
        (one) =>
          one !== null &&
          one.moves.size === 0 &&
          one.owners.filter((owner) => owner === shard).length === count,
      );
    },
    60_000,
  );
}

/** The node that leads a shard. */
async function leaderOf(number: number): Promise<TestNode> {
  return await until(running.described(`shard ${number} is led`), async () => {
    for (const node of running.nodes)
      for (const { shard, serving } of (await node.status())?.shards ?? [])
        if (shard === number && serving) return node;
    return null;
  });
}

/** Appends the same item to two lists of one slot, in a transaction. */
async function transactionAppender(): Promise<Appender> {
  const client = new Cluster([...running.addresses]);
  client.on('error', () => undefined);
  await new Promise<void>((resolve) => client.once('ready', resolve));
  return {
    library: 'transactions',
    acknowledged: new Map(),
    errors: [],
    append: async (list, item) => {
      const replies = await client.multi().rpush(list, item).rpush(`{${list}}twin`, item).exec();
      if (replies === null) throw new Error('the transaction did not happen');
      for (const [error] of replies) if (error !== null) throw error;
      const twins = await client.mget(`{${list}}one`, `{${list}}other`);
      if (twins[0] !== twins[1]) throw new Error(`half of an MSET: ${twins}`);
      await client.mset(`{${list}}one`, item, `{${list}}other`, item);
    },
    close: async () => client.disconnect(),
  };
}

/** Clients that append unique items until the end, where nothing may be missing or double. */
class Load {
  readonly #appenders: readonly Appender[];
  readonly #working: Promise<void>[];
  #stopped = false;
  /** The longest time that one append took, in ms. */
  longestMs = 0;

  private constructor(appenders: readonly Appender[]) {
    this.#appenders = appenders.map((appender) => ({
      ...appender,
      append: async (list, item) => {
        const startedMs = performance.now();
        await appender.append(list, item);
        this.longestMs = Math.max(this.longestMs, performance.now() - startedMs);
      },
    }));
    this.#working = this.#appenders.map((appender) => appendUntil(appender, 8, () => this.#stopped));
  }

  static async start(): Promise<Load> {
    return new Load([
      await ioredisAppender(running),
      await nodeRedisAppender(running),
      await transactionAppender(),
    ]);
  }

  /** The errors that the application saw. */
  async end(): Promise<string[]> {
    this.#stopped = true;
    await Promise.all(this.#working);
    const twins = this.#appenders.map((appender) =>
      appender.library !== 'transactions'
        ? appender
        : {
            ...appender,
            acknowledged: new Map(
              [...appender.acknowledged].flatMap(([list, items]) => [
                [list, items],
                [`{${list}}twin`, items],
              ]),
            ),
          },
    );
    this.wrong = await wrongLists(running, twins);
    await Promise.all(this.#appenders.map((appender) => appender.close()));
    return this.#appenders.flatMap(({ library, errors }) => errors.map((error) => `${library}: ${error}`));
  }

  wrong: string[] = [];

  get written(): number {
    let sum = 0;
    for (const { acknowledged } of this.#appenders)
      for (const { length } of acknowledged.values()) sum += length;
    return sum;
  }
}

it('pitfall 44: all slots of a shard move away and back while clients go on, without an error or a lost write', async () => {
  running = await TestCluster.start({ flags: ['--shards', '3'] });
  await hasSlots(1, 5462);
  const load = await Load.start();
  for (let round = rounds(1); round > 0; round--) {
    const away = await bellwether('slots', 'move', '5462', '--from', '1', '--to', '2');
    expect(away).toMatch(/^Moved 5462 slots of shard 1 to shard 2 in [\d.]+ s\.$/m);
    await hasSlots(1, 0);
    await checkWithRedisCli(running.nodes);
    await bellwether('slots', 'move', '0-5461', '--from', '2', '--to', '1');
    await hasSlots(1, 5462);
    await checkWithRedisCli(running.nodes);
  }
  expect(await bellwether('slots')).toMatch(/^1 +5462$/m);
  expect(await bellwether('slots', 'cancel')).toBe('No slots are to be moved.\n');
  const errors = await load.end();
  console.log(`${load.written} appends, the longest took ${Math.round(load.longestMs)} ms`);
  expect(load.wrong).toEqual([]);
  // A machine that stands still costs leaders their place, and clients their connections, whatever we do.
  const lost = running.nodes.some(({ said }) => said.includes('"planned":false'));
  if (lost) console.log(`not judged: leaders stood still, and clients saw ${errors.length} errors`);
  else expect(errors).toEqual([]);
});

it('pitfall 44: nothing is lost when leaders of both sides die while slots move', async () => {
  running = await TestCluster.start({ flags: ['--shards', '3'] });
  await hasSlots(1, 5462);
  const load = await Load.start();
  for (let round = rounds(1); round > 0; round--)
    for (const [from, to] of [
      [1, 2],
      [2, 1],
    ] as const) {
      await decide('MOVE', '0-5461', 'FROM', `${from}`, 'TO', `${to}`);
      // The one that takes them, and on the way back the one that gives them.
      const node = await leaderOf(2);
      await node.kill();
      node.start();
      await hasSlots(1, from === 1 ? 0 : 5462);
      await checkWithRedisCli(running.nodes);
    }
  const errors = await load.end();
  console.log(
    `${load.written} appends, ${errors.length} errors, the longest took ${Math.round(load.longestMs)} ms`,
  );
  // What got no answer may have happened, or twice when the client tried again.
  expect(load.wrong.filter((wrong) => !wrong.includes(': lost , '))).toEqual([]);
});
