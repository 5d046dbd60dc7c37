import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { Batch, BatchBuilder, batchHeaderBytes, entryHeaderBytes, entryKind } from './batch.ts';
import { batchOf, payloadsOf } from './log-test-kit.ts';

/** The same batch with other bytes in it, and a checksum that fits. */
function changed(batch: Batch, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch.bytes);
  change(bytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

const abc = batchOf(7, 3, 10, ['a', 'bb', '']);

test('a batch is read back as it was built', () => {
  const builder = new BatchBuilder(7, 64);
  builder.begin(entryKind.effects, 0x1234);
  builder.payload.raw('x'.repeat(200));
  expect(builder.entryBytes).toBe(200);
  builder.end();
  builder.begin(entryKind.mark, 0);
  builder.end();
  expect(builder.count).toBe(2);
  expect(builder.bytes).toBe(batchHeaderBytes + 2 * entryHeaderBytes + 200);
  const sealed = builder.seal(5, 20, 1_700_000_000_123);
  expect(builder.count).toBe(0);
  const { shard, term, firstLsn, lastLsn, timeMs, flags, holdsMembership } = Batch.parse(
    Buffer.from(sealed.bytes),
  );
  expect({ shard, term, firstLsn, lastLsn, timeMs, flags, holdsMembership }).toEqual({
    shard: 7,
    term: 5,
    firstLsn: 20,
    lastLsn: 21,
    timeMs: 1_700_000_000_123,
    flags: 0,
    holdsMembership: false,
  });
  expect([sealed.shard, sealed.term, sealed.firstLsn, sealed.lastLsn]).toEqual([7, 5, 20, 21]);
  const start = batchHeaderBytes + entryHeaderBytes;
  expect([...sealed.entries()]).toEqual([
    { lsn: 20, kind: 0, policy: 0x1234, client: 0, sequence: 0, start, end: start + 200 },
    { lsn: 21, kind: 3, policy: 0, client: 0, sequence: 0, start: start + 208, end: start + 208 },
  ]);
});

test('an entry that is abandoned leaves nothing, be it the first or a later one', () => {
  const builder = new BatchBuilder(1, 64);
  builder.begin(entryKind.effects, 0);
  builder.payload.raw('gone');
  builder.abandon();
  expect([builder.count, builder.bytes]).toEqual([0, 0]);
  builder.begin(entryKind.effects, 0);
  builder.payload.raw('kept');
  builder.end();
  const { bytes } = builder;
  builder.begin(entryKind.effects, 0);
  builder.payload.raw('gone too');
  builder.abandon();
  expect([builder.count, builder.bytes]).toEqual([1, bytes]);
  expect(payloadsOf([builder.seal(1, 1, 0)])).toEqual(['kept']);
});

test('a batch says that it holds a membership, and the next one does not', () => {
  const builder = new BatchBuilder(1, 64);
  builder.begin(entryKind.membership, 0);
  builder.end();
  expect(Batch.parse(Buffer.from(builder.seal(1, 1, 0).bytes)).holdsMembership).toBe(true);
  builder.begin(entryKind.effects, 0);
  builder.end();
  expect(builder.seal(1, 2, 0).holdsMembership).toBe(false);
});

test('parts of a batch are batches of their own', () => {
  expect(abc.from(10)).toBe(abc);
  expect(abc.from(9)).toBe(abc);
  expect(abc.through(12)).toBe(abc);
  expect(abc.through(13)).toBe(abc);
  const parts: [Batch, number, number, string[]][] = [
    [abc.from(11), 11, 12, ['bb', '']],
    [abc.from(12), 12, 12, ['']],
    [abc.through(11), 10, 11, ['a', 'bb']],
    [abc.through(10), 10, 10, ['a']],
    [abc.from(11).through(11), 11, 11, ['bb']],
  ];
  for (const [part, firstLsn, lastLsn, payloads] of parts) {
    for (const each of [part, Batch.parse(Buffer.from(part.bytes))]) {
      expect(each).toMatchObject({ firstLsn, lastLsn, shard: 7, term: 3, timeMs: abc.timeMs });
      expect(payloadsOf([each])).toEqual(payloads);
    }
  }
});

test('an entry may carry the halves of a token', () => {
  const payload = Buffer.alloc(16 + 3, 'x');
  payload.writeBigUInt64LE(77n, 0);
  payload.writeBigUInt64LE(88n, 8);
  const plain = batchOf(1, 1, 1, [payload.latin1Slice()]);
  const bytes = changed(plain, (copy) => {
    copy[batchHeaderBytes + 5] = 1;
    copy.writeUInt32LE(3, batchHeaderBytes);
  });
  const start = batchHeaderBytes + entryHeaderBytes + 16;
  expect([...Batch.parse(bytes).entries()]).toEqual([
    { lsn: 1, kind: 0, policy: 0, client: 77, sequence: 88, start, end: start + 3 },
  ]);
});

test('bytes that are no batch are refused, with a reason', () => {
  const refusal = (bytes: Buffer): string => {
    try {
      const count = [...Batch.parse(bytes).entries()].length;
      return `a batch of ${count}`;
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedBytes);
      return (error as Error).message;
    }
  };
  expect(refusal(abc.bytes)).toBe('a batch of 3');
  expect(refusal(abc.bytes.subarray(0, batchHeaderBytes - 1))).toMatch(/^a batch shorter than its header/);
  expect(refusal(abc.bytes.subarray(0, batchHeaderBytes))).toMatch(/^a batch of another length/);
  expect(refusal(abc.bytes.subarray(0, -1))).toMatch(/^a batch of another length/);
  expect(refusal(changed(abc, (bytes) => bytes.writeUInt32LE(1, 0)))).toMatch(/^no batch here/);
  expect(refusal(changed(abc, (bytes) => bytes.writeUInt16LE(2, 12)))).toMatch(/unknown version/);
  const flipped = Buffer.from(abc.bytes);
  flipped[20] = 9;
  expect(refusal(flipped)).toMatch(/wrong checksum/);
  expect(refusal(changed(abc, (bytes) => bytes.writeUInt32LE(0, 20)))).toMatch(/without entries/);
  expect(refusal(changed(abc, (bytes) => bytes.fill(0, 32, 40)))).toMatch(/without entries/);
  expect(refusal(changed(abc, (bytes) => bytes.writeUInt32LE(4, 20)))).toMatch(/fewer entries than it says/);
  expect(refusal(changed(abc, (bytes) => bytes.writeUInt32LE(2, 20)))).toMatch(/after its last entry/);
  expect(refusal(changed(abc, (bytes) => bytes.writeUInt32LE(1000, batchHeaderBytes)))).toMatch(
    /an entry beyond its batch/,
  );
});
