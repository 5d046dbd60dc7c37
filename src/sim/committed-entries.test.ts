import { expect, test } from 'vitest';
import { CommittedEntries } from './committed-entries.ts';

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
