import { expect, test } from 'vitest';
import type { LogView } from './log-matching.ts';
import { checkLogMatching } from './log-matching.ts';

/** A log with these terms, the first one that of the entry at `baseLsn`. */
function log(node: string, terms: readonly number[], baseLsn = 0): LogView {
  return {
    node,
    baseLsn,
    lastLsn: baseLsn + terms.length - 1,
    termAt: (lsn) => terms[lsn - baseLsn] as number,
    runStart: (lsn) => {
      let at = lsn;
      while (at > baseLsn + 1 && terms[at - 1 - baseLsn] === terms[lsn - baseLsn]) at -= 1;
      return at;
    },
  };
}

test('logs that differ only in a tail match', () => {
  expect(checkLogMatching(log('a', [0, 1, 1, 2]), log('b', [0, 1, 1, 2]))).toBeNull();
  expect(checkLogMatching(log('a', [0, 1, 1, 2, 2]), log('b', [0, 1, 1, 3]))).toBeNull();
  expect(checkLogMatching(log('a', [0]), log('b', [0, 1, 1, 3]))).toBeNull();
});

test('logs that agree behind a difference do not match', () => {
  expect(checkLogMatching(log('a', [0, 1, 1, 3]), log('b', [0, 1, 2, 3]))).toBe(
    'a and b agree at LSN 3 but hold terms 1 and 2 at LSN 2',
  );
});

test('only what both hold is compared', () => {
  expect(checkLogMatching(log('a', [0, 1, 1, 3]), log('b', [3, 3, 4], 3))).toBeNull();
  expect(checkLogMatching(log('a', [0, 1, 1, 3, 4]), log('b', [2, 3, 4], 2))).toContain('at LSN 2');
  expect(checkLogMatching(log('a', [0, 1]), log('b', [5, 5], 7))).toBeNull();
});
