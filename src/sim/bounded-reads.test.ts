import { expect, test } from 'vitest';
import { checkBoundedLsnRead, checkBoundedRead } from './bounded-reads.ts';
import { readOf, tenEntries } from './level-test-kit.ts';

const within = (result: string, sentMs: number, bound: number, slowest = 1) =>
  checkBoundedRead(readOf(result, sentMs, sentMs + 5, { kind: 'bounded', bound }), tenEntries(), slowest);

test('a state older than the bound is found', () => {
  expect(within('v7', 100, 25)).toBeNull();
  expect(within('v8', 100, 25)).toBeNull();
  expect(within('v6', 100, 25)).toBe(
    'client 7 read k → v6 at bounded 25, from 100.00 to 105.00 ms: too old, LSN 7 was committed at 70.00 ms',
  );
  expect(within('v9', 100, 0)).toContain('too old');
  expect(within('v10', 100, 0)).toBeNull();
});

test('a slow clock makes a bound longer', () => {
  expect(within('v6', 100, 25, 0.9)).toContain('too old');
  expect(within('v6', 100, 27, 0.9)).toContain('too old');
  expect(within('v6', 100, 28, 0.9)).toBeNull();
});

test('a state below the LSN that was asked for is found', () => {
  const through = (result: string | null, bound: number) =>
    checkBoundedLsnRead(readOf(result, 200, 205, { kind: 'bounded lsn', bound }), tenEntries());
  expect(through('v5', 5)).toBeNull();
  expect(through('v9', 5)).toBeNull();
  expect(through('v4', 5)).toBe(
    'client 7 read k → v4 at bounded lsn 5, from 200.00 to 205.00 ms: no state from there on shows that',
  );
  expect(through(null, 1)).toContain('no state');
  // Nobody can have come so far.
  expect(through('v10', 11)).toContain('no state');
});
