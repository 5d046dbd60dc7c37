import { expect, test } from 'vitest';
import { Leadership } from './leadership.ts';
import { defaultCoreOptions } from './options.ts';
import type { Progress } from './progress.ts';
import type { Membership } from './types.ts';

const { leaseMs, inSyncLagMs } = defaultCoreOptions;
const three: Membership = { voters: ['a', 'b', 'c'], learners: ['x'] };

/** `a` leads since 1000 ms; its term begins at LSN 5. */
function leading(membership = three, options = defaultCoreOptions): Leadership {
  return new Leadership('a', 3, 5, membership, 1000, options);
}

function of(leadership: Leadership, node: string): Progress {
  return leadership.followers.get(node) as Progress;
}

test('everybody else is followed from where the term begins, and who leaves is forgotten', () => {
  const leadership = leading();
  expect([...leadership.followers.keys()]).toEqual(['b', 'c', 'x']);
  of(leadership, 'b').next = 9;
  leadership.follow({ voters: ['a', 'b', 'd'], learners: [] }, 20);
  expect([...leadership.followers].map(([node, { next }]) => [node, next])).toEqual([
    ['b', 9],
    ['d', 20],
  ]);
});

test('pitfall 13, 27: what a majority holds is counted among voters, one by one stage, the own copy as far as it is durable', () => {
  const leadership = leading();
  of(leadership, 'b').acknowledge(9, 8, 7);
  of(leadership, 'c').acknowledge(6, 6, 0);
  of(leadership, 'x').acknowledge(9, 9, 9);
  expect(leadership.heldBy(three, 2, 'flushed', 3)).toBe(6);
  expect(leadership.heldBy(three, 2, 'flushed', 7)).toBe(7);
  expect(leadership.heldBy(three, 2, 'received', 1)).toBe(6);
  expect(leadership.heldBy(three, 1, 'applied', 1)).toBe(7);
  expect(leadership.heldBy(three, 4, 'flushed', 9)).toBe(Number.NEGATIVE_INFINITY);
  // A leader that is being removed does not count itself.
  expect(leadership.heldBy({ voters: ['b', 'c'], learners: [] }, 2, 'flushed', 9)).toBe(6);
});

test('in sync is who had everything a moment ago; the lowest of them is what all hold', () => {
  const leadership = leading();
  expect(leadership.inSyncVoters(three, 1000)).toBe(1);
  expect(leadership.heldByInSync(three, 'flushed', 9, 1000)).toBe(9);
  of(leadership, 'b').acknowledge(9, 8, 7);
  of(leadership, 'b').trackCaughtUp(8, 1000, inSyncLagMs);
  of(leadership, 'x').trackCaughtUp(0, 1000, inSyncLagMs);
  expect(leadership.inSyncVoters(three, 1000 + inSyncLagMs)).toBe(2);
  expect(leadership.heldByInSync(three, 'flushed', 9, 1000 + inSyncLagMs)).toBe(8);
  expect(leadership.heldByInSync(three, 'flushed', 4, 1000 + inSyncLagMs)).toBe(4);
  expect(leadership.inSyncVoters(three, 1001 + inSyncLagMs)).toBe(1);
  expect(leadership.inSyncVoters({ voters: ['b', 'c'], learners: [] }, 1000)).toBe(1);
});

test('pitfall 33: a lease counts from the heartbeat that a majority answered, not at all without leases or after a handover', () => {
  const leadership = leading();
  expect(leadership.confirmedMs(three, 1100)).toBe(Number.NEGATIVE_INFINITY);
  of(leadership, 'x').confirmedMs = 1090;
  expect(leadership.leaseUntilMs(three, 1100)).toBe(Number.NEGATIVE_INFINITY);
  of(leadership, 'c').confirmedMs = 1050;
  expect(leadership.confirmedMs(three, 1100)).toBe(1050);
  of(leadership, 'b').confirmedMs = 1070;
  expect(leadership.confirmedMs(three, 1100)).toBe(1070);
  expect(leadership.leaseUntilMs(three, 1100)).toBe(1070 + leaseMs);
  expect(leadership.confirmedMs({ voters: ['b', 'c'], learners: [] }, 1100)).toBe(1050);
  leadership.leaseOver = true;
  expect(leadership.leaseUntilMs(three, 1100)).toBe(Number.NEGATIVE_INFINITY);
  const without = leading(three, { ...defaultCoreOptions, leases: false });
  of(without, 'b').confirmedMs = 1070;
  expect(without.leaseUntilMs(three, 1100)).toBe(Number.NEGATIVE_INFINITY);
});

test('pitfall 23: a leader that a majority does not answer within the window knows, beginning when its term did', () => {
  const leadership = leading();
  expect(leadership.heardMajority(three, 1599, 600)).toBe(true);
  expect(leadership.heardMajority(three, 1600, 600)).toBe(false);
  of(leadership, 'x').heardMs = 1500;
  expect(leadership.heardMajority(three, 1600, 600)).toBe(false);
  of(leadership, 'c').heardMs = 1500;
  expect(leadership.heardMajority(three, 2099, 600)).toBe(true);
  expect(leadership.heardMajority(three, 2100, 600)).toBe(false);
  // Of two others it needs both when it is no voter itself.
  expect(leadership.heardMajority({ voters: ['b', 'c'], learners: [] }, 2000, 600)).toBe(false);
});

test('a leader waits as long as there is something to commit and the commit stands still', () => {
  const leadership = leading();
  expect(leadership.waitingMs(4, 5, 1000)).toBe(0);
  expect(leadership.waitingMs(4, 6, 1300)).toBe(300);
  expect(leadership.waitingMs(5, 6, 1400)).toBe(0);
  expect(leadership.waitingMs(6, 6, 2000)).toBe(0);
  expect(leadership.waitingMs(6, 7, 2100), 'since there was nothing to commit').toBe(100);
});

test('a leader has nothing for a voter that needs a checkpoint beyond the one on offer', () => {
  const leadership = leading();
  of(leadership, 'x').awaitSnapshot(0);
  expect(leadership.hasNothingFor(three, 9)).toBe(false);
  of(leadership, 'c').awaitSnapshot(8);
  expect(leadership.hasNothingFor(three, 8)).toBe(false);
  expect(leadership.hasNothingFor(three, 9)).toBe(true);
  of(leadership, 'c').probe(1);
  expect(leadership.hasNothingFor(three, 9)).toBe(false);
});
