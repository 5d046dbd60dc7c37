import { expect, test } from 'vitest';
import { Keyspace } from '../state/keyspace.ts';
import { type MetadataChange, readMetadata, shardMapOf } from './metadata.ts';
import { changeMetadata } from './metadata-change.ts';
import { evenShardMap, slotsAsBegun } from './shard-map.ts';

const nodes = ['n1', 'n2', 'n3', 'n4'];

function beginning(shards: number, replicas: number): MetadataChange {
  const map = evenShardMap(shards, nodes, replicas);
  return {
    nodes: new Map(
      nodes.map((node) => [
        node,
        { peer: `${node}:7101`, client: '', instance: `${node}-1`, state: 'member' as const, zone: '' },
      ]),
    ),
    shards: new Map(map.placements.map(({ shard, members, preferred }) => [shard, { members, preferred }])),
    ...slotsAsBegun(map),
  };
}

function change(keyspace: Keyspace, decidedBy: number, what: MetadataChange): boolean {
  return changeMetadata({ hidden: (key) => keyspace.peek(key), effects: keyspace }, decidedBy, what);
}

test('metadata is read as it was written, and gives the map that it was made from', () => {
  const keyspace = new Keyspace();
  expect(readMetadata(keyspace)).toBeNull();
  const begun = beginning(1000, 3);
  expect(change(keyspace, 0, begun)).toBe(true);
  const metadata = readMetadata(keyspace);
  expect(metadata).toEqual({ epoch: 1, ...begun });
  expect(metadata === null ? null : shardMapOf(metadata).placements).toEqual(
    evenShardMap(1000, nodes, 3).placements,
  );
});

test('a change decided by another epoch changes nothing', () => {
  const keyspace = new Keyspace();
  expect(change(keyspace, 1, beginning(2, 4))).toBe(false);
  expect(keyspace.size).toBe(0);
  change(keyspace, 0, beginning(2, 4));
  const renamed = {
    nodes: new Map([
      ['n2', { peer: 'ü', client: '"\\', instance: '\u2028', state: 'leaving' as const, zone: '' }],
    ]),
  };
  expect(change(keyspace, 0, renamed)).toBe(false);
  expect(readMetadata(keyspace)?.nodes.get('n2')?.peer).toBe('n2:7101');
  expect(change(keyspace, 1, renamed)).toBe(true);
  expect(readMetadata(keyspace)?.nodes.get('n2')).toEqual(renamed.nodes.get('n2'));
  expect(readMetadata(keyspace)?.epoch).toBe(2);
});

test('a shard may own slots that do not lie together', () => {
  const keyspace = new Keyspace();
  const begun = beginning(2, 4);
  const owners = (begun.owners as Uint16Array).slice();
  owners[100] = 2;
  change(keyspace, 0, { ...begun, owners });
  const metadata = readMetadata(keyspace);
  const map = metadata === null ? null : shardMapOf(metadata);
  expect(map?.ownerOf(99)).toBe(1);
  expect(map?.ownerOf(100)).toBe(2);
  expect(map?.placements[0]?.slots).toEqual([
    { from: 0, to: 99 },
    { from: 101, to: 8191 },
  ]);
});
