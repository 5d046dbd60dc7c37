import { afterEach, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { rounds, until } from './support/wait.ts';
import { ioredisWriter, lostWrites, type Writer, writeUntil } from './support/writers.ts';

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/**
 * Writes until enough is acknowledged, then takes the power from all nodes, and starts them again. Resolves with a wait
 * for the writes that were under way.
 */
async function cutPower(running: TestCluster, writer: Writer, round: number): Promise<() => Promise<void>> {
  let stopped = false;
  const from = writer.acknowledged.size;
  const writing = writeUntil(writer, `${round}`, 16, () => stopped);
  await until('writes are acknowledged', () => writer.acknowledged.size > from + 100 + Math.random() * 300);
  for (const node of running.nodes) node.signal('SIGKILL');
  stopped = true;
  await Promise.all(running.nodes.map((node) => node.exit()));
  for (const node of running.nodes) node.start();
  return () => writing;
}

it('keeps every acknowledged write when all nodes lose what was not yet durable', async () => {
  // Small segments and checkpoints, so that files are made, renamed and removed between the cuts.
  const flags = ['--segment-bytes', '4mb', '--checkpoint-bytes', '64kb', '--checkpoint-time', '300ms'];
  cluster = await TestCluster.start({ flags, environment: { BELLWETHER_DISK: 'volatile' } });
  const writer = await ioredisWriter(cluster);
  for (let round = 0; round < rounds(4); round++) {
    const before = writer.acknowledged.size;
    const answered = await cutPower(cluster, writer, round);
    await cluster.ready();
    await answered();
    expect(await lostWrites(writer, before)).toEqual([]);
  }
  expect(await lostWrites(writer)).toEqual([]);
  await writer.close();
});

it('would notice a store that never flushes', async () => {
  cluster = await TestCluster.start({ environment: { BELLWETHER_DISK: 'unflushed' } });
  const writer = await ioredisWriter(cluster);
  await cutPower(cluster, writer, 0);
  const { nodes } = cluster;
  // Such nodes find that they have lost what they were part of: they elect nobody, or show a state without the writes.
  const outcome = await until('the loss shows', async () => {
    for (const node of nodes) {
      const shard = await node.shard();
      if (shard?.serving) return 'serving';
      if (shard !== null && shard.doubt !== null) return 'in doubt';
      if (node.ended !== null) return 'refused';
    }
    return null;
  });
  if (outcome === 'serving') expect(await lostWrites(writer)).not.toEqual([]);
  await writer.close();
});
