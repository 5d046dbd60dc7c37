import { expect, test } from 'vitest';
import { batchOf, HandDisk, type Opened, openOn } from './log-test-kit.ts';
import type { LogPosition } from './types.ts';

/** A log on a disk that does one operation at a time, and what it reports of shard 1. */
function reporting(): { hand: HandDisk; opened: Opened; reports: (LogPosition | null)[] } {
  const hand = new HandDisk();
  const opened = openOn(hand);
  const reports: (LogPosition | null)[] = [];
  opened.log.attach(1, { durable: (position) => reports.push(position), nextWrite: () => {} });
  hand.settle();
  return { hand, opened, reports };
}

test('pitfall 03: a write that ends vouches for what it held, not for what came while it was in flight', () => {
  const { hand, opened, reports } = reporting();
  opened.log.append(batchOf(1, 1, 1, ['a', 'b']));
  opened.log.flush();
  opened.log.append(batchOf(1, 1, 3, ['c']));
  opened.log.flush();
  while (reports.length === 0) hand.step();
  expect(reports).toEqual([{ term: 1, lsn: 2 }]);
  hand.settle();
  expect(reports.at(-1)).toEqual({ term: 1, lsn: 3 });
});

test('pitfall 03: a write that ends vouches for nothing that was cut while it was in flight', () => {
  const { hand, opened, reports } = reporting();
  opened.log.append(batchOf(1, 1, 1, ['a', 'b', 'c']));
  opened.log.flush();
  opened.log.cut(1, { term: 1, lsn: 1 });
  opened.log.append(batchOf(1, 2, 2, ['d']));
  while (reports.length === 0) hand.step();
  expect(reports).toEqual([{ term: 1, lsn: 1 }]);
  opened.log.flush();
  hand.settle();
  expect(reports.at(-1)).toEqual({ term: 2, lsn: 2 });
});

test('pitfall 03, 21: nor for anything beyond a snapshot that replaced the log meanwhile', () => {
  const { hand, opened, reports } = reporting();
  opened.log.append(batchOf(1, 1, 1, ['a', 'b', 'c']));
  opened.log.flush();
  opened.log.reset(1, { term: 2, lsn: 2 }, false);
  while (reports.length === 0) hand.step();
  expect(reports[0]?.lsn ?? 0).toBeLessThanOrEqual(2);
  expect(reports[0]).not.toMatchObject({ term: 1, lsn: 3 });
});
