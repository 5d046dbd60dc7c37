import { expect, test } from 'vitest';
import { KeyVersions } from './key-versions.ts';

/** LSN n was committed at n × 10 ms, in term 1 up to LSN 3 and in term 2 later. */
function history(): KeyVersions {
  const versions = new KeyVersions();
  const changes: [key: string, value: string | null, fleeting?: boolean][] = [
    ['a', 'one'],
    ['b', 'x', true],
    ['a', 'two'],
    ['a', null],
    ['a', 'one'],
  ];
  changes.forEach(([key, value, fleeting], i) => {
    versions.committed(i + 1, i < 3 ? 1 : 2, 10 * (i + 1));
    versions.changed(key, value, fleeting);
  });
  return versions;
}

test('a key shows a value from the first LSN on that gave it, or from where one begins to look', () => {
  const versions = history();
  const at = (key: string, value: string | null, from: number) => versions.shownAt(key, value, from);
  expect([0, 1, 2, 3].map((from) => at('a', 'one', from))).toEqual([1, 1, 2, 5]);
  expect([0, 2, 3, 4].map((from) => at('a', 'two', from))).toEqual([3, 3, 3, null]);
  expect([0, 1, 4, 5].map((from) => at('a', null, from))).toEqual([0, 4, 4, null]);
  expect(at('a', 'three', 0)).toBeNull();
  expect(at('unknown', null, 3)).toBe(3);
  expect(at('a', 'one', 6)).toBeNull();
});

test('where a value may expire, nothing may be found', () => {
  const versions = history();
  expect(versions.shownAt('b', null, 2)).toBe(2);
  expect(versions.shownAt('b', 'x', 5)).toBe(5);
});

test('what was committed when, and in which term', () => {
  const versions = history();
  expect([-5, 9.9, 10, 34, 1000].map((ms) => versions.committedBy(ms))).toEqual([0, 0, 1, 3, 5]);
  expect([3, 4, 6].map((lsn) => versions.termAt(lsn))).toEqual([1, 2, null]);
  expect([2, 6].map((lsn) => versions.committedMs(lsn))).toEqual([20, Number.POSITIVE_INFINITY]);
});
