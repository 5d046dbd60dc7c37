import { expect, test } from 'vitest';
import type { Metadata, NodeRecord } from '../cluster/metadata.ts';
import { evenShardMap, slotsAsBegun } from '../cluster/shard-map.ts';
import { MetadataEpochs } from './metadata-epochs.ts';

function metadata(epoch: number, members: readonly string[] = ['a', 'b']): Metadata {
  const record: NodeRecord = { peer: 'p:1', client: 'c:1', instance: 'i', zone: '', state: 'member' };
  return {
    epoch,
    nodes: new Map(['b', 'a'].map((node) => [node, record])),
    shards: new Map([[1, { members, preferred: null }]]),
    ...slotsAsBegun(evenShardMap(1, ['a', 'b'])),
  };
}

function two(): MetadataEpochs {
  const epochs = new MetadataEpochs();
  expect(epochs.committed(metadata(1))).toBeNull();
  expect(epochs.committed(metadata(2, ['a']))).toBeNull();
  return epochs;
}

test('epochs rise by one, and nodes go by what was committed', () => {
  const epochs = two();
  expect(epochs.adopted('a', 0, metadata(1))).toBeNull();
  expect(epochs.adopted('a', 1, metadata(2, ['a']))).toBeNull();
  const { nodes, ...rest } = metadata(2, ['a']);
  expect(epochs.adopted('b', 0, { ...rest, nodes: new Map([...nodes].reverse()) })).toBeNull();
});

test('an epoch that comes twice, or not, is found', () => {
  expect(two().committed(metadata(2, ['b']))).toBe('epoch 2 of the metadata was changed');
  expect(two().committed(metadata(1))).toBe('epoch 1 of the metadata follows epoch 2');
  expect(two().committed(metadata(4))).toBe('epoch 4 of the metadata follows epoch 2');
});

test('a node that goes back, ahead or by something else is found', () => {
  expect(two().adopted('a', 2, metadata(1))).toBe('a goes by epoch 1 of the metadata after epoch 2');
  expect(two().adopted('a', 2, metadata(3))).toBe(
    'a goes by epoch 3 of the metadata, which is not committed',
  );
  expect(two().adopted('b', 1, metadata(2, ['b']))).toMatch(
    /^b knows epoch 2 of the metadata as .*, and it is /,
  );
});
