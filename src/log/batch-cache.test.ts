import { expect, test } from 'vitest';
import type { Batch } from './batch.ts';
import { BatchCache, ShardCache } from './batch-cache.ts';
import { batchOf, payloadsOf, SeededRandom } from './log-test-kit.ts';

const all = Number.POSITIVE_INFINITY;
const bytesOf = (batches: readonly Batch[]): number =>
  batches.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** A batch of entries that say their LSN. */
function entries(firstLsn: number, count: number): Batch {
  const payloads = Array.from({ length: count }, (_, i) => `${firstLsn + i}`);
  return batchOf(1, 1, firstLsn, payloads);
}

function held(shard: ShardCache): string[] {
  return payloadsOf(shard.from(shard.oldest?.firstLsn ?? 0, all) ?? []);
}

test('batches are handed out from the middle of one on, as many as fit and at least one', () => {
  const shard = new ShardCache();
  expect(shard.from(1, all)).toBeNull();
  const batches = [entries(5, 3), entries(8, 1), entries(9, 4)];
  for (const batch of batches) shard.push(batch);
  expect(shard.from(4, all)).toBeNull();
  expect(shard.from(13, all)).toBeNull();
  expect(shard.from(5, all)).toEqual(batches);
  expect(payloadsOf(shard.from(6, all) as Batch[])).toEqual(['6', '7', '8', '9', '10', '11', '12']);
  expect(payloadsOf(shard.from(12, all) as Batch[])).toEqual(['12']);
  expect(shard.from(8, 0)).toEqual([batches[1]]);
  const two = bytesOf(batches.slice(0, 2));
  expect(shard.from(5, two)).toEqual(batches.slice(0, 2));
  expect(shard.from(5, two - 1)).toEqual(batches.slice(0, 1));
  expect(shard.bytesFrom(5)).toBe(bytesOf(batches));
  expect(shard.bytesFrom(8)).toBe(bytesOf(batches.slice(1)));
  expect(shard.bytesFrom(13)).toBe(0);
});

test('what is beyond a cut goes, also the end of a batch', () => {
  const shard = new ShardCache();
  const batches = [entries(1, 3), entries(4, 3), entries(7, 1)];
  for (const batch of batches) shard.push(batch);
  expect(shard.truncate(7)).toBe(0);
  const freed = shard.truncate(5);
  expect(held(shard)).toEqual(['1', '2', '3', '4', '5']);
  expect(freed).toBe(bytesOf(batches) - shard.bytesFrom(1));
  expect(shard.truncate(3)).toBe(bytesOf([entries(4, 2)]));
  expect(held(shard)).toEqual(['1', '2', '3']);
  expect(shard.clear()).toBe(bytesOf([entries(1, 3)]));
  expect(shard.oldest).toBeUndefined();
  expect(shard.clear()).toBe(0);
});

test('the batch that came first goes first, whosever it is, but none that is not on disk', () => {
  const [a, b] = [new ShardCache(), new ShardCache()];
  const length = entries(1, 1).bytes.length;
  const cache = new BatchCache(3 * length);
  for (const lsn of [1, 2]) {
    cache.add(a, entries(lsn, 1));
    cache.add(b, entries(lsn, 1));
  }
  expect(cache.bytes).toBe(4 * length);
  a.durableLsn = 1;
  cache.evict();
  expect([held(a), held(b)]).toEqual([['2'], ['1', '2']]);
  expect(cache.bytes).toBe(3 * length);
  cache.add(a, entries(3, 1));
  expect(held(b), 'the oldest one is not on disk, and what came later waits for it').toEqual(['1', '2']);
  b.durableLsn = 2;
  cache.add(a, entries(4, 1));
  expect([held(a), held(b)]).toEqual([['2', '3', '4'], ['2']]);
  a.durableLsn = 4;
  cache.evict();
  expect([held(a), held(b)]).toEqual([['3', '4'], ['2']]);
  expect(cache.bytes).toBe(3 * length);
});

test('what was cut or cleared leaves room, and its turn to go passes', () => {
  const [a, b] = [new ShardCache(), new ShardCache()];
  const length = entries(1, 1).bytes.length;
  const cache = new BatchCache(2 * length);
  a.durableLsn = 9;
  b.durableLsn = 9;
  cache.add(a, entries(1, 1));
  cache.add(a, entries(2, 1));
  cache.truncate(a, 1);
  expect(cache.bytes).toBe(length);
  cache.clear(a);
  expect(cache.bytes).toBe(0);
  for (const lsn of [1, 2, 3]) cache.add(b, entries(lsn, 1));
  expect(held(b)).toEqual(['2', '3']);
  expect(cache.bytes).toBe(2 * length);
});

test('a cache through which much has gone holds the newest batches without a gap', () => {
  const random = new SeededRandom(3);
  const shards = [new ShardCache(), new ShardCache()];
  const ends = [0, 0];
  const cache = new BatchCache(4000);
  for (let round = 0; round < 9000; round++) {
    const which = random.below(2);
    const shard = shards[which] as ShardCache;
    const count = 1 + random.below(3);
    cache.add(shard, entries((ends[which] as number) + 1, count));
    ends[which] = (ends[which] as number) + count;
    shard.durableLsn = (ends[which] as number) - random.below(10);
    if (round % 100 !== 0) continue;
    const lsn = (ends[which] as number) - random.below(4);
    cache.truncate(shard, lsn);
    ends[which] = lsn;
    shard.durableLsn = Math.min(shard.durableLsn, lsn);
    for (const [i, each] of shards.entries()) {
      const found = held(each);
      const first = (ends[i] as number) - found.length + 1;
      expect(found).toEqual(Array.from({ length: found.length }, (_, n) => `${first + n}`));
    }
    const sum = shards.reduce((total, each) => total + each.bytesFrom(0), 0);
    expect(cache.bytes).toBe(sum);
    expect(cache.bytes).toBeLessThan(8000);
  }
});
