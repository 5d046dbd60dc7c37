import { expect, test } from 'vitest';
import type { BellwetherError } from '../errors.ts';
import { blockBytes } from './frame.ts';
import { batchOf, HandDisk, type Opened, openOn, payloadsOf } from './log-test-kit.ts';
import type { HardState, LogPosition, NodeLogOptions } from './types.ts';

interface Running extends Opened {
  readonly hand: HandDisk;
  /** What shard 1 was told, in order. */
  readonly told: string[];
  /** Appends an entry and makes it durable. */
  readonly write: (lsn: number, bytes?: number) => void;
}

function running(changes: Partial<NodeLogOptions> = {}): Running {
  const hand = new HandDisk();
  const opened = openOn(hand, changes);
  hand.settle();
  const told: string[] = [];
  opened.log.attach(1, {
    durable: (position: LogPosition | null, hardState: HardState | null) =>
      told.push(`${position?.lsn ?? '-'} ${hardState?.term ?? '-'}`),
  });
  const write = (lsn: number, bytes = 10): void => {
    opened.log.append(batchOf(1, 1, lsn, ['x'.repeat(bytes)]));
    opened.log.flush();
    hand.settle();
  };
  return { ...opened, hand, told, write };
}

function thrown(work: () => void): Partial<BellwetherError> {
  try {
    work();
    return {};
  } catch (error) {
    return error as BellwetherError;
  }
}

test('what one write holds is reported once, together', () => {
  const { log, hand, told } = running();
  log.putHardState(1, { term: 4, vote: null });
  log.append(batchOf(1, 1, 1, ['a']));
  log.append(batchOf(1, 1, 2, ['b']));
  log.putHardState(2, { term: 9, vote: null });
  log.flush();
  hand.settle();
  log.putHardState(1, { term: 5, vote: null });
  log.flush();
  hand.settle();
  log.checkpointed(1, { term: 1, lsn: 1 }, Buffer.from('m'));
  log.flush();
  hand.settle();
  expect(told).toEqual(['2 4', '- 5']);
});

test('the figures of a log: flushes, bytes and how long they took', () => {
  const { log, hand, clock } = running();
  const batches = [batchOf(1, 1, 1, ['a']), batchOf(1, 1, 2, ['b'.repeat(5000)])] as const;
  expect(log.stalledMs()).toBe(0);
  expect(log.writing).toBe(false);
  for (const batch of batches) {
    log.append(batch);
    log.flush();
    expect(log.writing).toBe(true);
    clock.nowMs += batch.lastLsn * 10;
    expect(log.stalledMs()).toBe(batch.lastLsn * 10);
    hand.settle();
  }
  expect(log.stats).toMatchObject({
    flushes: 2,
    bytesWritten: 4 * blockBytes,
    batchBytes: batches[0].bytes.length + batches[1].bytes.length,
    flushMsTotal: 30,
    flushMsMax: 20,
    segments: 1,
    logBytes: 5 * blockBytes,
    cacheBytes: batches[0].bytes.length + batches[1].bytes.length,
    latched: false,
    spaceShort: false,
  });
  expect(log.stalledMs()).toBe(0);
});

test('what waits for a segment counts as a stall, from when it began to wait', () => {
  const { log, hand, clock, write } = running();
  write(1, 30_000);
  hand.disk.capacityBytes = hand.disk.usedBytes;
  write(2, 30_000);
  clock.nowMs += 500;
  expect(log.stalledMs()).toBe(0);
  write(3, 30_000);
  clock.nowMs += 700;
  log.flush();
  clock.nowMs += 50;
  expect(log.stalledMs()).toBe(750);
  expect(log.writing).toBe(false);
  hand.disk.capacityBytes = Number.POSITIVE_INFINITY;
  log.tick();
  hand.settle();
  expect(log.stalledMs()).toBe(0);
  expect(log.stats.segments).toBe(3);
});

test('a log that is short of space says so, and says when it is not any more', () => {
  const { log, hand, spaceShort, write, told } = running();
  hand.disk.capacityBytes = hand.disk.usedBytes;
  write(1, 30_000);
  write(2, 30_000);
  write(3, 30_000);
  expect(spaceShort).toEqual([true]);
  expect(log.stats.spaceShort).toBe(true);
  expect(told).toEqual(['1 -', '2 -']);
  hand.disk.capacityBytes = Number.POSITIVE_INFINITY;
  log.tick();
  hand.settle();
  expect(spaceShort).toEqual([true, false]);
  expect(log.stats.spaceShort).toBe(false);
  expect(told).toEqual(['1 -', '2 -', '3 -']);
});

test('entries that leave a gap, or are too large for a segment, are a bug of whoever appends them', () => {
  const { log, write } = running();
  write(1);
  expect(thrown(() => log.append(batchOf(1, 1, 3, ['c'])))).toMatchObject({ code: 'BW_INTERNAL' });
  expect(thrown(() => log.append(batchOf(1, 1, 3, ['c']))).message).toContain(
    'a batch from LSN 3 leaves a gap; shard 1 holds LSN 1 to 1',
  );
  expect(log.maxBatchBytes).toBe(32 << 10);
  const most = log.maxBatchBytes - 56;
  expect(thrown(() => log.append(batchOf(1, 1, 2, ['x'.repeat(most + 1)]))).message).toContain(
    'is too large',
  );
  expect(thrown(() => log.append(batchOf(1, 1, 2, ['x'.repeat(most)])))).toEqual({});
  expect(thrown(() => log.cut(1, { term: 9, lsn: 1 })).message).toContain('cannot end at LSN 1 of term 9');
});

test('pitfall 06: matching entries are skipped, and the first one of another term replaces the rest', () => {
  const { log, hand, told } = running();
  log.append(batchOf(1, 1, 1, ['a', 'b', 'c']));
  log.append(batchOf(1, 1, 1, ['a', 'b']));
  log.append(batchOf(1, 1, 2, ['b', 'c']));
  expect(payloadsOf(log.cached(1, 1, 1000) ?? [])).toEqual(['a', 'b', 'c']);
  log.append(batchOf(1, 1, 3, ['c', 'd']));
  expect(payloadsOf(log.cached(1, 1, 1000) ?? [])).toEqual(['a', 'b', 'c', 'd']);
  log.append(batchOf(1, 2, 2, ['B', 'C']));
  expect(payloadsOf(log.cached(1, 1, 1000) ?? [])).toEqual(['a', 'B', 'C']);
  log.flush();
  hand.settle();
  expect(told).toEqual(['3 -']);
  expect(openOn(hand.killed()).shards[0]).toMatchObject({
    last: { term: 2, lsn: 3 },
    terms: [
      { term: 1, lsn: 1 },
      { term: 2, lsn: 2 },
    ],
  });
});

test('reading before the beginning is an error, behind the end it is nothing', () => {
  const { log, hand, write } = running();
  for (const lsn of [1, 2, 3]) write(lsn);
  log.reset(1, { term: 1, lsn: 1 }, true);
  log.flush();
  hand.settle();
  const read = (lsn: number): unknown => {
    let found: unknown;
    log.read(1, lsn, 1000, (error, batches) => {
      found = (error as BellwetherError | null)?.code ?? batches.map(({ firstLsn }) => firstLsn);
    });
    hand.settle();
    return found;
  };
  expect(log.firstLsn(1)).toBe(2);
  expect(read(1)).toBe('BW_LOG_COMPACTED');
  expect(read(2)).toEqual([2, 3]);
  expect(read(4)).toEqual([]);
  expect(log.cached(1, 1, 1000)).toBeNull();
  expect(log.cached(1, 2, 1000)).toHaveLength(2);
  expect(log.bytesFrom(1, 3)).toBe(batchOf(1, 1, 3, ['x'.repeat(10)]).bytes.length);
  expect(log.bytesFrom(1, 4)).toBe(0);
});

test('pitfall 21: a snapshot replaces what does not hold it, and the membership in force stays known', () => {
  const { log, hand, write } = running();
  for (const lsn of [1, 2, 3]) write(lsn);
  log.reset(1, { term: 7, lsn: 2 }, true);
  expect(log.cached(1, 3, 1000), 'another entry 2 stood here').toBeNull();
  expect(log.firstLsn(1)).toBe(3);
  log.append(batchOf(1, 7, 3, ['new']));
  log.flush();
  hand.settle();
  expect(openOn(hand.killed()).shards[0]).toMatchObject({
    base: { term: 7, lsn: 2 },
    last: { term: 7, lsn: 3 },
    damage: null,
  });
});

test('pitfall 01: a failed write latches the log: it says why, and reports nothing any more', () => {
  const { log, hand, told, latched, write } = running();
  write(1);
  hand.fault = ({ kind }) => (kind === 'write' ? { short: 5 } : null);
  write(2);
  expect(latched).toHaveLength(1);
  expect(latched[0]?.message).toMatch(
    /^BW_LOG_LATCHED: an operation on log\/0000000001\.log or its directory failed \(short write: 5 of 4096 bytes\)/,
  );
  expect(log.stats.latched).toBe(true);
  hand.fault = () => null;
  write(3);
  log.tick();
  hand.settle();
  expect(told).toEqual(['1 -']);
  expect(latched).toHaveLength(1);
  let ended: Error | null | undefined;
  log.close((error) => {
    ended = error;
  });
  hand.settle();
  expect(ended).toBe(latched[0]);
});

test('closing writes what is queued first', () => {
  const { log, hand, told } = running();
  log.append(batchOf(1, 1, 1, ['a']));
  let ended: Error | null | undefined;
  log.close((error) => {
    ended = error;
  });
  expect(ended).toBeUndefined();
  hand.settle();
  expect(ended).toBeNull();
  expect(told).toEqual(['1 -']);
});

test('old segments go when a checkpoint that is on disk covers them, and what a shard pins is known', () => {
  const { log, hand, write } = running({ cacheBytes: 0 });
  for (let lsn = 1; lsn <= 6; lsn++) write(lsn, 25_000);
  expect(log.stats.segments).toBe(3);
  expect(log.pinnedBytes(1)).toBe(log.stats.logBytes);
  log.retainFrom(1, Number.POSITIVE_INFINITY);
  log.checkpointed(1, { term: 1, lsn: 3 }, Buffer.from('members'));
  log.tick();
  hand.settle();
  expect(log.firstLsn(1), 'the checkpoint is not on disk yet').toBe(1);
  log.flush();
  hand.settle();
  expect(log.pinnedBytes(1)).toBeLessThan(log.stats.logBytes);
  log.retainFrom(1, 2);
  log.tick();
  hand.settle();
  expect(log.firstLsn(1), 'a follower needs it').toBe(1);
  const { segments } = log.stats;
  log.retainFrom(1, 4);
  log.tick();
  hand.settle();
  expect(log.firstLsn(1)).toBe(3);
  expect(log.stats.segments).toBe(segments - 1);
  expect(hand.disk.names('log')).not.toContain('0000000001.log');
  const again = openOn(hand.killed()).shards[0];
  expect(again).toMatchObject({ base: { term: 1, lsn: 2 }, checkpoint: { term: 1, lsn: 3 } });
});

test('how long the log from a place on is kept', () => {
  const options = { retentionBytes: 100_000, retentionMs: 1000 };
  const { log, clock, write } = running(options);
  expect(log.room(1, 1)).toBeNull();
  write(1, 25_000);
  const whole = log.room(1, 1);
  expect(whole).toMatchObject({ bytes: 100_000, ms: 1000, bytesShare: 1, msShare: 1 });
  expect(whole?.behind).toBeGreaterThan(25_000);
  expect(whole?.behind).toBeLessThan(7 * blockBytes);
  for (const lsn of [2, 3, 4]) write(lsn, 25_000);
  clock.nowMs += 400;
  const room = log.room(1, 1);
  expect(room?.ms).toBe(600);
  expect(room?.bytes).toBeLessThan(100_000 - 50_000);
  expect(log.room(1, 4)?.bytes).toBe(100_000);
  expect(log.room(1, 5)).toBeNull();
});

test('everything from an entry on is saved before it is cut, from disk and from the cache', () => {
  const { log, hand, write } = running({ cacheBytes: 0 });
  for (let lsn = 1; lsn <= 5; lsn++) write(lsn, 25_000);
  log.tick();
  expect(log.cached(1, 2, 10)).toBeNull();
  log.append(batchOf(1, 1, 6, ['last']));
  let saved: string[] = [];
  log.salvage(1, 2, (error, batches) => {
    expect(error).toBeNull();
    saved = payloadsOf(batches);
  });
  log.cut(1, { term: 1, lsn: 1 });
  hand.settle();
  expect(saved.map((text) => text.length)).toEqual([25_000, 25_000, 25_000, 25_000, 4]);
});

test('what was cut while the disk was read is not handed out', () => {
  const { log, hand, write } = running({ cacheBytes: 0 });
  for (let lsn = 1; lsn <= 3; lsn++) write(lsn);
  log.tick();
  let found: number[] = [];
  log.read(1, 1, 1 << 20, (error, batches) => {
    expect(error).toBeNull();
    found = batches.map(({ lastLsn }) => lastLsn);
  });
  log.cut(1, { term: 1, lsn: 2 });
  hand.settle();
  expect(found).toEqual([1, 2]);
});
