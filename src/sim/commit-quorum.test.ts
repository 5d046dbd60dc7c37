import { expect, test } from 'vitest';
import { checkCommitQuorum } from './commit-quorum.ts';
import { Copies } from './copies.ts';

const voters = ['a', 'b', 'c'];
const claim = { node: 'a', lsn: 4, entryTerm: 2, term: 2 };

function copiesOn(...nodes: string[]): Copies {
  const copies = new Copies();
  for (const node of nodes) copies.note(node, 'flushed', 0, 4, () => 2);
  return copies;
}

test('an own entry on a majority may be committed', () => {
  expect(checkCommitQuorum(claim, voters, copiesOn('a', 'b'))).toBeNull();
  // The leader's own disk may be the slowest.
  expect(checkCommitQuorum(claim, voters, copiesOn('b', 'c'))).toBeNull();
});

test('a commit with too few copies is found', () => {
  expect(checkCommitQuorum(claim, voters, copiesOn('b'))).toBe(
    'a commits LSN 4 of term 2, which is durable on b of a, b, c',
  );
  expect(checkCommitQuorum(claim, ['a', 'b', 'c', 'd'], copiesOn('a', 'b'))).toContain('durable on a, b of');
  expect(checkCommitQuorum(claim, voters, copiesOn('a', 'x', 'y'))).toContain('durable on a of');
});

test('copies of another entry with the same LSN, or that are only received, do not count', () => {
  const copies = copiesOn('a');
  copies.note('b', 'flushed', 0, 4, () => 1);
  copies.note('c', 'received', 0, 4, () => 2);
  expect(checkCommitQuorum(claim, voters, copies)).toContain('durable on a of');
});

test('an entry of an older term is not committed by its copies', () => {
  const old = { ...claim, term: 3 };
  expect(checkCommitQuorum(old, voters, copiesOn('a', 'b', 'c'))).toBe(
    'a leads term 3 and commits LSN 4, which is of term 2',
  );
});

test('a state that contains the entry counts as a copy', () => {
  const copies = copiesOn('a');
  copies.noteBase('b', 3);
  expect(checkCommitQuorum(claim, voters, copies)).toContain('durable on a of');
  copies.noteBase('b', 4);
  expect(checkCommitQuorum(claim, voters, copies)).toBeNull();
});
