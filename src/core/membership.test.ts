import { expect, test } from 'vitest';
import { everyMember, isOneStep, isVoter, MembershipLog, majorityOf } from './membership.ts';
import type { Membership } from './types.ts';

const of = (voters: string, learners = ''): Membership => ({ voters: [...voters], learners: [...learners] });

test('a majority is more than half of the voters; learners receive the log and do not count', () => {
  expect(['a', 'ab', 'abc', 'abcd', 'abcde'].map((voters) => majorityOf(of(voters, 'xyz')))).toEqual([
    1, 2, 2, 3, 3,
  ]);
  expect(isVoter(of('ab', 'x'), 'a')).toBe(true);
  expect(isVoter(of('ab', 'x'), 'x')).toBe(false);
  expect(everyMember(of('ab', 'x'))).toEqual(['a', 'b', 'x']);
});

test('pitfall 34: a step changes one voter at most, leaves one, and names nobody twice', () => {
  expect(isOneStep(of('abc'), of('abc'))).toBe(true);
  expect(isOneStep(of('abc'), of('abcd'))).toBe(true);
  expect(isOneStep(of('abc'), of('ab'))).toBe(true);
  expect(isOneStep(of('abc', 'xy'), of('abc'))).toBe(true);
  expect(isOneStep(of('abc', 'x'), of('abcx'))).toBe(true);
  expect(isOneStep(of('abc'), of('ab', 'c'))).toBe(true);
  expect(isOneStep(of('abc'), of('abd'))).toBe(false);
  expect(isOneStep(of('abc'), of('abcde'))).toBe(false);
  expect(isOneStep(of('abc'), of('a'))).toBe(false);
  expect(isOneStep(of('a'), of('', 'a'))).toBe(false);
  expect(isOneStep(of('abc'), of('abcc'))).toBe(false);
  expect(isOneStep(of('abc'), of('abc', 'c'))).toBe(false);
});

test('pitfall 34: a membership holds from its entry on, goes with a cut, and the latest is kept when log goes', () => {
  const log = new MembershipLog(of('a'), 0);
  log.append(5, of('ab'));
  log.append(9, of('abc'));
  expect([log.currentLsn, log.current]).toEqual([9, of('abc')]);
  expect([0, 4, 5, 8, 9, 20].map((lsn) => log.at(lsn).voters.length)).toEqual([1, 1, 2, 2, 3, 3]);
  expect(() => log.append(9, of('a'))).toThrow('the membership at 9 follows the one at 9');
  log.cutAfter(9);
  expect(log.currentLsn).toBe(9);
  log.cutAfter(8);
  expect([log.currentLsn, log.current]).toEqual([5, of('ab')]);
  log.append(6, of('abd'));
  log.compactTo(5);
  expect(log.at(4)).toEqual(of('ab'));
  log.cutAfter(5);
  expect(log.current).toEqual(of('ab'));
  // The oldest that is known stays, whatever is cut.
  log.cutAfter(1);
  expect(log.current).toEqual(of('ab'));
  log.resetTo(40, of('xyz'));
  expect([log.currentLsn, log.at(1)]).toEqual([40, of('xyz')]);
  log.compactTo(100);
  expect(log.current).toEqual(of('xyz'));
});
