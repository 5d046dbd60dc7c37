import type { TestCluster } from './cluster.ts';
import { RawClient } from './raw-client.ts';
import { until } from './wait.ts';

/** Waits until all nodes have applied the same, and answers what each of them holds: a digest per node. */
export async function digestsOf(cluster: TestCluster): Promise<string[]> {
  await until(cluster.described('all nodes have applied the same'), async () => {
    const shards = await Promise.all(cluster.nodes.map((node) => node.shard()));
    const [first] = shards;
    return shards.every(
      (shard) => shard !== null && shard.applied === first?.applied && shard.applied === shard.lastLsn,
    );
  });
  return Promise.all(
    cluster.nodes.map(async ({ port }) => {
      const client = await RawClient.connect(port);
      const { value } = await client.command('DEBUG', 'DIGEST');
      await client.close();
      return String(value);
    }),
  );
}
