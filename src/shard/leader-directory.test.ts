import { expect, test } from 'vitest';
import { LeaderDirectory } from './leader-directory.ts';

const notice = (term: number) => ({ kind: 'leaderNotice' as const, term, members: ['n1', 'n2', 'n3'] });

test('a directory names the leader that spoke last, while it speaks', () => {
  const directory = new LeaderDirectory();
  expect(directory.leaderOf(7, 0)).toBeNull();
  expect(directory.membersOf(7)).toBeNull();
  expect(directory.heard(7, 'n1', notice(3), 1000)).toBe(true);
  expect(directory.heard(7, 'n1', notice(3), 1100)).toBe(false);
  expect(directory.leaderOf(7, 1300)).toBe('n1');
  expect(directory.leaderOf(7, 1500)).toBeNull();
  expect(directory.membersOf(7)).toEqual(['n1', 'n2', 'n3']);
  expect(directory.heard(7, 'n1', notice(3), 1600)).toBe(true);
});

test('a leader of the past is not believed', () => {
  const directory = new LeaderDirectory();
  directory.heard(7, 'n2', notice(4), 1000);
  expect(directory.heard(7, 'n1', notice(3), 1010)).toBe(false);
  expect(directory.leaderOf(7, 1020)).toBe('n2');
  expect(directory.heard(7, 'n3', notice(5), 1030)).toBe(true);
  expect(directory.termOf(7)).toBe(5);
});
