import { expect, test } from 'vitest';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { handOver } from './leading.ts';
import type { MembershipRefusal } from './membership-change.ts';
import { promotionMs, refusalOf } from './membership-change.ts';
import { defaultCoreOptions } from './options.ts';
import type { Membership } from './types.ts';

const members: Membership = { voters: ['a', 'b', 'c'], learners: ['x'] };

/** `a` leads these members in term 1 since 1000 ms; all hold its one entry, which is committed. */
function leader(first = members, holders = ['b', 'c', 'x']): Core {
  const core = new Core({ ...init, membership: first }, defaultCoreOptions, silent, () => 0.5);
  core.tick(1000);
  core.receive('b', { kind: 'preVoteResponse', term: 0, asked: 1, granted: true }, 1000);
  core.hardStateDurable({ term: 1, vote: 'a' }, 1000);
  core.receive('b', { kind: 'voteResponse', term: 1, asked: 1, granted: true }, 1000);
  core.flushedThrough({ term: 1, lsn: 1 }, 1000);
  for (const node of holders) hold(core, node, 1000);
  return core;
}

function hold(core: Core, node: string, now: number): void {
  core.receive(node, { kind: 'appendAck', term: 1, received: 1, flushed: 1, applied: 1 }, now);
}

function refusal(core: Core, next: Membership, now = 1000): [MembershipRefusal['kind'], string] | null {
  const found = refusalOf(core, next, now);
  return found === null ? null : [found.kind, found.why];
}

test('only a leader changes the members, and only one change after the other', () => {
  const next = { ...members, learners: [] };
  const follower = new Core({ ...init, membership: members }, defaultCoreOptions, silent, () => 0.5);
  expect(refusal(follower, next)).toEqual(['notLeader', 'nobody that is known here leads']);
  follower.follow(1, 'b', 1000);
  expect(refusal(follower, next)).toEqual(['notLeader', 'b leads']);

  const fresh = leader(members, []);
  expect(refusal(fresh, next)).toEqual(['pending', 'the leader has committed nothing of its own term yet']);
  hold(fresh, 'b', 1000);
  expect(refusal(fresh, next)).toBeNull();
  fresh.extend(1);
  fresh.membershipProposed(next);
  expect(refusal(fresh, members)).toEqual(['pending', 'the membership at LSN 2 is not committed yet']);

  const leaving = leader();
  const answer = { sentMs: 1000, received: 1, flushed: 1, applied: 1, priority: 1, stampMs: 0 };
  leaving.receive('b', { kind: 'heartbeatAck', term: 1, ...answer }, 1000);
  expect(handOver(leaving, 'b', 1000)).toBe(true);
  expect(refusal(leaving, next)).toEqual(['pending', 'leadership is being handed over']);
});

test('what no leader proposes: its own end, two steps at once, strangers that vote, and what is so already', () => {
  const core = leader();
  const why = (voters: string[], learners: string[]): string | undefined => {
    const [kind, reason] = refusal(core, { voters, learners }) ?? [];
    expect(kind).toBe('never');
    return reason;
  };
  expect(why(['b', 'c'], ['x'])).toMatch('a leads');
  expect(why(['a'], ['x'])).toMatch('one voter comes or goes');
  expect(why(['a', 'b', 'c', 'c'], [])).toMatch('nobody is named twice');
  expect(why(['a', 'b', 'c', 'd'], ['x'])).toMatch('d becomes a learner');
  expect(why(['a', 'b', 'c'], ['x'])).toMatch('already');
  expect(why(['c', 'a', 'b'], ['x']), 'in another order').toMatch('already');
});

test('learners come and go freely', () => {
  const core = leader();
  expect(refusal(core, { voters: ['a', 'b', 'c'], learners: ['x', 'y'] })).toBeNull();
  expect(refusal(core, { voters: ['a', 'b', 'c'], learners: ['y'] })).toBeNull();
  expect(refusal(core, { voters: ['a', 'b', 'c'], learners: [] })).toBeNull();
  // Also when nobody else is in sync any more: it costs no majority.
  expect(refusal(core, { voters: ['a', 'b', 'c'], learners: [] }, 90_000)).toBeNull();
});

test('a learner votes when it has been in sync for a while', () => {
  const core = leader();
  const next = { voters: ['a', 'b', 'c', 'x'], learners: [] };
  const at = (now: number): string | undefined => {
    for (const node of ['b', 'c', 'x']) hold(core, node, now);
    return refusal(core, next, now)?.[1];
  };
  expect(at(1000 + promotionMs / 2)).toMatch('x has not been in sync');
  expect(at(1000 + promotionMs - 1)).toMatch('x has not been in sync');
  expect(at(1000 + promotionMs)).toBeUndefined();
  expect(refusal(core, next, 1000 + 40 * promotionMs), 'not heard for long').not.toBeNull();
});

test('a voter goes, or becomes a learner, only when a majority of the rest is in sync', () => {
  const core = leader(members, ['b', 'x']);
  const without = (voter: string, learners: string[]): string | undefined =>
    refusal(core, { voters: members.voters.filter((one) => one !== voter), learners })?.[1];
  expect(without('c', ['x'])).toBeUndefined();
  expect(without('c', ['x', 'c'])).toBeUndefined();
  expect(without('b', ['x'])).toMatch('of the 2 voters then, 1 would be in sync, and it takes 2');
  expect(without('b', ['x', 'b'])).toMatch('1 would be in sync');
});
