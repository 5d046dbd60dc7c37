import { expect, it } from 'vitest';
import type { Metadata } from './metadata.ts';
import { metadataFrom, metadataFromText, metadataObject } from './metadata-file.ts';
import { evenShardMap, slotsAsBegun } from './shard-map.ts';

const map = evenShardMap(3, ['n1', 'n2']);
const metadata: Metadata = {
  epoch: 7,
  nodes: new Map([
    ['n1', { peer: 'h:1', client: 'h:2', instance: 'i', state: 'member', zone: '' }],
    ['n2', { peer: 'ü:1', client: '', instance: '', state: 'leaving', zone: 'z' }],
  ]),
  shards: new Map(map.placements.map(({ shard, members, preferred }) => [shard, { members, preferred }])),
  ...slotsAsBegun(map),
};

it('reads what it writes, whatever stands beside it', () => {
  const told = { leader: null, ...metadataObject(metadata) };
  expect(metadataFrom(JSON.parse(JSON.stringify(told)))).toEqual(metadata);
  expect(metadataFromText(JSON.stringify(told))).toEqual(metadata);
});

it('takes nothing else: slots with two owners or none, half a file, nothing', () => {
  const told = metadataObject(metadata);
  const [first] = Object.values(told.shards);
  expect(metadataFrom({ ...told, shards: { ...told.shards, 9: first } })).toBeNull();
  expect(metadataFrom({ ...told, shards: { 1: first } })).toBeNull();
  expect(metadataFrom({ epoch: 0 })).toBeNull();
  expect(metadataFromText(JSON.stringify(told).slice(0, -5))).toBeNull();
  expect(metadataFromText(null)).toBeNull();
});
