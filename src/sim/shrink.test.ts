import { expect, test } from 'vitest';
import { formatChosenFaults, parseChosenFaults, takeChosen } from './chosen-faults.ts';
import type { Fault } from './fault-plan.ts';
import type { Candidate } from './shrink.ts';
import { shrink } from './shrink.ts';

const all: Candidate = {
  faults: Array.from({ length: 40 }, (_, i) => ({ number: i + 1, forMs: 1000 })),
  untilMs: 16_000,
};
const numbers = ({ faults }: Candidate): number[] => faults.map(({ number }) => number);

test('what a failure does not need is dropped, and what it needs is shortened', () => {
  let runs = 0;
  const fails = (candidate: Candidate): number | null => {
    runs += 1;
    const lasts = candidate.faults.find(({ number }) => number === 31)?.forMs ?? 0;
    return numbers(candidate).includes(7) && lasts >= 120 ? 9000 : null;
  };
  const least = shrink(all, fails, 500);
  expect(numbers(least)).toEqual([7, 31]);
  expect(least.faults[1]?.forMs).toBe(125);
  expect(least.faults[0]?.forMs).toBeLessThan(10);
  expect(least.untilMs).toBe(9000);
  expect(runs).toBeLessThan(100);
});

test('a failure that needs no fault keeps none', () => {
  expect(numbers(shrink(all, () => 100, 500))).toEqual([]);
});

test('what does not fail again is left alone, and no more runs are made than allowed', () => {
  expect(shrink(all, () => null, 500)).toBe(all);
  let runs = 0;
  shrink(
    all,
    (candidate) => {
      runs += 1;
      return candidate.faults.length === 40 ? 1 : null;
    },
    10,
  );
  expect(runs).toBe(10);
});

test('chosen faults are written and read back', () => {
  const plan: Fault[] = [1, 2, 3].map((n) => ({
    kind: 'kill',
    node: 'n1',
    atMs: n,
    forMs: 10 * n,
    salt: n,
  }));
  const chosen = parseChosenFaults('1,3:7', plan);
  expect(chosen).toEqual([
    { number: 1, forMs: 10 },
    { number: 3, forMs: 7 },
  ]);
  expect(formatChosenFaults(chosen ?? [], plan)).toBe('1,3:7');
  expect(takeChosen(chosen ?? [], plan).map(({ atMs, forMs }) => [atMs, forMs])).toEqual([
    [1, 10],
    [3, 7],
  ]);
  expect(parseChosenFaults('4', plan)).toBe(null);
  expect(parseChosenFaults('x', plan)).toBe(null);
});
