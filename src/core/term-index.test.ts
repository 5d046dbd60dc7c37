import { expect, test } from 'vitest';
import { TermIndex } from './term-index.ts';

test('whether an entry was lost can be told where the log was compacted', () => {
  const index = new TermIndex({ term: 0, lsn: 0 }, [], 0);
  index.append(1, 1, 10);
  index.append(3, 11, 20);
  index.append(4, 21, 30);
  for (const lsn of [5, 15, 25]) index.compactTo(lsn);
  const held = [1, 5, 10, 11, 15, 20, 21, 25, 30].map((lsn) =>
    index.standing({ term: lsn <= 10 ? 1 : lsn <= 20 ? 3 : 4, lsn }),
  );
  expect(new Set(held)).toEqual(new Set(['held']));
  expect(index.standing({ term: 1, lsn: 11 })).toBe('lost');
  expect(index.standing({ term: 2, lsn: 9 })).toBe('lost');
  expect(index.standing({ term: 3, lsn: 40 })).toBe('lost');
  expect(index.standing({ term: 4, lsn: 31 })).toBe('awaited');
  expect(() => index.termAt(20)).toThrow('LSN 20 is within 25..30');
});

test('pitfall 14: below what was ever held here, only the term of the first entry tells', () => {
  const index = new TermIndex({ term: 2, lsn: 100 }, [{ term: 3, lsn: 105 }], 120);
  index.compactTo(110);
  expect(index.standing({ term: 1, lsn: 99 })).toBe('unknown');
  expect(index.standing({ term: 2, lsn: 99 })).toBe('held');
  expect(index.standing({ term: 3, lsn: 99 })).toBe('lost');
  expect(index.standing({ term: 2, lsn: 104 })).toBe('held');
  index.resetTo({ term: 7, lsn: 500 });
  expect(index.standing({ term: 2, lsn: 104 })).toBe('unknown');
  expect(index.standing({ term: 7, lsn: 499 })).toBe('held');
});

test('pitfall 14: the term of an entry that is gone, or not there yet, is an error and never 0', () => {
  const index = new TermIndex({ term: 0, lsn: 0 }, [{ term: 2, lsn: 1 }], 9);
  index.compactTo(5);
  expect(index.termAt(5)).toBe(2);
  expect(() => index.termAt(4)).toThrow('LSN 4 is within 5..9');
  expect(() => index.termAt(10)).toThrow('LSN 10 is within 5..9');
});

test('what one index knows of the past, another that begins later learns', () => {
  const index = new TermIndex({ term: 0, lsn: 0 }, [], 0);
  index.append(1, 1, 10);
  index.append(3, 11, 20);
  index.append(4, 21, 30);
  index.compactTo(15);
  const runs = index.runsThrough(25);
  expect(runs).toEqual([
    { term: 0, lsn: 0 },
    { term: 1, lsn: 1 },
    { term: 3, lsn: 11 },
    { term: 4, lsn: 21 },
  ]);
  const restarted = new TermIndex(
    { term: 3, lsn: 15 },
    [
      { term: 3, lsn: 16 },
      { term: 4, lsn: 21 },
    ],
    30,
  );
  const seeded = new TermIndex({ term: 0, lsn: 0 }, [], 0);
  seeded.resetTo({ term: 4, lsn: 25 });
  for (const other of [restarted, seeded]) {
    expect(other.standing({ term: 1, lsn: 9 })).toBe('unknown');
    other.learn(runs);
    expect(other.standing({ term: 1, lsn: 9 })).toBe('held');
    expect(other.standing({ term: 1, lsn: 11 })).toBe('lost');
    expect(other.standing({ term: 2, lsn: 9 })).toBe('lost');
    expect(other.standing({ term: 3, lsn: 15 })).toBe('held');
    expect(other.runsThrough(25)).toEqual(runs);
  }
  // Less than what is known already teaches nothing.
  restarted.learn(runs.slice(2));
  expect(restarted.standing({ term: 1, lsn: 9 })).toBe('held');
});
