import { expect, test } from 'vitest';
import { CommittedEntries } from './committed-entries.ts';
import type { LogView } from './log-matching.ts';

const leader = (terms: readonly number[], baseLsn = 0): LogView => ({
  node: 'c',
  baseLsn,
  lastLsn: baseLsn + terms.length - 1,
  termAt: (lsn) => terms[lsn - baseLsn] as number,
});

test('a committed entry that changes its term or its bytes is found', () => {
  const committed = new CommittedEntries();
  expect(committed.note('a', 1, 1, 77)).toBeNull();
  expect(committed.note('b', 1, 1, 77)).toBeNull();
  expect(committed.note('b', 1, 1, null)).toBeNull();
  expect(committed.note('b', 1, 2, 77)).toBe('LSN 1 was committed in term 1 on a and in term 2 on b');
  expect(committed.note('b', 1, 1, 78)).toBe('LSN 1 of term 1 holds other bytes on a than on b');
});

test('bytes that were not at hand at first are compared from then on', () => {
  const committed = new CommittedEntries();
  expect(committed.note('a', 1, 1, null)).toBeNull();
  expect(committed.note('b', 1, 1, 5)).toBeNull();
  expect(committed.note('a', 1, 1, 6)).toContain('other bytes');
});

test('a leader that lacks a committed entry, or holds another in its place, is found', () => {
  const committed = new CommittedEntries();
  for (let lsn = 1; lsn <= 3; lsn++) committed.note('a', lsn, 1, null);
  expect(committed.checkLeader(leader([0, 1, 1, 1]))).toBeNull();
  expect(committed.checkLeader(leader([0, 1, 1, 1, 2]))).toBeNull();
  expect(committed.checkLeader(leader([1, 1], 2))).toBeNull();
  expect(committed.checkLeader(leader([0, 1, 1]))).toBe(
    'c leads with a log up to LSN 2, and LSN 3 was committed',
  );
  expect(committed.checkLeader(leader([0, 1, 1, 2]))).toBe(
    'c leads with term 2 at LSN 3, which was committed in term 1',
  );
});
