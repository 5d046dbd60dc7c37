import { expect, test } from 'vitest';
import type { Metadata, NodeRecord } from './metadata.ts';
import { addNode, addReplica, moveReplica, removeNode, removeReplica, replaceNode } from './placement.ts';
import { evenShardMap, slotsAsBegun } from './shard-map.ts';

const record = (node: string): NodeRecord => ({
  peer: `${node}:7101`,
  client: `${node}:7001`,
  instance: `${node}-1`,
  state: 'member',
  zone: '',
});

function cluster(count: number, shards: number, replicas: number): Metadata {
  const nodes = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const map = evenShardMap(shards, nodes, replicas);
  return {
    epoch: 1,
    nodes: new Map(nodes.map((node) => [node, record(node)])),
    shards: new Map(map.placements.map(({ shard, members, preferred }) => [shard, { members, preferred }])),
    ...slotsAsBegun(map),
  };
}

const everywhere = (): boolean => true;

test('replicas come, go and move', () => {
  const metadata = cluster(4, 2, 3);
  expect(addReplica(metadata, 1, 'n4')).toEqual({
    change: { shards: new Map([[1, { members: ['n1', 'n2', 'n3', 'n4'], preferred: 'n1' }]]) },
  });
  expect(removeReplica(metadata, 1, 'n1')).toEqual({
    change: { shards: new Map([[1, { members: ['n2', 'n3'], preferred: 'n3' }]]) },
  });
  expect(moveReplica(metadata, 2, 'n2', 'n1')).toEqual({
    change: { shards: new Map([[2, { members: ['n1', 'n3', 'n4'], preferred: 'n3' }]]) },
  });
});

test('what makes no sense is refused with its reason', () => {
  const metadata = cluster(4, 2, 3);
  expect(addReplica(metadata, 3, 'n1')).toEqual({ refused: 'there is no shard 3' });
  expect(addReplica(metadata, 1, 'n5')).toEqual({ refused: 'there is no node n5' });
  expect(addReplica(metadata, 1, 'n1')).toEqual({ refused: 'n1 has a replica of shard 1 already' });
  expect(removeReplica(metadata, 1, 'n4')).toEqual({ refused: 'n4 has no replica of shard 1' });
  expect(moveReplica(metadata, 1, 'n4', 'n4')).toEqual({ refused: 'n4 has no replica of shard 1' });
  expect(removeReplica(cluster(1, 1, 1), 1, 'n1')).toEqual({ refused: 'it is the only replica of shard 1' });
  expect(removeNode(cluster(1, 1, 1), 'n1', everywhere)).toEqual({
    refused: 'it is the only replica of shard 1',
  });
});

test('an id belongs to one data directory for good', () => {
  const metadata = cluster(3, 1, 3);
  expect(addNode(metadata, 'n4', record('n4'))).toHaveProperty('change');
  expect(addNode(metadata, 'n3', record('n3'))).toHaveProperty('change');
  expect(addNode(metadata, 'n3', { ...record('n3'), instance: 'wiped' })).toEqual({
    refused: 'n3 is known with another data directory, and ids are never used again',
  });
  const nodes = new Map(metadata.nodes).set('n3', { ...record('n3'), state: 'removed' });
  expect(addNode({ ...metadata, nodes }, 'n3', record('n3'))).toEqual({
    refused: 'n3 was removed, and ids are never used again',
  });
  expect(addNode(metadata, 'n4', { ...record('n4'), peer: 'n1:7101' })).toEqual({
    refused: 'n1 has the peer address n1:7101',
  });
});

test('a leaving node is replaced where there is room, on the nodes with the fewest replicas', () => {
  const decided = removeNode(cluster(5, 5, 3), 'n1', everywhere);
  if ('refused' in decided) throw new Error(decided.refused);
  const { shards, nodes } = decided.change;
  expect(nodes?.get('n1')?.state).toBe('leaving');
  expect(shards?.size).toBe(3);
  const heirs = [...(shards ?? [])].map(([, { members }]) => members);
  for (const members of heirs) {
    expect(members).toHaveLength(3);
    expect(members).not.toContain('n1');
    expect(new Set(members).size).toBe(3);
  }
  const small = removeNode(cluster(3, 1, 3), 'n3', everywhere);
  expect(small).toMatchObject({
    change: { shards: new Map([[1, { members: ['n1', 'n2'], preferred: null, copies: 3 }]]) },
  });
});

test('who was away for too long is replaced only where others can take its place', () => {
  expect(replaceNode(cluster(3, 2, 3), 'n2', everywhere)).toBeNull();
  const metadata = cluster(4, 1, 3);
  expect(replaceNode(metadata, 'n2', (node) => node !== 'n4')).toBeNull();
  expect(replaceNode(metadata, 'n2', everywhere)).toEqual({
    shards: new Map([[1, { members: ['n1', 'n3', 'n4'], preferred: null }]]),
  });
});

test('what takes the place of a node is in another zone than the other replicas, if it can be', () => {
  const metadata = cluster(5, 1, 3);
  const zones = new Map([...'aabbc'].map((zone, i) => [`n${i + 1}`, zone]));
  const nodes = new Map([...metadata.nodes].map(([id, one]) => [id, { ...one, zone: zones.get(id) ?? '' }]));
  // n1 and n2 share a zone, n3 is in b.
  expect(replaceNode({ ...metadata, nodes }, 'n2', everywhere)?.shards?.get(1)?.members).toEqual([
    'n1',
    'n3',
    'n5',
  ]);
  expect(replaceNode({ ...metadata, nodes }, 'n3', everywhere)?.shards?.get(1)?.members).toEqual([
    'n1',
    'n2',
    'n4',
  ]);
});

test('a shard keeps so many replicas as the settings ask for', () => {
  const least = { copies: 3, why: '--min-in-sync' };
  const refused = 'shard 1 would have 2 replicas, and --min-in-sync asks for 3';
  expect(removeReplica(cluster(3, 1, 3), 1, 'n2', least)).toEqual({ refused });
  expect(removeNode(cluster(3, 1, 3), 'n2', everywhere, least)).toEqual({ refused });
  expect(removeNode(cluster(4, 1, 3), 'n2', everywhere, least)).toHaveProperty('change');
  expect(removeNode(cluster(4, 1, 3), 'n2', (node) => node !== 'n4', least)).toEqual({ refused });
});
