import { expect, test } from 'vitest';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { TopologySource } from './topology.ts';
import { Topology } from './topology.ts';

function topologyOf(cluster: TestCluster, self: string): Topology {
  const members = ['a', 'b', 'c'];
  return new Topology({
    cluster: 'test',
    self,
    host: cluster.host(self),
    peers: { connected: () => true },
    map: () => ({ placements: [{ shard: 0, slots: [], members }] }),
    nodes: () => members,
    clientAddress: (node: string) => `${node}:1`,
    peerPort: () => 2,
  } as unknown as TopologySource);
}

function seenBy(cluster: TestCluster, self: string): string {
  const [shard] = topologyOf(cluster, self).shards();
  const followers = shard?.followers.map(({ host }) => host) ?? [];
  return `${shard?.leader?.host ?? 'nobody'} leads ${followers.sort().join(' ')}`;
}

test('a node whose replica was removed says what the leader says of the shard', () => {
  const cluster = new TestCluster();
  expect(seenBy(cluster, 'c')).toBe('a leads b c');
  cluster.run(500);
  cluster.cutOff.add('c');
  const leader = cluster.host('a').replicas.get(0);
  expect(leader?.changeMembership({ voters: ['a', 'b'], learners: [] }, cluster.now)).toBe(null);
  cluster.run(2000);
  cluster.cutOff.clear();
  cluster.run(500);
  expect(seenBy(cluster, 'a')).toBe('a leads b');
  expect(seenBy(cluster, 'c')).toBe('a leads b');
});
