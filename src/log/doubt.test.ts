import { expect, test } from 'vitest';
import { HandDisk, openOn } from './log-test-kit.ts';

const shard = 1;
const doubt = { mayHaveAcknowledged: null, hardStateLost: true, where: 'an empty directory' };

test('what a replica says of its doubt is there after a restart, until it is made good', () => {
  let hand = new HandDisk();
  const first = openOn(hand);
  first.log.inDoubt(shard, doubt);
  first.log.putHardState(shard, { term: 3, vote: null });
  first.log.flush();
  hand.settle();
  hand = hand.killed();
  const second = openOn(hand);
  expect(second.shards[0]?.damage).toEqual(doubt);
  second.log.madeGood(shard);
  second.log.flush();
  hand.settle();
  const third = openOn(hand.killed());
  expect(third.shards[0]?.damage).toBeNull();
});
