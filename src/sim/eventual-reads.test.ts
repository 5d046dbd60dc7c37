import { expect, test } from 'vitest';
import { checkCommittedRead } from './eventual-reads.ts';
import { readOf, tenEntries } from './level-test-kit.ts';

test('any committed state may be shown, however old', () => {
  for (const result of [null, 'v1', 'v5', 'v10'])
    expect(checkCommittedRead(readOf(result, 200, 210), tenEntries())).toBeNull();
});

test('what was never committed is found', () => {
  expect(checkCommittedRead(readOf('v11', 200, 210), tenEntries())).toBe(
    'client 7 read k → v11 at eventual, from 200.00 to 210.00 ms: that was never committed',
  );
});

test('what was committed only after the answer is found', () => {
  expect(checkCommittedRead(readOf('v6', 50, 59), tenEntries())).toBe(
    'client 7 read k → v6 at eventual, from 50.00 to 59.00 ms: LSN 6, which says so, was committed at 60.00 ms',
  );
  expect(checkCommittedRead(readOf('v6', 50, 60), tenEntries())).toBeNull();
});
