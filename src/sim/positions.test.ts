import { expect, test } from 'vitest';
import type { PositionsView } from './positions.ts';
import { checkPositions, checkProgress } from './positions.ts';

const follower: PositionsView = {
  node: 'a',
  leads: false,
  term: 3,
  appended: 9,
  flushed: 7,
  commit: 5,
  applied: 4,
  ahead: false,
};

test('positions in their order are right', () => {
  expect(checkPositions(follower)).toBeNull();
  expect(checkPositions({ ...follower, flushed: 9, commit: 9, applied: 9 })).toBeNull();
  expect(checkPositions({ ...follower, leads: true, ahead: true, flushed: 2, applied: 12 })).toBeNull();
});

test('positions out of order are found', () => {
  expect(checkPositions({ ...follower, flushed: 10 })).toContain('flushed what it has not');
  expect(checkPositions({ ...follower, commit: 10 })).toContain('commits what it has not');
  expect(checkPositions({ ...follower, applied: 6 })).toContain('applied what is not committed');
});

test('a term or a commit that falls is found', () => {
  expect(checkProgress(follower, { ...follower, term: 4, commit: 6 })).toBeNull();
  expect(checkProgress(follower, { ...follower, flushed: 6, appended: 6 })).toBeNull();
  expect(checkProgress(follower, { ...follower, term: 2 })).toBe('the term of a fell from 3 to 2');
  expect(checkProgress(follower, { ...follower, commit: 4 })).toBe('the commit of a fell from 5 to 4');
});

test('a follower that commits what is not durable there is found', () => {
  expect(checkProgress(follower, { ...follower, commit: 7 })).toBeNull();
  expect(checkProgress({ ...follower, leads: true }, { ...follower, commit: 8 })).toBeNull();
  expect(checkProgress(follower, { ...follower, commit: 8 })).toBe(
    'a follows and commits LSN 8, durable there up to 7',
  );
});
