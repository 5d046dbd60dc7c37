import { expect, test } from 'vitest';
import { countedCalls } from './system-calls.ts';
import { budgetOf, leastOf, overBudget, type Work } from './work-budget.ts';

const work: Work = {
  systemCalls: 20,
  readsAndWrites: 10,
  bytesWritten: 1000,
  flushes: 0.5,
  bytesAllocated: 3000,
};

test('the calls that strace lists are summed, without those of threads that wait', () => {
  const text = `strace: Process 12 attached with 11 threads
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.14    0.001197          11       100        12 futex
 20.32    0.000398           6        61           epoll_wait
 18.54    0.000363          12        30         2 read
------ ----------- ----------- --------- --------- ----------------
100.00    0.001958          10       191        14 total
`;
  expect(countedCalls(text)).toBe(91);
  expect(countedCalls('strace: attach: Operation not permitted')).toBeNull();
});

test('the least of several rounds counts, each measure for itself', () => {
  const other = { ...work, systemCalls: null, flushes: 0.4, bytesAllocated: 4000 };
  expect(leastOf([work, other])).toEqual({ ...work, flushes: 0.4 });
});

test('a measure above its budget is named; one that could not be counted is not', () => {
  const budget = budgetOf(work, 0.25, undefined);
  expect(budget).toEqual({
    systemCalls: 25,
    readsAndWrites: 13,
    bytesWritten: 1300,
    flushes: 0.63,
    bytesAllocated: 3800,
  });
  expect(overBudget(work, budget)).toEqual([]);
  expect(overBudget({ ...work, flushes: 0.7, systemCalls: null }, budget)).toEqual(['flushes']);
  expect(overBudget({ ...work, bytesWritten: Number.NaN }, budget)).toEqual(['bytesWritten']);
});

test('a budget stays when there is nothing to replace it', () => {
  const before = budgetOf(work, 0.25, undefined);
  expect(budgetOf({ ...work, systemCalls: null }, 0.25, before).systemCalls).toBe(25);
});
