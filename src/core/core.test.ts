import { expect, test } from 'vitest';
import type { Core, CoreInit } from './core.ts';
import { init, node } from './core-test-kit.ts';
import { defaultCoreOptions } from './options.ts';
import type { Append, BatchSpan, HardState, Heartbeat, Lsn, Position } from './types.ts';

const { electionMaxMs, voteRefusalMs } = defaultCoreOptions;

/** Ten durable entries of term 1. */
const tenEntries: Partial<CoreInit> = {
  hardState: { term: 1, vote: null },
  runs: [{ term: 1, lsn: 1 }],
  lastLsn: 10,
};

function append(
  term: number,
  previous: Position,
  batches: BatchSpan[] = [],
  more: Partial<Append> = {},
): Append {
  const rest = { commit: 0, timeMs: 0, wantReceived: false, wantApplied: false };
  return { kind: 'append', term, previous, batches, ...rest, ...more };
}

function span(term: number, firstLsn: Lsn, lastLsn: Lsn): BatchSpan {
  return { term, firstLsn, lastLsn, bytes: new Uint8Array(0) };
}

function heartbeat(term: number, last: Lsn, commit = 0): Heartbeat {
  const rest = { sentMs: 0, timeMs: 0, laggards: [], held: 0, lackedBytes: 0, echo: null };
  return { kind: 'heartbeat', term, commit, last, ...rest };
}

/** `a` leads term 2 from 1000 ms on. */
function elect(core: Core, put: HardState[]): void {
  core.tick(1000);
  core.receive('b', { kind: 'preVoteResponse', term: 1, asked: core.term + 1, granted: true }, 1000);
  core.hardStateDurable(put.at(-1) as HardState, 1000);
  core.receive('b', { kind: 'voteResponse', term: core.term, asked: core.term, granted: true }, 1000);
}

/** When it first asks for votes, looking every 10 ms. */
function asksAt({ core, sent }: ReturnType<typeof node>, from: number, until: number): number | null {
  for (let now = from; now <= until; now += 10) {
    const before = sent.length;
    core.tick(now);
    if (sent.slice(before).some(([, { kind }]) => kind === 'preVoteRequest')) return now;
  }
  return null;
}

test('a vote counts in its own term only: a log of a newer one says that it is over', () => {
  const log = { runs: [{ term: 3, lsn: 1 }], lastLsn: 1 };
  expect(node({ ...log, hardState: { term: 2, vote: 'b' } }).core).toMatchObject({ term: 3, vote: null });
  expect(node({ ...log, hardState: { term: 3, vote: 'b' } }).core).toMatchObject({ term: 3, vote: 'b' });
});

test('what a checkpoint holds is committed, whatever is known of commits', () => {
  const base = { term: 1, lsn: 5 };
  expect(node({ ...tenEntries, base, runs: [{ term: 1, lsn: 6 }], commit: 0 }).core.commit).toBe(5);
  expect(node({ ...tenEntries, base, runs: [{ term: 1, lsn: 6 }], commit: 8 }).core.commit).toBe(8);
});

test('pitfall 10: doubt lasts until the leader’s own entries are durable here, up to where its log ended', () => {
  const doubtful = { ...tenEntries, lastLsn: 5, doubt: { mayHaveAcknowledged: null } };
  const { core } = node(doubtful);
  core.receive('b', append(2, { term: 1, lsn: 5 }), 1000);
  core.receive('b', heartbeat(2, 5), 1001);
  expect(core.doubt, 'nothing of the leader’s own term').not.toBeNull();
  core.receive('b', append(2, { term: 1, lsn: 5 }, [span(2, 6, 9)]), 1002);
  expect(core.doubt, 'not durable').not.toBeNull();
  core.receive('c', heartbeat(3, 9), 1003);
  core.receive('c', append(3, { term: 2, lsn: 9 }, [span(3, 10, 10)]), 1004);
  core.flushedThrough({ term: 2, lsn: 9 }, 1005);
  expect(core.doubt, 'durable only as far as an entry of an earlier leader').not.toBeNull();
  core.flushedThrough({ term: 3, lsn: 10 }, 1006);
  expect(core.doubt).toBeNull();
});

test('pitfall 10: where a leader of an earlier term ended says nothing of this one', () => {
  const { core } = node({ ...tenEntries, lastLsn: 5, doubt: { mayHaveAcknowledged: null } });
  core.receive('b', heartbeat(2, 6), 1000);
  core.receive('c', append(3, { term: 1, lsn: 5 }, [span(3, 6, 7)]), 1001);
  core.flushedThrough({ term: 3, lsn: 7 }, 1002);
  expect(core.doubt).not.toBeNull();
  core.receive('c', heartbeat(3, 9), 1003);
  expect(core.doubt, 'it ended at 9').not.toBeNull();
  core.receive('c', append(3, { term: 3, lsn: 7 }, [span(3, 8, 9)]), 1004);
  core.flushedThrough({ term: 3, lsn: 9 }, 1005);
  expect(core.doubt).toBeNull();
});

test('that everybody is new is confirmed once, and only by who is in doubt', () => {
  const { core, put } = node({ doubt: { mayHaveAcknowledged: null } });
  core.confirmFresh();
  core.confirmFresh();
  expect(put).toHaveLength(1);
  core.hardStateDurable(put[0] as HardState, 1000);
  expect(core.doubt).toBeNull();
  core.confirmFresh();
  expect(put).toHaveLength(1);
});

test('a checkpoint keeps the log that agrees with it, replaces another one, and is nothing where it is not newer', () => {
  const keeps = node({ ...tenEntries, commit: 4 });
  keeps.core.receive('b', append(2, { term: 1, lsn: 8 }), 1000);
  keeps.sent.length = 0;
  keeps.core.snapshotInstalled({ term: 1, lsn: 4 }, init.membership);
  expect([keeps.sent, keeps.commits, keeps.core.log.base.lsn]).toEqual([[], [], 0]);
  keeps.core.snapshotInstalled({ term: 1, lsn: 6 }, init.membership);
  expect(keeps.core).toMatchObject({ lastLsn: 10, flushed: 10, commit: 6, applied: 6 });
  expect(keeps.commits).toEqual([6]);

  const replaces = node({ ...tenEntries, commit: 4 });
  const membership = { voters: ['a', 'b'], learners: [] };
  replaces.core.snapshotInstalled({ term: 2, lsn: 7 }, membership);
  expect(replaces.core).toMatchObject({ lastLsn: 7, flushed: 7, commit: 7, membership });
});

test('what is not committed is never compacted', () => {
  const { core } = node({ ...tenEntries, commit: 6 });
  core.compacted(9);
  expect(core.log.base).toEqual({ term: 1, lsn: 6 });
  core.compacted(3);
  expect(core.log.base.lsn).toBe(6);
});

test('a follower says what it applied when its leader wants to hear it, a leader that its gates may open', () => {
  const quiet = node(tenEntries);
  quiet.core.receive('b', append(2, { term: 1, lsn: 10 }), 1000);
  quiet.sent.length = 0;
  quiet.core.appliedThrough(3);
  expect(quiet.sent).toEqual([]);
  quiet.core.receive('b', append(2, { term: 1, lsn: 10 }, [], { wantApplied: true }), 1001);
  quiet.sent.length = 0;
  quiet.core.appliedThrough(3);
  expect(quiet.sent).toEqual([]);
  quiet.core.appliedThrough(4);
  expect(quiet.sent).toMatchObject([['b', { kind: 'appendAck', received: 10, flushed: 10, applied: 4 }]]);
  expect(quiet.moved()).toBe(0);

  const leads = node(tenEntries);
  elect(leads.core, leads.put);
  leads.sent.length = 0;
  const before = leads.moved();
  leads.core.appliedThrough(5);
  expect([leads.moved(), leads.sent]).toEqual([before + 1, []]);
});

test('a leader that is deposed has applied nothing that is not committed, by its own word', () => {
  const { core, sent, put } = node({ ...tenEntries, commit: 4 });
  elect(core, put);
  core.appliedThrough(11);
  core.receive('b', heartbeat(3, 12), 1100);
  expect(core.applied).toBe(4);
  expect(sent.at(-1)).toMatchObject(['b', { kind: 'heartbeatAck', applied: 0 }]);
});

test('a follower acknowledges nothing before a leader showed that their logs agree', () => {
  const { core, sent } = node({ ...tenEntries, lastLsn: 9 });
  core.receive('b', append(2, { term: 1, lsn: 9 }, [span(2, 10, 11)]), 1000);
  core.receive('c', heartbeat(3, 20), 1001);
  sent.length = 0;
  core.flushedThrough({ term: 2, lsn: 11 }, 1002);
  expect(sent).toEqual([]);
  core.flushedThrough({ term: 2, lsn: 11 }, 1003);
  expect(core.flushed).toBe(11);
});

test('whose disk hung leaves the others time to elect somebody else', () => {
  const hung = node(tenEntries);
  hung.core.diskStalled(true, 100);
  hung.core.diskStalled(false, 1000);
  expect(asksAt(hung, 1000, 9000)).toBe(1000 + 2 * electionMaxMs);
  const never = node(tenEntries);
  never.core.diskStalled(false, 1000);
  expect(asksAt(never, 1000, 9000)).toBe(1000);
});

test('when the leader’s process is gone a follower waits for no silence, but as long as it owes the lease', () => {
  const usual = node(tenEntries);
  usual.core.receive('b', heartbeat(2, 10), 1000);
  const usually = asksAt(usual, 1000, 9000) as number;
  const other = node(tenEntries);
  other.core.receive('b', heartbeat(2, 10), 1000);
  other.core.peerGone('c', 1010);
  expect(asksAt(other, 1010, 9000), 'somebody else’s says nothing').toBe(usually);
  const gone = node(tenEntries);
  gone.core.receive('b', heartbeat(2, 10), 1000);
  gone.core.peerGone('b', 1010);
  const hurried = asksAt(gone, 1010, 9000) as number;
  expect(hurried).toBeLessThan(usually);
  expect(hurried).toBeGreaterThanOrEqual(1000 + voteRefusalMs);
});

test('who is to lead last waits for all others also when its leader is gone', () => {
  const gone = node(tenEntries);
  gone.core.draining = true;
  gone.core.receive('b', heartbeat(2, 10), 1000);
  gone.core.peerGone('b', 1010);
  expect(asksAt(gone, 1010, 9000)).toBeGreaterThanOrEqual(1000 + electionMaxMs);
});

test('a link that stands again changes nothing for a follower that waits for a checkpoint', () => {
  const { core, put } = node(tenEntries);
  elect(core, put);
  core.leadership?.followers.get('b')?.awaitSnapshot(5);
  core.linkUp('b');
  expect(core.leadership?.followers.get('b')?.state).toBe('snapshot');
  core.linkUp('c');
  expect(core.leadership?.followers.get('c')?.state).toBe('probe');
});

test('who was removed by a committed membership asks for no votes, who may be needed to commit it does', () => {
  const removed = {
    ...tenEntries,
    memberships: [{ lsn: 10, membership: { voters: ['b', 'c'], learners: [] } }],
  };
  expect(asksAt(node({ ...removed, commit: 10 }), 1000, 9000)).toBeNull();
  expect(asksAt(node({ ...removed, commit: 9 }), 1000, 9000)).not.toBeNull();
  const never = { ...removed, membership: { voters: ['b', 'c'], learners: ['a'] }, memberships: [] };
  expect(asksAt(node({ ...never, membershipLsn: 5, commit: 4 }), 1000, 9000)).toBeNull();
});

test('only a leader answers as one, and only to what was asked of its own term', () => {
  const { core, sent } = node(tenEntries);
  core.receive('b', { kind: 'appendAck', term: 1, received: 10, flushed: 10, applied: 0 }, 1000);
  core.receive('b', { kind: 'leadershipWanted', term: 1 }, 1000);
  expect(sent).toEqual([]);
  core.receive('b', { kind: 'readIndexRequest', term: 1, context: 7, byLease: true }, 1000);
  expect(sent).toEqual([['b', { kind: 'readIndexResponse', term: 1, context: 7, commit: null }]]);
  expect(() => core.extend(1)).toThrow('only a leader');
  expect(() => core.membershipProposed(core.membership)).toThrow('only a leader');
});

test('a leader counts no acknowledgement and no wish of an earlier term', () => {
  const { core, sent, put } = node(tenEntries);
  elect(core, put);
  core.receive('b', { kind: 'appendAck', term: 1, received: 11, flushed: 11, applied: 0 }, 1001);
  expect(core.leadership?.followers.get('b')?.flushed).toBe(0);
  core.receive('b', { kind: 'leadershipWanted', term: 1 }, 1001);
  expect(core.accepting).toBe(true);
  sent.length = 0;
  core.askForLeadership();
  expect(sent, 'it leads').toEqual([]);
});
