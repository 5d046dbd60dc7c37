import { expect, test } from 'vitest';
import { mayDrop, pinnedBytes, roomLeft } from './compaction.ts';
import { smallOptions } from './log-test-kit.ts';
import { liveSegment } from './segment-pool.ts';
import { ShardLog } from './shard-log.ts';
import type { NodeLogOptions } from './types.ts';

const options: NodeLogOptions = { ...smallOptions, retentionBytes: 1000, retentionMs: 500 };

/** Segment 1, last written at 2000 ms. */
function oldest(): ReturnType<typeof liveSegment> {
  return { ...liveSegment(1, 4096, null), newestMs: 2000 };
}

/** Entries up to 10 in segment 1 and up to 20 in segment 2, a checkpoint, and what followers need. */
function shardLog(checkpoint: number, neededFrom: number): ShardLog {
  const shard = new ShardLog(1, null);
  shard.history.extend(1, 1, 20);
  shard.history.index.add(1, 10, 1, 4096, 100);
  shard.history.index.add(11, 20, 2, 4096, 100);
  shard.durableCheckpoint = { term: 1, lsn: checkpoint };
  shard.neededFrom = neededFrom;
  return shard;
}

test('a segment goes when a checkpoint covers it and no follower needs it', () => {
  const may = (checkpoint: number, neededFrom: number): boolean =>
    mayDrop(oldest(), 0, [shardLog(checkpoint, neededFrom)], options, 2000);
  expect(may(10, 11)).toBe(true);
  expect(may(9, 11)).toBe(false);
  expect(may(10, 10)).toBe(false);
  expect(may(10, 1)).toBe(false);
  expect(mayDrop(oldest(), 0, [shardLog(10, 11), shardLog(9, 11)], options, 2000), 'of each shard').toBe(
    false,
  );
});

test('a shard of which a segment holds nothing does not keep it', () => {
  expect(mayDrop(oldest(), 0, [new ShardLog(2, null), shardLog(10, 11)], options, 2000)).toBe(true);
});

test('beyond the caps it goes whoever needs it, but not what no checkpoint covers', () => {
  const may = (bytes: number, nowMs: number, checkpoint = 10): boolean =>
    mayDrop(oldest(), bytes, [shardLog(checkpoint, 1)], options, nowMs);
  expect(may(1000, 2500)).toBe(false);
  expect(may(1001, 2500)).toBe(true);
  expect(may(1000, 2501)).toBe(true);
  expect(may(1001, 2501, 9)).toBe(false);
});

test('a shard pins the log from the first segment that its checkpoint does not cover', () => {
  const older = [oldest(), liveSegment(2, 4096, null)];
  const used = (from: number): number => from * 1000;
  expect(pinnedBytes(shardLog(9, 0), older, used)).toBe(1000);
  expect(pinnedBytes(shardLog(10, 0), older, used)).toBe(2000);
  expect(pinnedBytes(shardLog(20, 0), older, used)).toBe(0);
  expect(pinnedBytes(shardLog(9, 0), [], used)).toBe(0);
});

test('the room that the caps leave, in bytes, ms and parts of both', () => {
  expect(roomLeft(250, 100, 70, options)).toEqual({
    bytes: 750,
    ms: 400,
    bytesShare: 0.75,
    msShare: 0.8,
    behind: 70,
  });
  expect(roomLeft(2000, 900, 0, options)).toMatchObject({ bytes: 0, ms: 0, bytesShare: 0, msShare: 0 });
  expect(roomLeft(0, -50, 0, options), 'a wall clock that was set back').toMatchObject({
    ms: 500,
    msShare: 1,
  });
  expect(roomLeft(0, 0, 0, { ...options, retentionBytes: 0, retentionMs: 0 })).toMatchObject({
    bytesShare: 0,
    msShare: 0,
  });
});
