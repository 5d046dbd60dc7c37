import { until } from '../processes.ts';
import { fill } from '../resp-drive.ts';
import type { BenchCluster } from '../systems/bellwether.ts';

export const million = 1_000_000;
export const millionValueBytes = 100;

/** Writes a million keys and waits until every node has applied them. */
export async function fillMillion(cluster: BenchCluster): Promise<void> {
  await fill(await cluster.target(), null, 0, million, millionValueBytes);
  await until('all nodes have applied everything', async () => {
    cluster.check();
    const shards = await Promise.all(cluster.nodes.map((node) => node.shard()));
    return shards.every(
      (shard) => shard !== null && shard.keys === million && shard.applied === shard.lastLsn,
    );
  });
}
