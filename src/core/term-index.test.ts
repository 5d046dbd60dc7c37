import fc from 'fast-check';
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
  // What was told is a checkpoint's by now: it stays when the log is compacted further.
  const told = index.runsThrough(25);
  index.compactTo(22);
  expect(told).toEqual(runs);
  // Less than what is known already teaches nothing.
  restarted.learn(runs.slice(2));
  expect(restarted.standing({ term: 1, lsn: 9 })).toBe('held');
});

/** The same as a list of terms, one for each entry from the base on. */
class PlainLog {
  base = 0;
  terms = [0];

  get last(): number {
    return this.base + this.terms.length - 1;
  }

  termAt(lsn: number): number {
    return this.terms[lsn - this.base] as number;
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      more: fc.nat(2),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut'), more: fc.nat(6), count: fc.constant(0) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('compact'), more: fc.nat(6), count: fc.constant(0) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset'), more: fc.nat(3), count: fc.nat(3) }) },
);

function take(
  index: TermIndex,
  plain: PlainLog,
  { kind, more, count }: { kind: string; more: number; count: number },
): void {
  const lastTerm = plain.termAt(plain.last);
  if (kind === 'append') {
    index.append(lastTerm + more, plain.last + 1, plain.last + count);
    plain.terms.push(...Array.from({ length: count }, () => lastTerm + more));
  } else if (kind === 'cut') {
    const end = Math.max(plain.base, plain.last - more);
    index.cutAfter(end);
    plain.terms.length = end - plain.base + 1;
  } else if (kind === 'compact') {
    const base = Math.min(plain.last, plain.base + more);
    index.compactTo(base);
    plain.terms.splice(0, base - plain.base);
    plain.base = base;
  } else {
    const position = { term: lastTerm + more, lsn: plain.last + count };
    index.resetTo(position);
    plain.terms = [position.term];
    plain.base = position.lsn;
  }
}

function sameAs(index: TermIndex, plain: PlainLog): void {
  const { base, last } = plain;
  expect(index.base).toEqual({ term: plain.termAt(base), lsn: base });
  expect(index.last).toEqual({ term: plain.termAt(last), lsn: last });
  expect(index.lastLsn).toBe(last);
  for (let lsn = base; lsn <= last; lsn++) {
    const term = plain.termAt(lsn);
    expect(index.termAt(lsn)).toBe(term);
    expect(index.holds({ term, lsn })).toBe(true);
    expect(index.holds({ term: term + 1, lsn })).toBe(false);
    expect(index.standing({ term, lsn })).toBe('held');
    expect(index.standing({ term: term + 1, lsn })).toBe('lost');
    let start = lsn;
    while (start - 1 > base && plain.termAt(start - 1) === term) start -= 1;
    if (lsn > base) expect(index.runStart(lsn)).toBe(start);
    for (const hinted of [term - 1, term, term + 1]) {
      let agreed = lsn;
      while (agreed > base && plain.termAt(agreed) > hinted) agreed -= 1;
      expect(index.agreementWith({ term: hinted, lsn })).toEqual({ term: plain.termAt(agreed), lsn: agreed });
    }
  }
  for (const lsn of [base - 1, last + 1]) {
    expect(() => index.termAt(lsn)).toThrow(`LSN ${lsn} is within ${base}..${last}`);
    expect(index.holds({ term: plain.termAt(last), lsn })).toBe(false);
  }
  expect(index.agreementWith({ term: plain.termAt(last), lsn: last + 5 })).toEqual(index.last);
  expect(() => index.append(plain.termAt(last), last + 2, last + 2)).toThrow(`follow ${last}`);
  expect(() => index.append(plain.termAt(last) - 1, last + 1, last + 1)).toThrow('does not fall behind');
  expect(() => index.cutAfter(base - 1)).toThrow('is not below the base');
}

test('terms of a log that grows, is cut, compacted and reset are those of a plain list', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const index = new TermIndex({ term: 0, lsn: 0 }, [], 0);
      const plain = new PlainLog();
      for (const each of steps) {
        take(index, plain, each);
        sameAs(index, plain);
      }
    }),
  );
});
