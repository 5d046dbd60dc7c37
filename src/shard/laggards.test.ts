import { expect, test } from 'vitest';
import { laggardsAmong } from './laggards.ts';

const bounds = (b: number, c: number) =>
  new Map([
    ['b', b],
    ['c', c],
  ]);

test('who lags too far is left out, and comes back when it lags much less', () => {
  expect(laggardsAmong(bounds(100, 900), [], 1000)).toEqual([]);
  expect(laggardsAmong(bounds(100, 1001), [], 1000)).toEqual(['c']);
  expect(laggardsAmong(bounds(100, 501), ['c'], 1000)).toEqual(['c']);
  expect(laggardsAmong(bounds(100, 500), ['c'], 1000)).toEqual([]);
});

test('the one that lags least stays, however far it lags', () => {
  expect(laggardsAmong(bounds(7000, 9000), [], 1000)).toEqual(['c']);
  expect(laggardsAmong(new Map([['b', 7000]]), [], 1000)).toEqual([]);
  expect(laggardsAmong(new Map(), [], 1000)).toEqual([]);
});

test('without a limit nobody is left out', () => {
  expect(laggardsAmong(bounds(1, 1e9), ['c'], 0)).toEqual([]);
});
