import { expect, test } from 'vitest';
import { Freshness } from './freshness.ts';

test('a statement proves something once the state has reached its commit, and ages from the stamp', () => {
  const freshness = new Freshness();
  expect(freshness.provenMs(100)).toBe(Number.NEGATIVE_INFINITY);
  freshness.learned(1000, 12, false);
  expect(freshness.applied(11)).toBe(false);
  expect(freshness.provenMs(11)).toBe(Number.NEGATIVE_INFINITY);
  expect(freshness.applied(12)).toBe(true);
  expect(freshness.provenMs(12)).toBe(1000);
  expect(freshness.applied(12)).toBe(false);
});

test('an idle shard becomes fresher without a write', () => {
  const freshness = new Freshness();
  for (const atMs of [1000, 1050, 1100]) {
    freshness.learned(atMs, 5, false);
    expect(freshness.applied(5)).toBe(true);
    expect(freshness.provenMs(5)).toBe(atMs);
  }
});

test('a lease proves nothing to who trusts no clocks; a majority proves it to everybody', () => {
  const freshness = new Freshness();
  freshness.learned(1000, 5, false);
  freshness.applied(5);
  expect(freshness.confirmedMs(5)).toBe(Number.NEGATIVE_INFINITY);
  freshness.learned(900, 5, true);
  freshness.applied(5);
  expect(freshness.confirmedMs(5)).toBe(900);
  expect(freshness.provenMs(5)).toBe(1000);
});

test('a state that went back, as one that is rebuilt does, is not what was proven', () => {
  const freshness = new Freshness();
  freshness.learned(1000, 12, true);
  freshness.applied(12);
  expect(freshness.provenMs(3)).toBe(Number.NEGATIVE_INFINITY);
  expect(freshness.confirmedMs(3)).toBe(Number.NEGATIVE_INFINITY);
  expect(freshness.provenMs(12)).toBe(1000);
});

test('a replica that lags far keeps the latest statement and forgets some between', () => {
  const freshness = new Freshness();
  for (let i = 1; i <= 5000; i++) freshness.learned(i, i, false);
  freshness.applied(4999);
  expect(freshness.provenMs(4999)).toBeGreaterThan(4000);
  freshness.applied(5000);
  expect(freshness.provenMs(5000)).toBe(5000);
});
