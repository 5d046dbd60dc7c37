import { spawnSync } from 'node:child_process';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ShardStatus } from '../src/server/status-types.ts';
import { slotOf } from '../src/state/slot.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { checkWithRedisCli, redisCli } from './support/redis-cli.ts';
import { rounds, until } from './support/wait.ts';
import { ioredisWriter, lostWrites, nodeRedisWriter, writeUntil } from './support/writers.ts';

const shardCount = 5;
const replicas = 3;
let running: TestCluster;
beforeAll(async () => {
  running = await TestCluster.prepare({
    nodes: 5,
    flags: ['--shards', String(shardCount), '--replicas', String(replicas)],
  });
  for (const node of running.nodes) node.start();
  await whole();
});
afterAll(() => running.dispose());

async function shardsOf(node: TestNode): Promise<readonly ShardStatus[]> {
  return (await node.status())?.shards ?? [];
}

/** Every shard is led by somebody who has two followers in sync. */
async function whole(): Promise<void> {
  await until(running.described('every shard has a leader and two followers in sync'), async () => {
    const all = (await Promise.all(running.nodes.map(shardsOf))).flat();
    const led = all.filter(({ serving }) => serving);
    return (
      led.length === shardCount &&
      led.every(({ followers }) => followers.filter(({ inSync }) => inSync).length === replicas - 1)
    );
  });
}

describe('five shards on three of five nodes each', () => {
  it('every node holds three shards, and so three fifths of the keys', async () => {
    const client = new Cluster([...running.addresses]);
    const keys = Array.from({ length: 500 }, (_, i) => `key:${i}`);
    await Promise.all(keys.map((key) => client.set(key, key)));
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    client.disconnect();
    for (const node of running.nodes) {
      const held = await until(running.described(`${node.id} has applied all`), async () => {
        const shards = await shardsOf(node);
        return shards.every(({ applied, lastLsn }) => applied === lastLsn) ? shards : null;
      });
      expect(held).toHaveLength(replicas);
      expect(held.reduce((sum, shard) => sum + shard.keys, 0)).toBeLessThan(keys.length);
    }
    const all = (await Promise.all(running.nodes.map(shardsOf))).flat();
    expect(all.reduce((sum, shard) => sum + shard.keys, 0)).toBe(keys.length * replicas);
  });

  it('every node sends clients to the leader of each slot, whether it holds the shard or not', async () => {
    for (const node of running.nodes) {
      const client = await RawClient.connect(node.port);
      // Leaders may just be on their way to the nodes that are preferred.
      await until(running.described(`${node.id} sends clients where it says`), async () => {
        const slots = (await client.command('CLUSTER', 'SLOTS')).value as [
          number,
          number,
          [string, number],
        ][];
        expect(slots).toHaveLength(shardCount);
        for (let i = 0; i < 40; i++) {
          const slot = slotOf(`key:${i}`);
          const [, , [, port]] = slots.find(([from, to]) => slot >= from && slot <= to) as (typeof slots)[0];
          const { wire } = await client.command('GET', `key:${i}`);
          const expected = port === node.port ? `key:${i}` : `-MOVED ${slot} 127.0.0.1:${port}\r\n`;
          if (!wire.includes(expected)) return false;
        }
        return true;
      });
      await client.close();
    }
  });

  it('loses nothing when nodes are killed under constant load', async () => {
    const writers = [await ioredisWriter(running), await nodeRedisWriter(running)];
    let stopped = false;
    const writing = writers.map((writer, i) => writeUntil(writer, `replicas${i}`, 8, () => stopped));
    const goOn = async (): Promise<void> => {
      const from = writers.map(({ acknowledged }) => acknowledged.size);
      await until('writes go on', () =>
        writers.every(({ acknowledged }, i) => acknowledged.size > (from[i] as number) + 100),
      );
    };
    for (let round = 0; round < rounds(3); round++) {
      await goOn();
      const victim = running.nodes[round % running.nodes.length] as TestNode;
      await victim.kill();
      await goOn();
      victim.start();
      await whole();
    }
    stopped = true;
    await Promise.all(writing);
    for (const writer of writers) {
      // On a machine that stands still now and then, a read may meet an election.
      const lost = await until(`${writer.library} reads all`, () => lostWrites(writer).catch(() => null));
      expect(lost).toEqual([]);
      await writer.close();
    }
  });

  it('keeps the number of replicas that it began with', async () => {
    const [node] = running.nodes as [TestNode];
    await node.kill();
    const other = spawnSync(
      process.execPath,
      node.command.map((word) => (word === String(replicas) ? '4' : word)),
      { encoding: 'utf8' },
    );
    expect(other.stderr + other.stdout).toContain('each shard on 3 nodes, and --replicas says 4');
    node.start();
    await whole();
  });

  it.skipIf(!redisCli)('redis-cli finds every slot covered, whichever node it asks', async () => {
    await checkWithRedisCli(running.nodes);
  });
});
