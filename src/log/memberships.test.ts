import { expect, test } from 'vitest';
import type { Batch } from './batch.ts';
import { BatchBuilder, entryKind } from './batch.ts';
import { batchOf, HandDisk, type Opened, openOn } from './log-test-kit.ts';

/** The entry at `lsn` as a membership of these bytes, alone in its batch. */
function membership(lsn: number, term: number, text: string): Batch {
  const builder = new BatchBuilder(1, 4096);
  builder.begin(entryKind.membership, 0);
  builder.payload.raw(text);
  builder.end();
  return builder.seal(term, lsn, 1_700_000_000_000);
}

/** What the log says of memberships after its process was killed and started again. */
function recovered(hand: HandDisk, { log }: Opened): string[] {
  log.flush();
  hand.settle();
  const [shard] = openOn(hand.killed()).shards;
  return (shard?.memberships ?? []).map(({ lsn, bytes }) => `${lsn} ${bytes.toString()}`);
}

function opened(hand: HandDisk): Opened {
  const log = openOn(hand);
  log.log.attach(1, { durable: () => {}, nextWrite: () => {} });
  return log;
}

test('pitfall 34: a log that is read back has its memberships, and not those that were cut', () => {
  const hand = new HandDisk();
  const { log } = opened(hand);
  log.append(batchOf(1, 1, 1, ['a', 'b']));
  log.append(membership(3, 1, 'abc'));
  log.append(batchOf(1, 1, 4, ['c']));
  log.append(membership(5, 1, 'abcd'));
  expect(recovered(hand, { log } as Opened)).toEqual(['3 abc', '5 abcd']);
  log.cut(1, { term: 1, lsn: 4 });
  log.append(batchOf(1, 2, 5, ['d']));
  expect(recovered(hand, { log } as Opened)).toEqual(['3 abc']);
});

test('pitfall 34: an append that replaces a divergent end replaces the membership in it', () => {
  const hand = new HandDisk();
  const { log } = opened(hand);
  log.append(batchOf(1, 1, 1, ['a']));
  log.append(membership(2, 1, 'ab'));
  log.append(membership(2, 2, 'ac'));
  expect(recovered(hand, { log } as Opened)).toEqual(['2 ac']);
});

test('pitfall 34: a membership outlives the segment that it was written to: it is in force where the log begins now', () => {
  const hand = new HandDisk();
  const { log } = opened(hand);
  log.append(membership(1, 1, 'abc'));
  let lsn = 2;
  const fill = (segments: number): void => {
    const until = log.stats.bytesWritten + segments * (64 << 10);
    while (log.stats.bytesWritten < until) {
      log.append(batchOf(1, 1, lsn++, ['x'.repeat(4000)]));
      log.flush();
      hand.settle();
    }
  };
  fill(2);
  log.append(membership(lsn++, 1, 'abcd'));
  fill(2);
  log.checkpointed(1, { term: 1, lsn: lsn - 2 }, Buffer.from('abcd'));
  log.retainFrom(1, lsn - 1);
  for (let i = 0; i < 10; i++) {
    log.tick();
    log.flush();
    hand.settle();
  }
  expect(log.firstLsn(1)).toBeGreaterThan(20);
  expect(recovered(hand, { log } as Opened).map((line) => line.split(' ')[1])).toEqual(['abc', 'abcd']);
});

test('pitfall 34: the membership of a snapshot that replaced the log is its own', () => {
  const hand = new HandDisk();
  const { log } = opened(hand);
  log.append(membership(1, 1, 'abc'));
  log.reset(1, { term: 3, lsn: 9 }, false);
  log.checkpointed(1, { term: 3, lsn: 9 }, Buffer.from('abd'));
  log.append(membership(10, 3, 'abde'));
  expect(recovered(hand, { log } as Opened).at(-1)).toBe('10 abde');
});
