import { expect, test } from 'vitest';
import { comparePositions, laterPosition, samePosition } from './positions.ts';

test('positions are ordered by term, then by LSN, as elections do', () => {
  const a = { term: 1, lsn: 9 };
  const b = { term: 2, lsn: 3 };
  const c = { term: 2, lsn: 4 };
  expect([c, a, b].sort(comparePositions)).toEqual([a, b, c]);
  expect(comparePositions(b, { ...b })).toBe(0);
  expect(laterPosition(a, b)).toBe(b);
  expect(laterPosition(c, b)).toBe(c);
});

test('positions are the same when both term and LSN are', () => {
  expect(samePosition({ term: 1, lsn: 2 }, { term: 1, lsn: 2 })).toBe(true);
  expect(samePosition({ term: 1, lsn: 2 }, { term: 2, lsn: 2 })).toBe(false);
  expect(samePosition({ term: 1, lsn: 2 }, { term: 1, lsn: 3 })).toBe(false);
});
