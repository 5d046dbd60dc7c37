import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import type { BellwetherError } from '../errors.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryFile } from '../sim/memory-file.ts';
import { blockBytes } from './frame.ts';
import { HandDisk } from './log-test-kit.ts';
import { SegmentReader, segmentHeader, segmentName, segmentNumber } from './segment.ts';

const mebibyte = 1 << 20;
const fileBytes = 2 * mebibyte + 3 * blockBytes;

/** A segment file whose bytes say where they stand. */
function segmentFile(bytes = fileBytes): Buffer {
  const file = Buffer.alloc(bytes);
  for (let at = blockBytes; at < bytes; at += 4) file.writeUInt32LE(at, at);
  segmentHeader(7, bytes).copy(file);
  return file;
}

/** Reads it as segment 7, on a disk that fails to give out these blocks. */
function read(file: Buffer, ...badBlocks: number[]): { bytes: Buffer; notes: string[]; closed: number } {
  const hand = new HandDisk(
    (options) =>
      new MemoryDisk(
        options,
        new Map([
          ['log', null],
          [`log/${segmentName(7)}`, new MemoryFile(file)],
        ]),
      ),
  );
  let closed = 0;
  hand.fault = ({ kind, position, bytes }) => {
    if (kind === 'close') closed += 1;
    const bad = badBlocks.some((at) => at >= position && at < position + bytes);
    return kind === 'read' && bad ? { error: new Error('EIO') } : null;
  };
  const notes: string[] = [];
  const reader = new SegmentReader(hand.disk, 'log', notes);
  try {
    return { bytes: hand.run(reader.read(7)), notes, closed };
  } finally {
    expect(closed).toBe(1);
  }
}

function refusal(file: Buffer): Partial<BellwetherError> {
  try {
    read(file);
    return {};
  } catch (error) {
    return error as BellwetherError;
  }
}

test('files of segments have ten digits, others are none', () => {
  expect(segmentName(7)).toBe('0000000007.log');
  expect(segmentNumber('0000000007.log')).toBe(7);
  expect(segmentNumber('1234567890.log')).toBe(1_234_567_890);
  for (const name of ['7.log', '00000000007.log', '0000000007.log.new', 'x0000000007.log', '0000000007xlog'])
    expect(segmentNumber(name), name).toBeNull();
});

test('a segment is read whole, without a word', () => {
  const file = segmentFile();
  const { bytes, notes } = read(file);
  expect(bytes.equals(file)).toBe(true);
  expect(notes).toEqual([]);
});

test('the header is one block that names format, segment and size', () => {
  const header = segmentHeader(7, fileBytes);
  expect(header).toHaveLength(blockBytes);
  expect(header.subarray(0, 8)).toEqual(Buffer.from('BWLOG\0\x01\0', 'latin1'));
  expect([header.readUInt32LE(8), header.readUInt32LE(12)]).toEqual([7, fileBytes]);
  expect(header.readUInt32LE(16)).toBe(crc32(header.subarray(0, 16)));
  expect(header.subarray(20).every((byte) => byte === 0)).toBe(true);
});

test('a damaged header is noted and does no harm', () => {
  for (const at of [0, 5, 8, 12, 16]) {
    const file = segmentFile();
    file[at] = (file[at] as number) ^ 1;
    const { bytes, notes } = read(file);
    expect(bytes.equals(file)).toBe(true);
    expect(notes, `byte ${at}`).toEqual([
      "log/0000000007.log at offset 0: the segment's header is damaged; it is not needed",
    ]);
  }
});

test('the header of another segment counts for nothing', () => {
  const file = segmentFile();
  segmentHeader(8, fileBytes + blockBytes).copy(file);
  const { bytes, notes } = read(file);
  expect(bytes).toHaveLength(fileBytes);
  expect(notes).toHaveLength(1);
});

test('a header of another format is refused, with both formats', () => {
  const file = segmentFile();
  file.writeUInt16LE(2, 6);
  file.writeUInt32LE(crc32(file.subarray(0, 16)), 16);
  const { code, message } = refusal(file);
  expect(code).toBe('BW_DATA_VERSION');
  expect(message).toContain('log format 2 (at offset 6), this version reads 1');
});

test('a file that was cut short is as long as its header says: what is missing cannot be read', () => {
  const { bytes, notes } = read(segmentFile().subarray(0, fileBytes - blockBytes));
  expect(bytes).toHaveLength(fileBytes);
  expect(bytes.readUInt32LE(fileBytes - blockBytes - 4)).toBe(fileBytes - blockBytes - 4);
  expect(bytes.subarray(fileBytes - blockBytes).every((byte) => byte === 0xee)).toBe(true);
  expect(notes[0]).toBe(`log/0000000007.log at offset ${fileBytes - blockBytes}: the file was cut short`);
});

test('a file without a whole header is read as far as it goes', () => {
  const { bytes } = read(segmentFile().subarray(0, 100));
  expect(bytes).toHaveLength(100);
});

test('blocks that the disk does not give out are filled and noted, the ones around them are read', () => {
  const bad = [mebibyte + 5 * blockBytes, 2 * mebibyte + 2 * blockBytes];
  const file = segmentFile();
  const { bytes, notes } = read(file, ...bad);
  for (const at of bad) {
    file.fill(0xee, at, at + blockBytes);
    expect(notes).toContain(`log/0000000007.log at offset ${at}: the disk does not give these bytes back`);
  }
  expect(notes).toHaveLength(2);
  expect(bytes.equals(file)).toBe(true);
});

test('a file larger than any segment is refused before it is read', () => {
  const file = segmentFile();
  const hand = new HandDisk(
    (options) => new MemoryDisk(options, new Map([['log/0000000007.log', new MemoryFile(file)]])),
  );
  const { open } = hand.disk;
  hand.disk.open = (path, mode, done) =>
    open.call(hand.disk, path, mode, (error, opened) => {
      if (opened !== null) opened.size = (told) => told(null, (1 << 30) + 1);
      done(error, opened);
    });
  expect(() => hand.run(new SegmentReader(hand.disk, 'log', []).read(7))).toThrow(
    /BW_LOG_DAMAGED.*more than any segment/,
  );
});
