import { expect, test } from 'vitest';
import { checkDropped, checkRemoved } from './needed-replicas.ts';

const members = { voters: ['a', 'b'], learners: ['c'] };

test('who has no vote may delete its replica, and be called removed', () => {
  expect(checkDropped('d', 1, members)).toBeNull();
  expect(checkDropped('c', 1, members)).toBeNull();
  expect(checkRemoved('d', new Map([[1, members]]))).toBeNull();
  expect(checkRemoved('c', new Map([[1, members]]))).toBeNull();
});

test('a voter that deletes its replica is found', () => {
  expect(checkDropped('b', 1, members)).toBe(
    'b deleted its replica of shard 1, in which it votes: voters a b, learners c',
  );
});

test('a voter that is called removed is found', () => {
  const other = { voters: ['b', 'c'], learners: [] };
  expect(
    checkRemoved(
      'a',
      new Map([
        [1, other],
        [2, members],
      ]),
    ),
  ).toBe('a is called removed, and votes in shard 2: voters a b, learners c');
});
