import { expect, test } from 'vitest';
import { blockBytes, isZero } from './frame.ts';
import { batchOf, HandDisk, openOn } from './log-test-kit.ts';

const shard = 1;
const doubt = { mayHaveAcknowledged: null, hardStateLost: true, where: 'an empty directory' };

test('pitfall 10: what a replica says of its doubt is there after a restart, until it is made good', () => {
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

test('pitfall 08, 10: a changed byte in the last write never makes it one that was not finished', () => {
  const hand = new HandDisk();
  const { log } = openOn(hand);
  for (const lsn of [1, 2, 3]) {
    log.append(batchOf(shard, 1, lsn, [`${lsn}:${'v'.repeat(200)}`]));
    log.flush();
    hand.settle();
  }
  const file = 'log/0000000001.log';
  const found = new Set<string>();
  const bytes = hand.disk.bytesOf(file);
  let last = blockBytes;
  while (!isZero(bytes, last + blockBytes, last + 2 * blockBytes)) last += blockBytes;
  for (let at = last; at < last + blockBytes; at += 29) {
    const image = hand.killed();
    image.disk.flip(file, at, 0x10);
    const { shards } = openOn(image);
    const recovered = shards.find((one) => one.shard === shard);
    const whole = recovered?.last.lsn === 3 && recovered.damage === null;
    const known = recovered?.damage?.mayHaveAcknowledged ?? null;
    if (!whole) expect({ at, known }).toEqual({ at, known: { term: 1, lsn: 3 } });
    found.add(whole ? 'whole' : 'in doubt');
  }
  expect(found).toEqual(new Set(['whole', 'in doubt']));
});
