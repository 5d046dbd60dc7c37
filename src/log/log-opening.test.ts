import { expect, test } from 'vitest';
import { BellwetherError } from '../errors.ts';
import type { DiskFault } from '../sim/memory-disk.ts';
import { blockBytes } from './frame.ts';
import { batchOf, HandDisk, openOn, payloadsOf, readAll, smallOptions } from './log-test-kit.ts';

const first = 'log/0000000001.log';
const second = 'log/0000000002.log';

function refusal(open: () => unknown): string {
  try {
    open();
    return 'opened';
  } catch (error) {
    return error instanceof BellwetherError ? error.code : (error as Error).message;
  }
}

/** A log of three entries in three writes, closed. */
function written(): HandDisk {
  const hand = new HandDisk();
  const { log } = openOn(hand);
  for (const lsn of [1, 2, 3]) {
    log.append(batchOf(1, 1, lsn, [`entry ${lsn}`]));
    log.flush();
    hand.settle();
  }
  log.close(() => {});
  hand.settle();
  return hand;
}

test('segments are whole blocks, neither too small nor too large', () => {
  const sized = (segmentBytes: number): string => refusal(() => openOn(new HandDisk(), { segmentBytes }));
  expect(sized(64 << 10)).toBe('opened');
  expect(sized((64 << 10) + blockBytes)).toBe('opened');
  expect(sized((64 << 10) - blockBytes)).toBe('BW_CONFIG_INVALID');
  expect(sized((64 << 10) + 512)).toBe('BW_CONFIG_INVALID');
  expect(sized((1 << 30) + blockBytes)).toBe('BW_CONFIG_INVALID');
});

test('without room for a first segment the log is not opened, and says why', () => {
  const hand = new HandDisk();
  hand.disk.capacityBytes = 64 << 10;
  expect(refusal(() => openOn(hand, { reserveBytes: 1 }))).toBe('BW_DISK_FULL');
  expect(refusal(() => openOn(hand))).toBe('opened');
});

test('a disk that fails while the log is opened is no want of space', () => {
  const failing: DiskFault = { error: new Error('EIO') };
  for (const kind of ['makeDirectory', 'syncDirectory', 'list', 'create', 'sync', 'rename', 'freeBytes']) {
    const hand = new HandDisk();
    hand.fault = (operation) => (operation.kind === kind ? failing : null);
    expect(
      refusal(() => openOn(hand)),
      kind,
    ).toBe('EIO');
  }
});

test('a new log begins in segment 1 and prepares the next one', () => {
  const hand = new HandDisk();
  const { shards, notes, incomplete } = openOn(hand);
  expect({ shards, notes, incomplete }).toEqual({ shards: [], notes: [], incomplete: false });
  hand.settle();
  expect(hand.disk.names('log')).toEqual(['0000000001.log', '0000000002.log']);
});

test('it goes on where it ended, and what was half made is gone', () => {
  const hand = written().killed();
  hand.disk.open('log/0000000009.log.new', 'create', () => {});
  hand.settle();
  const { log, shards, notes } = openOn(hand);
  expect(notes).toEqual([]);
  expect(shards[0]).toMatchObject({ last: { term: 1, lsn: 3 }, damage: null });
  expect(hand.disk.names('log')).toEqual(['0000000001.log', '0000000002.log']);
  log.append(batchOf(1, 1, 4, ['entry 4']));
  log.flush();
  hand.settle();
  expect(hand.disk.bytesOf(first).indexOf('entry 4')).toBeGreaterThan(0);
  expect(payloadsOf(readAll(hand, log, 1, 1))).toEqual(['entry 1', 'entry 2', 'entry 3', 'entry 4']);
});

test('a spare segment of another size is made anew, one of the right size is kept', () => {
  const kept = written().killed();
  const made: string[] = [];
  kept.fault = ({ kind, path }) => {
    if (kind === 'create') made.push(path);
    return null;
  };
  openOn(kept);
  kept.settle();
  expect(made).toEqual([]);
  const other = written().killed();
  const segmentBytes = 128 << 10;
  openOn(other, { segmentBytes });
  other.settle();
  expect(other.disk.names('log')).toEqual(['0000000001.log', '0000000003.log']);
  expect(other.disk.bytesOf('log/0000000003.log')).toHaveLength(segmentBytes);
});

test('a write that was torn is removed for good', () => {
  const hand = written().killed();
  const bytes = hand.disk.bytesOf(first);
  const at = bytes.indexOf('entry 3');
  const frame = Math.floor(at / blockBytes) * blockBytes;
  // Of the last write only one sector reached the disk.
  bytes.fill(0, frame, frame + 7 * 512);
  const { shards, notes } = openOn(hand);
  expect(shards[0]).toMatchObject({ last: { term: 1, lsn: 2 }, damage: null });
  expect(notes).toEqual([
    `${first} at offset ${frame}: a write that never finished was removed; nobody was told that it had`,
  ]);
  expect(
    hand.disk
      .bytesOf(first)
      .subarray(frame)
      .every((byte) => byte === 0),
  ).toBe(true);
  expect(openOn(hand.killed()).notes).toEqual([]);
});

test('a write that is damaged stays as it is, is noted with its place, and the log goes on behind it', () => {
  const hand = written().killed();
  const at = hand.disk.bytesOf(first).indexOf('entry 2');
  hand.disk.flip(first, at, 1);
  const { log, shards, notes } = openOn(hand);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/^log\/0000000001\.log at offset \d+: LSN 2 to 2 of shard 1 are damaged$/);
  expect(shards[0]).toMatchObject({
    last: { term: 1, lsn: 1 },
    damage: { mayHaveAcknowledged: { term: 1, lsn: 3 }, hardStateLost: false },
  });
  log.append(batchOf(1, 1, 2, ['again']));
  log.flush();
  hand.settle();
  const again = openOn(hand.killed());
  expect(again.shards[0]?.last).toEqual({ term: 1, lsn: 2 });
  expect(again.shards[0]?.damage?.mayHaveAcknowledged).toEqual({ term: 1, lsn: 3 });
});

test('behind an end that cannot be read the log goes on in the next segment', () => {
  const hand = written().killed();
  const bytes = hand.disk.bytesOf(first);
  const frame = Math.floor(bytes.indexOf('entry 3') / blockBytes) * blockBytes;
  bytes.fill(0xaa, frame, frame + blockBytes);
  const { log, shards, incomplete } = openOn(hand);
  expect(incomplete).toBe(true);
  expect(shards[0]?.damage).toMatchObject({ mayHaveAcknowledged: null });
  log.append(batchOf(1, 1, 3, ['entry 3 again']));
  log.flush();
  hand.settle();
  expect(hand.disk.bytesOf(second).indexOf('entry 3 again')).toBeGreaterThan(0);
  expect(bytes[frame]).toBe(0xaa);
});

test('a log directory below others is made with them', () => {
  expect(smallOptions.reserveBytes).toBe(0);
  const hand = new HandDisk();
  const synced: string[] = [];
  hand.fault = ({ kind, path }) => {
    if (kind === 'syncDirectory') synced.push(path);
    return null;
  };
  openOn(hand);
  expect(synced.slice(0, 2)).toEqual(['', 'log']);
});
