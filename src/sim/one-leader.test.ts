import { expect, test } from 'vitest';
import { OneLeaderPerTerm } from './one-leader.ts';

test('a second leader of a term is found, also when the first one is gone', () => {
  const leaders = new OneLeaderPerTerm();
  expect(leaders.check({ node: 'a', term: 1, leads: true })).toBeNull();
  expect(leaders.check({ node: 'b', term: 1, leads: false })).toBeNull();
  expect(leaders.check({ node: 'a', term: 1, leads: true })).toBeNull();
  expect(leaders.check({ node: 'b', term: 2, leads: true })).toBeNull();
  expect(leaders.check({ node: 'a', term: 2, leads: true })).toBe('term 2 has two leaders, b and a');
  expect(leaders.check({ node: 'b', term: 1, leads: true })).toBe('term 1 has two leaders, a and b');
});
