import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import type { FrameHead } from './frame.ts';
import {
  back,
  blockBytes,
  frameBytes,
  front,
  headBytes,
  isZero,
  looksLikeHead,
  payloadStart,
  readHead,
  readTable,
  roundUp,
  sealFrame,
  sectorBytes,
  showsUnwrittenSectors,
  writeHead,
} from './frame.ts';

const segment = 5;
const offset = 2 * blockBytes;
const table = Buffer.from('a table of records');
const about = { segment, offset, records: 3, sequence: 42, wallMs: 1_700_000_000_000 };

/** A segment's bytes with one frame in its third and fourth block, around a payload. */
function frame(payload: Buffer, length = 2 * blockBytes): Buffer {
  const slab = Buffer.alloc(length, 0x55);
  payload.copy(slab, payloadStart(table.length));
  sealFrame(slab, table, payload.length, length, about);
  return Buffer.concat([Buffer.alloc(offset), slab, Buffer.alloc(blockBytes)]);
}

const end = offset + 2 * blockBytes;
const backAt = end - headBytes;
const random = Buffer.from(Array.from({ length: 5000 }, (_, i) => 1 + ((i * 31) % 255)));
const whole = frame(random);

test('a frame says at both of its ends what it is, and holds its table twice', () => {
  const head = readHead(whole, offset, segment, front);
  expect(head).toMatchObject({ ...about, length: 2 * blockBytes, tableBytes: table.length });
  expect(head?.tableCrc).toBe(crc32(table));
  expect(readHead(whole, backAt, segment, back)).toEqual(head);
  expect(readTable(whole, head as FrameHead, front)).toEqual(table);
  expect(readTable(whole, head as FrameHead, back)).toEqual(table);
  const start = offset + payloadStart(table.length);
  expect(whole.subarray(start, start + random.length)).toEqual(random);
  expect(isZero(whole, start + random.length, backAt - table.length)).toBe(true);
});

test('a head is none where it does not belong', () => {
  expect(readHead(whole, offset, segment, back)).toBeNull();
  expect(readHead(whole, backAt, segment, front)).toBeNull();
  expect(readHead(whole, offset, segment + 1, front)).toBeNull();
  expect(readHead(whole, offset - blockBytes, segment, front)).toBeNull();
  expect(readHead(whole, -1, segment, front)).toBeNull();
  expect(readHead(whole, whole.length - headBytes + 1, segment, front)).toBeNull();
  expect(readHead(whole.subarray(0, end - 1), offset, segment, front), 'cut short').toBeNull();
  expect(readHead(whole.subarray(0, end), offset, segment, front)).not.toBeNull();
  const moved = Buffer.concat([Buffer.alloc(blockBytes), whole]);
  expect(readHead(moved, offset + blockBytes, segment, front)).toBeNull();
  expect(readHead(moved, backAt + blockBytes, segment, back)).toBeNull();
});

test('a head with a changed byte is none, a table neither', () => {
  for (let at = 0; at < headBytes; at++) {
    const bytes = Buffer.from(whole);
    bytes[offset + at] = (bytes[offset + at] as number) ^ 1;
    expect(readHead(bytes, offset, segment, front), `byte ${at}`).toBeNull();
  }
  const head = readHead(whole, offset, segment, front) as FrameHead;
  for (const [at, copy, other] of [
    [offset + headBytes, front, back],
    [backAt - 1, back, front],
  ] as const) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] as number) ^ 1;
    expect(readTable(bytes, head, copy)).toBeNull();
    expect(readTable(bytes, head, other)).toEqual(table);
  }
});

test('lengths that a head gives are bounded before anything is read by them', () => {
  const right = readHead(whole, offset, segment, front) as FrameHead;
  const read = (changes: Partial<FrameHead>, bytes = Buffer.from(whole)): FrameHead | null => {
    const head = { ...right, ...changes };
    writeHead(bytes, offset, head, front);
    return readHead(bytes, offset, segment, front);
  };
  expect(read({})).toEqual(right);
  expect(read({ length: 2 * blockBytes + sectorBytes })).toBeNull();
  expect(read({ length: 4 * blockBytes })).toBeNull();
  expect(read({ length: 3 * blockBytes })).not.toBeNull();
  expect(read({ offset: offset + 8 })).toBeNull();
  expect(read({ offset: offset - blockBytes })).toBeNull();
  const most = blockBytes - headBytes;
  expect(read({ tableBytes: most })).not.toBeNull();
  expect(read({ tableBytes: most + 1 })).toBeNull();
  const tooLarge = Buffer.from(whole);
  tooLarge.fill(0xff, offset + 40, offset + 48);
  tooLarge.writeUInt32LE(crc32(tooLarge.subarray(offset + 8, offset + headBytes)), offset + 4);
  expect(readHead(tooLarge, offset, segment, front), 'a number beyond 2^53').toBeNull();
});

test('a frame takes whole blocks; its tables share no sector, and no block if more than batches depends on them', () => {
  expect(frameBytes(100, 0, false)).toBe(blockBytes);
  expect(frameBytes(100, 0, true)).toBe(2 * blockBytes);
  expect(frameBytes(100, blockBytes - 2 * 164, false)).toBe(blockBytes);
  expect(frameBytes(100, blockBytes - 2 * 164 + 1, false)).toBe(2 * blockBytes);
  expect(frameBytes(100, 2 * blockBytes, true)).toBe(3 * blockBytes);
  // 64 + 2000 bytes end in the fifth sector, so the second copy begins with the sixth: 2560 + 2064 is more than a block.
  expect(frameBytes(2000, 0, false)).toBe(2 * blockBytes);
  expect(payloadStart(100)).toBe(headBytes + 100);
});

/** Sets sectors of the frame to zero, as if they had never been written. */
function unwritten(bytes: Buffer, ...sectors: number[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const sector of sectors)
    copy.fill(0, offset + sector * sectorBytes, offset + (sector + 1) * sectorBytes);
  return copy;
}

test('a frame counts the sectors that may be zero although they were written, and so shows those that were not', () => {
  const weak = (payload: Buffer): number | undefined =>
    readHead(frame(payload), offset, segment, front)?.weakSectors;
  const half = 64 + table.length;
  // All of the padding, but for the sector in which it begins and the one in which the second table stands.
  expect(weak(Buffer.alloc(0))).toBe(14);
  expect(weak(random)).toBe(16 - 2 - Math.ceil((half + random.length - sectorBytes) / sectorBytes));
  const holes = Buffer.from(random);
  holes.fill(0, 3 * sectorBytes - half, 5 * sectorBytes - half);
  expect(weak(holes)).toBe((weak(random) as number) + 2);
  holes[4 * sectorBytes - half] = 1;
  expect(weak(holes), 'one byte alone may be what changed').toBe((weak(random) as number) + 2);
  holes[5 * sectorBytes - half - 1] = 1;
  expect(weak(holes)).toBe((weak(random) as number) + 1);

  const head = readHead(whole, offset, segment, front) as FrameHead;
  expect(showsUnwrittenSectors(whole, head)).toBe(false);
  expect(showsUnwrittenSectors(unwritten(whole, 2), head)).toBe(true);
  expect(showsUnwrittenSectors(unwritten(whole, 0), head)).toBe(true);
  expect(showsUnwrittenSectors(unwritten(whole, 15), head)).toBe(true);
  const empty = frame(Buffer.alloc(0));
  const emptyHead = readHead(empty, offset, segment, front) as FrameHead;
  expect(showsUnwrittenSectors(empty, emptyHead)).toBe(false);
  expect(showsUnwrittenSectors(unwritten(empty, 15), emptyHead)).toBe(true);
});

test('eight bytes that are set look like a head, fewer are changes in free space', () => {
  const bytes = Buffer.alloc(blockBytes);
  for (let i = 0; i < 7; i++) bytes[100 + i * 9] = 1;
  expect(looksLikeHead(bytes, 100)).toBe(false);
  bytes[163] = 1;
  expect(looksLikeHead(bytes, 100)).toBe(true);
  expect(looksLikeHead(bytes, 101)).toBe(false);
  bytes[164] = 1;
  expect(looksLikeHead(bytes, 100)).toBe(true);
  expect(looksLikeHead(Buffer.alloc(10, 1), 4)).toBe(false);
  expect(looksLikeHead(Buffer.alloc(10, 1), 2)).toBe(true);
});

test('zeros are zeros from the first to the last byte, over blocks', () => {
  const bytes = Buffer.alloc(3 * blockBytes);
  bytes[10] = 1;
  bytes[2 * blockBytes + 10] = 1;
  expect(isZero(bytes, 11, 2 * blockBytes + 10)).toBe(true);
  expect(isZero(bytes, 10, 20)).toBe(false);
  expect(isZero(bytes, 11, 2 * blockBytes + 11)).toBe(false);
  expect(isZero(bytes, 2 * blockBytes + 11, 3 * blockBytes)).toBe(true);
  expect(isZero(bytes, 10, 10)).toBe(true);
  expect([roundUp(0, 512), roundUp(1, 512), roundUp(512, 512), roundUp(513, 512)]).toEqual([
    0, 512, 512, 1024,
  ]);
});
