import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchStatus } from '../src/cli/admin-client.ts';
import { evenShardMap } from '../src/cluster/shard-map.ts';
import type { ShardStatus } from '../src/server/status-types.ts';
import { slotOf } from '../src/state/slot.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { commandLine } from './support/command-line.ts';
import { RawClient } from './support/raw-client.ts';
import { checkWithRedisCli } from './support/redis-cli.ts';
import { rounds, until } from './support/wait.ts';
import { ioredisWriter, lostWrites, nodeRedisWriter, type Writer, writeUntil } from './support/writers.ts';

const shardCount = 6;
const owners = evenShardMap(shardCount, ['n1', 'n2', 'n3']);
let running: TestCluster;
beforeAll(async () => {
  running = await TestCluster.start({ flags: ['--shards', String(shardCount)] });
});
afterAll(() => running.dispose());

/** `bellwether …` against the cluster, to its end. */
function bellwether(...words: string[]): ReturnType<typeof commandLine> {
  return commandLine(running.nodes, words);
}

async function shardsOf(node: TestNode): Promise<readonly ShardStatus[]> {
  return (await node.status())?.shards ?? [];
}

async function ledBy(node: TestNode): Promise<number[]> {
  return (await shardsOf(node)).flatMap(({ shard, role, serving }) =>
    role === 'leader' && serving ? [shard] : [],
  );
}

async function leaderOf(shard: number): Promise<TestNode> {
  return await until(running.described(`shard ${shard} is led`), async () => {
    for (const node of running.nodes) if ((await ledBy(node)).includes(shard)) return node;
    return null;
  });
}

/** Every node leads the two shards that it is preferred for. */
async function spread(): Promise<void> {
  await whole();
  await until(running.described('every node leads its two shards'), async () => {
    const led = await Promise.all(running.nodes.map(ledBy));
    return led.every((shards, i) => shards.join() === [i + 1, i + 4].join());
  });
}

/** Every shard is led by somebody who has both followers in sync. */
async function whole(): Promise<void> {
  await until(running.described('every shard has a leader and two followers in sync'), async () => {
    const led = (await Promise.all(running.nodes.map(shardsOf))).flat().filter(({ serving }) => serving);
    return (
      led.length === shardCount &&
      led.every(({ followers }) => followers.filter((f) => f.inSync).length === 2)
    );
  });
}

/** Times that a leader lost its place against its will, as on a machine that stood still: then clients may see errors. */
function unplannedLosses(): number {
  return running.nodes.reduce((sum, { said }) => sum + said.split('"planned":false').length - 1, 0);
}

/** Two client libraries that write unique values all the time, and when each shard acknowledged. */
class Load {
  readonly writers: readonly Writer[];
  readonly acknowledgedMs = new Map<number, number[]>();
  readonly #writing: Promise<void>[];
  readonly #losses = unplannedLosses();
  #stopped = false;

  constructor(writers: readonly Writer[]) {
    this.writers = writers;
    for (const writer of writers) this.#note(writer);
    this.#writing = writers.map((writer) => writeUntil(writer, writer.library, 8, () => this.#stopped));
  }

  static async start(): Promise<Load> {
    return new Load([await ioredisWriter(running), await nodeRedisWriter(running, true)]);
  }

  #note(writer: Writer): void {
    const write = writer.write.bind(writer);
    writer.write = async (key, value) => {
      await write(key, value);
      const shard = owners.ownerOf(slotOf(key));
      const times = this.acknowledgedMs.get(shard) ?? [];
      times.push(performance.now());
      this.acknowledgedMs.set(shard, times);
    };
  }

  /** Waits until every writer has had so many more writes acknowledged. */
  async goOn(more = 200): Promise<void> {
    const from = this.writers.map(({ acknowledged }) => acknowledged.size);
    await until(
      () => `writes go on; errors: ${this.writers.flatMap(({ errors }) => errors).slice(0, 5)}`,
      () => this.writers.every(({ acknowledged }, i) => acknowledged.size >= (from[i] as number) + more),
    );
  }

  /** The longest time between two acknowledgements of a shard that ends behind `fromMs`. */
  longestGapMs(shard: number, fromMs: number): number {
    const times = this.acknowledgedMs.get(shard) ?? [];
    let longest = 0;
    for (let i = times.length - 1; i > 0 && (times[i] as number) > fromMs; i--)
      longest = Math.max(longest, (times[i] as number) - (times[i - 1] as number));
    return longest;
  }

  /** Stops, and demands that no application saw an error and that everything acknowledged is there. */
  async end(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writing);
    const [{ read }] = this.writers as [Writer];
    const unplanned = unplannedLosses() - this.#losses;
    if (unplanned > 0) console.log(`errors do not count: ${unplanned} elections that nobody had planned`);
    for (const writer of this.writers) {
      if (unplanned === 0)
        expect(writer.errors, running.nodes.map(({ output }) => output).join('\n')).toEqual([]);
      expect(await lostWrites({ ...writer, read })).toEqual([]);
    }
    for (const writer of this.writers) await writer.close();
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

function figures(values: readonly number[]): string {
  return [0.5, 0.9, 0.99, 1].map((share) => quantile(values, share).toFixed(1)).join(' / ');
}

describe('planned work on a cluster of six shards under constant load', () => {
  it('handovers: no error and no lost write', async () => {
    await spread();
    const load = await Load.start();
    await load.goOn();
    const gaps: number[] = [];
    const usual: number[] = [];
    for (let round = 0; round < rounds(6); round++) {
      const shard = 1 + (round % shardCount);
      const leader = await leaderOf(shard);
      const others = running.nodes.filter((node) => node !== leader);
      const target = others[round % others.length] as TestNode;
      const quietMs = performance.now();
      await load.goOn(100);
      usual.push(load.longestGapMs(shard, quietMs));
      const client = await RawClient.connect(leader.port);
      const beganMs = performance.now();
      const reply = await client.command('REPL', 'HANDOVER', String(shard), 'TO', target.id);
      expect(reply.value).toBe('OK');
      await until(running.described(`${target.id} leads shard ${shard}`), async () =>
        (await ledBy(target)).includes(shard),
      );
      await load.goOn(100);
      gaps.push(load.longestGapMs(shard, beganMs));
      await client.close();
    }
    await load.end();
    console.log(
      `${gaps.length} handovers, longest time between two acknowledged writes of the shard, p50/p90/p99/max ms: ` +
        `${figures(gaps)}; without a handover: ${figures(usual)}`,
    );
    await checkWithRedisCli(running.nodes);
  });

  it('bellwether handover moves one shard', async () => {
    const from = await leaderOf(2);
    const to = running.nodes.find((node) => node !== from) as TestNode;
    const moved = await bellwether('handover', '2', '--to', to.id);
    expect(moved).toMatchObject({ code: 0 });
    expect(moved.output).toContain(`Shard 2: ${from.id} handed over to ${to.id}`);
    expect((await bellwether('handover', '2', '--to', to.id)).output).toContain('leads shard 2 already');
    expect(await bellwether('handover', '9')).toMatchObject({ code: 1 });
    const nobody = await bellwether('handover', '2', '--to', 'n9');
    expect(nobody.code).toBe(1);
    expect(nobody.output).toContain('n9 is no follower of shard 2');
    expect(await bellwether('handover', 'x')).toMatchObject({ code: 2 });
  });

  it('CLUSTER FAILOVER brings a node all shards, and they stay', async () => {
    const load = await Load.start();
    const [, node] = running.nodes as [TestNode, TestNode];
    const client = await RawClient.connect(node.port);
    expect((await client.command('CLUSTER', 'FAILOVER')).value).toBe('OK');
    await until(running.described('n2 leads all'), async () => (await ledBy(node)).length === shardCount);
    await client.close();
    await load.goOn();
    // Preferred nodes get leadership back after three seconds; not of what an operator moved.
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(await ledBy(node)).toHaveLength(shardCount);
    await load.end();
    await checkWithRedisCli(running.nodes);
  });

  it('bellwether drain moves all leadership away and keeps it away until undone or restarted', async () => {
    const load = await Load.start();
    await load.goOn();
    const metadataLeader = async (): Promise<string> =>
      await until(running.described('the metadata is led'), async () => {
        const all = await Promise.all(running.nodes.map((one) => one.status()));
        const leaders = all.flatMap((status) => status?.metadata.leader ?? []);
        return leaders.length === 3 && new Set(leaders).size === 1 ? (leaders[0] as string) : null;
      });
    // The one that leads the metadata, too.
    const leads = await metadataLeader();
    const node = running.nodes.find(({ id }) => id === leads) as TestNode;
    const other = running.nodes.find(({ id }) => id !== leads) as TestNode;
    const led = await ledBy(node);
    const drained = await bellwether('drain', node.id);
    expect(drained).toMatchObject({ code: 0 });
    expect(drained.output).toContain('it is safe to stop');
    expect(await ledBy(node)).toEqual([]);
    expect(await metadataLeader()).not.toBe(node.id);
    await checkWithRedisCli(running.nodes);
    await load.goOn();
    node.signal('SIGTERM');
    await node.exit();
    const alone = await bellwether('drain', other.id, '--timeout', '2');
    expect(alone.code).toBe(1);
    expect(alone.output).toContain('in sync and needs 2');
    await bellwether('drain', other.id, '--undo');
    node.start();
    // Where another node is preferred for all shards, by CLUSTER FAILOVER, it leads when it is asked to.
    const handedBack = async (): Promise<boolean> =>
      led.length > 0 || (await bellwether('handover', '1', '--to', node.id)).code === 0;
    await until(running.described('it may lead again'), handedBack);
    await until(running.described('it leads again'), async () => (await ledBy(node)).length > 0);
    await load.goOn();
    await load.end();
  });

  it('SHUTDOWN ends a node without an error for clients', async () => {
    const [node] = running.nodes as [TestNode];
    const client = await RawClient.connect(node.port);
    expect(String((await client.command('SHUTDOWN', 'ABORT')).value)).not.toBe('OK');
    expect((await client.command('SHUTDOWN')).value).toBe('OK');
    await client.closed;
    await node.exit();
    expect(node.ended).toBe(0);
    expect(node.output).toContain('handing leadership over');
    node.start();
    await whole();
  });

  it('bellwether rolling-restart restarts every node without an error for clients', async () => {
    const load = await Load.start();
    await load.goOn();
    const before = await Promise.all(running.nodes.map((node) => node.status()));
    let ended = false;
    const restarting = bellwether('rolling-restart').finally(() => {
      ended = true;
    });
    // What systemd or `bellwether up` does.
    while (!ended) {
      for (const node of running.nodes) if (node.ended === 0) node.start();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { code, output } = await restarting;
    expect(code, output).toBe(0);
    expect(output).toContain('All 3 nodes were restarted');
    const after = await Promise.all(
      running.nodes.map(({ adminPort }) => fetchStatus(`127.0.0.1:${adminPort}`)),
    );
    for (const [i, status] of after.entries()) expect(status?.pid).not.toBe(before[i]?.pid);
    await load.goOn();
    await load.end();
    await checkWithRedisCli(running.nodes);
  });
});
