import { expect, test } from 'vitest';
import { StateDigests } from './state-digests.ts';

test('different states at one LSN are found', () => {
  const digests = new StateDigests();
  expect(digests.note('a', 4, 'x')).toBeNull();
  expect(digests.note('b', 4, 'x')).toBeNull();
  expect(digests.note('b', 8, 'y')).toBeNull();
  expect(digests.note('c', 4, 'y')).toBe('at LSN 4 the state of c has the digest y, that of a had x');
});
