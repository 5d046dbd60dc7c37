import { expect, test } from 'vitest';
import { evenShardMap, ownersOf } from '../cluster/shard-map.ts';
import { checkOwners, checkRouting } from './slot-owners.ts';

const map = evenShardMap(2, ['a', 'b']);
const record = { members: ['a'], preferred: null };
const shards = new Map([1, 2].map((shard) => [shard, record]));

test('slots that are owned by shards, and routed so, are as they should be', () => {
  const owners = ownersOf(map);
  expect(checkOwners({ epoch: 3, shards, owners })).toBeNull();
  expect(checkRouting('a', { epoch: 3, owners }, (slot) => map.ownerOf(slot))).toBeNull();
});

test('slots of nobody are found', () => {
  const owners = ownersOf(map);
  expect(checkOwners({ epoch: 3, shards, owners: owners.subarray(1) })).toBe(
    'epoch 3 has owners of 16383 slots',
  );
  owners[77] = 0;
  expect(checkOwners({ epoch: 3, shards, owners })).toBe(
    'slot 77 belongs to shard 0 at epoch 3, and there is none',
  );
});

test('a node that goes by other owners is found', () => {
  const owners = ownersOf(map);
  owners[5] = 2;
  expect(checkRouting('a', { epoch: 3, owners }, (slot) => map.ownerOf(slot))).toBe(
    'a sends clients of slot 5 to shard 1, and at epoch 3 it belongs to shard 2',
  );
});
