import { expect, test } from 'vitest';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { Replica } from '../shard/replica.ts';
import type { Metadata } from './metadata.ts';
import { MetadataKeeper } from './metadata-keeper.ts';
import { evenShardMap, slotsAsBegun } from './shard-map.ts';

const nodes = ['a', 'b', 'c'];
const map = evenShardMap(2, nodes);
const beginning = {
  nodes: new Map(
    nodes.map((node) => [
      node,
      { peer: `${node}:2`, client: `${node}:1`, instance: node, state: 'member' as const, zone: '' },
    ]),
  ),
  shards: new Map(map.placements.map(({ shard, members, preferred }) => [shard, { members, preferred }])),
  ...slotsAsBegun(map),
};

/** A cluster with a keeper of the metadata on each node, and what each has come to know. */
function keepers() {
  const cluster = new TestCluster();
  const known: Record<string, Metadata[]> = { a: [], b: [], c: [] };
  const keeperOf = (node: string): MetadataKeeper =>
    new MetadataKeeper(cluster.host(node).replicas.get(0) as Replica, null, (one) => known[node]?.push(one));
  return { cluster, known, a: keeperOf('a'), b: keeperOf('b'), c: keeperOf('c') };
}

test('nobody goes by a change of the metadata that is not committed, its leader included', () => {
  const { cluster, known, a, b } = keepers();
  expect(a.empty).toBe(true);
  expect(b.empty).toBe(false);
  cluster.holds = (from) => from === 'a';
  expect(a.change(0, beginning)).toBe(true);
  expect(a.empty).toBe(false);
  expect(a.mayChange).toBe(false);
  cluster.settle();
  for (const keeper of [a, b]) keeper.tick();
  expect([known['a'], known['b']]).toEqual([[], []]);

  cluster.holds = () => false;
  cluster.run(100);
  for (const keeper of [a, b]) keeper.tick();
  expect(known['a']).toEqual([{ epoch: 1, ...beginning }]);
  expect(known['b']).toEqual([{ epoch: 1, ...beginning }]);
  expect(a.mayChange).toBe(true);
});

test('a change that its leader lost was never one, and the next leader makes its own', () => {
  const { cluster, known, a, b, c } = keepers();
  a.change(0, beginning);
  cluster.run(100);
  for (const keeper of [a, b, c]) keeper.tick();
  cluster.holds = (from) => from === 'a';
  const lost = {
    nodes: new Map([
      ['b', { peer: 'lost:2', client: 'lost:1', instance: 'b', state: 'member' as const, zone: '' }],
    ]),
  };
  expect(a.change(1, lost)).toBe(true);
  cluster.until(() => cluster.host('b').replicas.get(0)?.serving === true);
  b.tick();
  expect(b.mayChange).toBe(true);
  const kept = {
    nodes: new Map([
      ['b', { peer: 'kept:2', client: 'kept:1', instance: 'b', state: 'member' as const, zone: '' }],
    ]),
  };
  expect(b.change(0, kept)).toBe(false);
  expect(b.change(1, kept)).toBe(true);
  expect(b.change(1, lost)).toBe(false);
  cluster.holds = () => false;
  cluster.until(() => {
    for (const keeper of [a, b, c]) keeper.tick();
    return [a, b, c].every(({ epoch }) => epoch === 2);
  });
  for (const node of nodes)
    expect(known[node]?.map((one) => one.nodes.get('b')?.peer)).toEqual(['b:2', 'kept:2']);
  expect(a.change(2, lost)).toBe(false);
});

test('clients do not see the shard that holds the metadata', () => {
  const cluster = new TestCluster();
  const opened: Replica[] = [];
  for (const node of nodes) {
    const host = cluster.host(node);
    const start = { shard: 7, recovered: null, initial: { voters: nodes, learners: [] }, incomplete: false };
    const visible = host.replicas.get(0) as Replica;
    const own = { options: cluster.options, noLongerFresh: () => {} };
    host.held.openHidden(start, own, (_error, replica) => opened.push(replica));
    expect(host.held.all).toEqual([visible, opened.at(-1)]);
  }
  for (const replica of opened) replica.confirmFresh(cluster.now);
  cluster.until(() => opened.some(({ serving }) => serving));
  const leader = opened.find(({ serving }) => serving) as Replica;
  new MetadataKeeper(leader, null, () => {}).change(0, beginning);
  cluster.run(500);
  for (const { keyspace } of opened) expect(keyspace.size).toBe(6);
  const client = cluster.client('a');
  client.send('DBSIZE');
  client.send('SCAN', '0');
  client.send('GET', 'epoch');
  client.send('FLUSHALL');
  cluster.run(100);
  expect(client.received()).toBe(':0\r\n*2\r\n$1\r\n0\r\n*0\r\n$-1\r\n+OK\r\n');
  for (const { keyspace } of opened) expect(keyspace.size).toBe(6);
});
