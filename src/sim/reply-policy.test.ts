import { expect, test } from 'vitest';
import type { AckPolicy } from '../shard/ack-policy.ts';
import { CommittedEntries } from './committed-entries.ts';
import { Copies } from './copies.ts';
import { checkReplyPolicy } from './reply-policy.ts';

const voters = ['a', 'b', 'c'];

function check(
  who: AckPolicy['who'],
  stage: AckPolicy['stage'],
  copies: Copies,
  commits = true,
): string | null {
  const committed = new CommittedEntries();
  if (commits) committed.note('a', 4, 2, null);
  const reply = { node: 'a', shard: 1, what: 'SET', policy: { who, stage, timeoutMs: 0 }, lsn: 4, term: 2 };
  return checkReplyPolicy(reply, voters, copies, committed);
}

function copiesOn(stage: AckPolicy['stage'], ...nodes: string[]): Copies {
  const copies = new Copies();
  for (const node of nodes) copies.note(node, stage, 3, 4, () => 2);
  return copies;
}

test('replies whose policy is met may leave', () => {
  expect(check('none', 'flushed', new Copies(), false)).toBeNull();
  expect(check('leader', 'flushed', copiesOn('flushed', 'a'), false)).toBeNull();
  expect(check(1, 'received', new Copies(), false)).toBeNull();
  expect(check(2, 'received', copiesOn('received', 'c'), false)).toBeNull();
  expect(check('majority', 'flushed', copiesOn('flushed', 'b', 'c'))).toBeNull();
  expect(check('all', 'applied', copiesOn('applied', 'a', 'b', 'c'))).toBeNull();
});

test('replies that left too early are found', () => {
  expect(check('leader', 'flushed', copiesOn('flushed', 'b'))).toBe(
    'a answered SET under leader flushed, and LSN 4 of term 2 was flushed on nobody',
  );
  expect(check(3, 'received', copiesOn('received', 'a', 'c'))).toContain('was received on a, c');
  expect(check('majority', 'flushed', copiesOn('flushed', 'a'))).toContain('was flushed on a');
  expect(check('majority', 'applied', copiesOn('flushed', 'a', 'b'))).toContain('was applied on nobody');
  expect(check('all', 'flushed', copiesOn('flushed', 'a'))).toContain('was flushed on a');
  expect(check('majority', 'flushed', copiesOn('flushed', 'a', 'b'), false)).toContain('was not committed');
});
