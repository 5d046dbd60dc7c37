import { expect, it } from 'vitest';
import { median, medianKnown, medianRatio } from './statistics.ts';

it('a median is a value that was measured', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(3);
  expect(median([])).toBeNaN();
  expect(medianKnown([null, 5, null])).toBe(5);
  expect(medianKnown([null])).toBeNull();
});

it('ratios are taken within rounds: a slow round changes both sides and not the ratio', () => {
  const own = new Map([
    [0, 200],
    [1, 20],
    [2, 210],
  ]);
  const other = new Map([
    [0, 100],
    [1, 10],
    [2, 100],
  ]);
  expect(medianRatio(own, other)).toBe(2);
});

it('rounds that only one side finished are left out', () => {
  expect(medianRatio(new Map([[0, 3]]), new Map([[1, 1]]))).toBeNull();
  expect(
    medianRatio(
      new Map([
        [0, 3],
        [1, 8],
      ]),
      new Map([[1, 2]]),
    ),
  ).toBe(4);
});
