import { expect, test } from 'vitest';
import type { DurableView } from './durable-promises.ts';
import { checkElected, checkEntryDurable, checkVoteDurable } from './durable-promises.ts';

const disk: DurableView = {
  node: 'a',
  hardState: { term: 4, vote: 'b' },
  baseLsn: 2,
  lastLsn: 6,
  termAt: (lsn) => (lsn < 5 ? 1 : 3),
};

test('a vote that the disk holds, or that a later term made void, is kept', () => {
  expect(checkVoteDurable(disk, 4, 'b')).toBeNull();
  expect(checkVoteDurable(disk, 3, 'c')).toBeNull();
});

test('a vote that the disk may forget is found', () => {
  expect(checkVoteDurable(disk, 5, 'b')).toBe(
    'a gave its vote in term 5 to b, and its disk holds a vote for b in term 4',
  );
  expect(checkVoteDurable(disk, 4, 'c')).toContain('holds a vote for b in term 4');
  expect(checkVoteDurable({ ...disk, hardState: { term: 4, vote: null } }, 4, 'b')).toContain('for null');
  expect(checkVoteDurable({ ...disk, hardState: null }, 1, 'b')).toContain('holds no vote');
});

test('a leader whose votes may be forgotten is found', () => {
  const other = { ...disk, node: 'c', hardState: { term: 4, vote: 'c' } };
  expect(checkElected('b', 4, [disk, disk, other])).toBeNull();
  expect(checkElected('b', 4, [disk, null, other])).toBeNull();
  expect(checkElected('b', 4, [disk, other, other])).toContain('b leads term 4 with too few votes');
  expect(checkElected('b', 4, [disk, disk, other, other])).toContain('holds a vote for c in term 4');
});

test('an entry that is called durable and is not is found', () => {
  expect(checkEntryDurable(disk, 6, 3)).toBeNull();
  expect(checkEntryDurable(disk, 1, 1)).toBeNull();
  expect(checkEntryDurable(disk, 7, 3)).toBe('a calls LSN 7 durable, and its disk holds entries up to 6');
  expect(checkEntryDurable(disk, 6, 4)).toBe('a calls LSN 6 of term 4 durable, and its disk holds term 3');
});
