import { expect, test } from 'vitest';
import type { Membership } from '../core/types.ts';
import { CommittedEntries } from './committed-entries.ts';
import type { MembershipEntry } from './membership-history.ts';
import { checkInForce, checkProposal, checkSteps, MembershipHistory } from './membership-history.ts';

const of = (voters: string, learners = ''): Membership => ({ voters: [...voters], learners: [...learners] });
const at = (lsn: number, term: number, voters: string): MembershipEntry => ({
  lsn,
  term,
  membership: of(voters),
});

/** A log from `baseLsn` to `lastLsn` whose entries have one term. */
const log = (
  baseLsn: number,
  lastLsn: number,
  term: number,
): { node: string; baseLsn: number; lastLsn: number; termAt: () => number } => ({
  node: 'a',
  baseLsn,
  lastLsn,
  termAt: () => term,
});

test('a log has the memberships of its own entries, and of those that were committed below it', () => {
  const committed = new CommittedEntries();
  const history = new MembershipHistory(committed);
  history.appended(at(9, 1, 'abd'));
  history.appended(at(5, 1, 'ab'));
  history.appended(at(9, 2, 'abcd'));
  history.appended(at(9, 2, 'abcd'));
  const lsns = (view: ReturnType<typeof log>): string =>
    history
      .of(view)
      .map(({ lsn, term }) => `${lsn}/${term}`)
      .join(' ');
  expect(lsns(log(0, 4, 1))).toBe('');
  expect(lsns(log(0, 20, 1))).toBe('5/1 9/1');
  expect(lsns(log(0, 20, 2))).toBe('9/2');
  expect(lsns(log(7, 20, 2))).toBe('9/2');
  committed.note('a', 5, 1, null);
  expect(lsns(log(7, 20, 2))).toBe('5/1 9/2');
});

test('who goes by another membership than the last one of its log is found', () => {
  const entries = [at(0, 0, 'abc'), at(5, 1, 'abcd')];
  expect(checkInForce('a', of('dcba'), entries)).toBeNull();
  expect(checkInForce('a', of('abc'), entries)).toBe(
    'a goes by voters a b c and learners nobody, and LSN 5 of its log says voters a b c d and learners nobody',
  );
  expect(checkInForce('a', of('abcd', 'e'), entries)).toContain('learners e');
});

test('a step of two voters is found', () => {
  expect(checkSteps([at(0, 0, 'abc'), at(5, 1, 'abcd'), at(6, 1, 'abd')])).toBeNull();
  expect(checkSteps([at(0, 0, 'abc'), at(5, 1, 'abcde')])).toContain('LSN 5 makes voters a b c d e');
  expect(checkSteps([at(0, 0, 'abc'), at(5, 1, 'abd')])).toContain('of voters a b c');
});

test('a proposal before the own commit, or before the last one is committed, is found', () => {
  const entries = [at(0, 0, 'abc'), at(5, 1, 'abcd'), at(9, 2, 'abd')];
  const leader = { node: 'a', term: 2, firstLsn: 7 };
  expect(checkProposal({ ...leader, commit: 7 }, entries)).toBeNull();
  expect(checkProposal({ ...leader, commit: 6 }, entries)).toBe(
    'a proposes a membership at LSN 9, and LSN 7 is not committed yet',
  );
  expect(checkProposal({ ...leader, term: 3, firstLsn: 10, commit: 6 }, entries)).toBeNull();
  expect(checkProposal({ ...leader, commit: 7 }, [...entries, at(10, 2, 'ab')])).toContain('LSN 9 is not');
});
