import { expect, test } from 'vitest';
import { batchOf, HandDisk, openOn } from './log-test-kit.ts';

const mebibyte = 1 << 20;
const segmentBytes = 8 * mebibyte;

/** A log in its first segment of eight, with the bytes of the next one that were asked to be written so far. */
function openedLog() {
  let zeroed = 0;
  let largestBetweenSyncs = 0;
  let unsynced = 0;
  const hand = new HandDisk();
  const opened = openOn(hand, { segmentBytes });
  hand.fault = (operation) => {
    if (!operation.path.endsWith('2.log.new')) return null;
    if (operation.kind === 'write') {
      zeroed += operation.bytes;
      unsynced += operation.bytes;
      largestBetweenSyncs = Math.max(largestBetweenSyncs, unsynced);
    }
    if (operation.kind === 'sync') unsynced = 0;
    return null;
  };
  hand.settle();
  let lsn = 0;
  const append = (bytes: number): void => {
    lsn += 1;
    opened.log.append(batchOf(1, 1, lsn, ['x'.repeat(bytes)]));
    opened.log.flush();
  };
  return {
    ...opened,
    hand,
    append,
    zeroed: () => zeroed,
    largestBetweenSyncs: () => largestBetweenSyncs,
  };
}

test('the next segment is zeroed in step with what the current one takes, and synced piece by piece', () => {
  const { log, hand, append, zeroed, largestBetweenSyncs } = openedLog();
  expect(zeroed()).toBeLessThanOrEqual(2 * mebibyte);
  for (let taken = 0; taken < segmentBytes * 0.7; taken += mebibyte / 2) {
    append(mebibyte / 2);
    hand.settle();
    expect(zeroed()).toBeLessThanOrEqual(2 * mebibyte + 2 * (taken + mebibyte));
  }
  expect(zeroed()).toBeGreaterThanOrEqual(segmentBytes);
  expect(largestBetweenSyncs()).toBeLessThanOrEqual(mebibyte);
  log.close(() => {});
  hand.settle();
});

test('a log that waits for its next segment gets it at full speed', () => {
  const { log, hand, append } = openedLog();
  for (let i = 0; i < 3; i++) append(3 * mebibyte);
  hand.settle();
  expect(log.stats.segments).toBe(2);
  expect(log.queuedBytes).toBe(0);
  log.close(() => {});
  hand.settle();
});

test('a log that is closed does not wait for the rest of a segment', () => {
  const { log, hand } = openedLog();
  let closed = 0;
  log.close((error) => {
    expect(error).toBeNull();
    closed += 1;
  });
  hand.settle();
  expect(closed).toBe(1);
});
