import { expect, test } from 'vitest';
import { CommittedEntries } from './committed-entries.ts';
import { checkLeaderCompleteness } from './leader-completeness.ts';
import type { LogView } from './log-matching.ts';

const leader = (terms: readonly number[], baseLsn = 0): Omit<LogView, 'runStart'> => ({
  node: 'c',
  baseLsn,
  lastLsn: baseLsn + terms.length - 1,
  termAt: (lsn) => terms[lsn - baseLsn] as number,
});

test('a leader that lacks a committed entry, or holds another in its place, is found', () => {
  const committed = new CommittedEntries();
  for (let lsn = 1; lsn <= 3; lsn++) committed.note('a', lsn, 1, null);
  expect(checkLeaderCompleteness(leader([0, 1, 1, 1]), committed)).toBeNull();
  expect(checkLeaderCompleteness(leader([0, 1, 1, 1, 2]), committed)).toBeNull();
  expect(checkLeaderCompleteness(leader([1, 1], 2), committed)).toBeNull();
  expect(checkLeaderCompleteness(leader([0, 1, 1]), committed)).toBe(
    'c leads with a log up to LSN 2, and LSN 3 was committed',
  );
  expect(checkLeaderCompleteness(leader([0, 1, 1, 2]), committed)).toBe(
    'c leads with term 2 at LSN 3, which was committed in term 1',
  );
});
