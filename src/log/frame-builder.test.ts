import { expect, test } from 'vitest';
import { Batch } from './batch.ts';
import { blockBytes, type FrameHead, frameBytes, front, headBytes, readHead, readTable } from './frame.ts';
import type { QueuedRecord } from './frame-builder.ts';
import { FrameBuilder } from './frame-builder.ts';
import { batchOf, payloadsOf } from './log-test-kit.ts';
import type { LogRecord } from './record.ts';
import { decodeTable } from './record.ts';
import { ShardLog } from './shard-log.ts';

const mebibyte = 1 << 20;
const shard = new ShardLog(1, null);
const about = { segment: 1, offset: 0, sequence: 1, wallMs: 5 };
/** What a batch takes in the table. */
const batchRecordBytes = 41;

function queued(firstLsn: number, ...payloads: string[]): QueuedRecord {
  const batch = batchOf(1, 2, firstLsn, payloads);
  const { term, lastLsn } = batch;
  const length = batch.bytes.length;
  return {
    shard,
    record: { kind: 'batch', shard: 1, term, firstLsn, lastLsn, previousTerm: 1, length },
    batch,
  };
}

const vote: QueuedRecord = {
  shard,
  record: { kind: 'hardState', shard: 1, hardState: { term: 3, vote: 'n1' } },
  batch: null,
};

/** The records of a frame, and its batches. */
function found(bytes: Buffer): { records: LogRecord[] | null; payloads: string[] } {
  const head = readHead(bytes, 0, 1, front) as FrameHead;
  const records = decodeTable(readTable(bytes, head, front) as Buffer, head.records);
  let at = headBytes + head.tableBytes;
  const batches: Batch[] = [];
  for (const record of records ?? []) {
    if (record.kind !== 'batch') continue;
    batches.push(Batch.parse(bytes.subarray(at, at + record.length)));
    at += record.length;
  }
  return { records, payloads: payloadsOf(batches) };
}

test('a frame holds what is queued, in order, behind what opens a segment', () => {
  const queue = [queued(1, 'a', 'b'), vote, queued(3, 'c')];
  const opening: LogRecord = { kind: 'madeGood', shard: 9 };
  const frame = new FrameBuilder(Buffer.alloc).build(queue, [opening], mebibyte, about);
  const { records, payloads } = found(frame?.bytes as Buffer);
  expect(records).toEqual([opening, ...queue.map(({ record }) => record)]);
  expect(payloads).toEqual(['a', 'b', 'c']);
  expect(frame?.taken).toBe(3);
  expect(frame?.bytes).toHaveLength(2 * blockBytes);
});

test('with nothing but batches the two tables may share a block', () => {
  const builder = new FrameBuilder(Buffer.alloc);
  expect(builder.build([queued(1, 'a')], [], mebibyte, about)?.bytes).toHaveLength(blockBytes);
  expect(builder.build([vote], [], mebibyte, about)?.bytes).toHaveLength(2 * blockBytes);
  expect(builder.build([queued(1, 'a'), vote], [], mebibyte, about)?.bytes).toHaveLength(2 * blockBytes);
  const opening: LogRecord = { kind: 'madeGood', shard: 9 };
  expect(builder.build([queued(1, 'a')], [opening], mebibyte, about)?.bytes).toHaveLength(2 * blockBytes);
});

test('as many records are taken as fit', () => {
  const builder = new FrameBuilder(Buffer.alloc);
  const text = 'x'.repeat(1500);
  const queue = [queued(1, text), queued(2, text), queued(3, text)];
  const frame = builder.build(queue, [], blockBytes, about);
  expect(frame?.taken).toBe(2);
  expect(found(frame?.bytes as Buffer).payloads).toEqual([text, text]);
  expect(builder.build(queue, [], 2 * blockBytes, about)?.taken).toBe(3);
  expect(builder.build(queue, [], 2 * blockBytes - 1, about)?.taken).toBe(2);
  // A vote would take another block, and what follows waits behind it.
  const later = builder.build([queued(1, 'a'), vote, queued(2, 'b')], [], blockBytes, about);
  expect(later?.taken).toBe(1);
  expect(later?.bytes).toHaveLength(blockBytes);
});

test('where not even one fits there is no frame', () => {
  const builder = new FrameBuilder(Buffer.alloc);
  const queue = [queued(1, 'x'.repeat(2 * blockBytes))];
  expect(builder.build(queue, [], 2 * blockBytes, about)).toBeNull();
  expect(builder.build(queue, [], 3 * blockBytes, about)?.taken).toBe(1);
  const opening: LogRecord = { kind: 'madeGood', shard: 9 };
  expect(builder.build([], [opening], blockBytes, about)).toBeNull();
  expect(builder.build([], [opening], 2 * blockBytes, about)?.taken).toBe(0);
  expect(builder.build([queued(1, 'a')], [opening], blockBytes, about)).toBeNull();
});

test('a frame holds four mebibytes of batches, or one batch that is larger', () => {
  const builder = new FrameBuilder(Buffer.alloc);
  const room = 64 * mebibyte;
  const large = 'x'.repeat(3 * mebibyte);
  const rest = 4 * mebibyte - (large.length + 56) - 56;
  expect(builder.build([queued(1, large), queued(2, 'y'.repeat(rest))], [], room, about)?.taken).toBe(2);
  expect(builder.build([queued(1, large), queued(2, 'y'.repeat(rest + 1))], [], room, about)?.taken).toBe(1);
  const larger = builder.build([queued(1, 'z'.repeat(9 * mebibyte)), vote], [], room, about);
  expect(larger?.taken, 'alone').toBe(1);
  expect(found(larger?.bytes as Buffer).payloads).toEqual(['z'.repeat(9 * mebibyte)]);
  const small = builder.build([queued(1, 'a')], [], room, about);
  expect(found(small?.bytes as Buffer).payloads).toEqual(['a']);
});

test('it says where the payloads begin', () => {
  const queue = [queued(1, 'a'), queued(2, 'b')];
  const frame = new FrameBuilder(Buffer.alloc).build(queue, [], mebibyte, about);
  expect(frame?.payloadStart).toBe(headBytes + 2 * batchRecordBytes);
  expect(frame?.bytes).toHaveLength(frameBytes(2 * batchRecordBytes, 200, false));
});
