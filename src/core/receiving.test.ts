import { expect, test } from 'vitest';
import type { CoreInit } from './core.ts';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { defaultCoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import type { Append, BatchSpan, Heartbeat, Message, Position } from './types.ts';

/** Node `a`, with these runs of terms in its log up to LSN 10, what it sends, and what it says of reads. */
function follower(...runs: Position[]): { core: Core; sent: Message[]; said: unknown[] } {
  return followerFrom({ runs });
}

function followerFrom(own: Partial<CoreInit>): { core: Core; sent: Message[]; said: unknown[] } {
  const sent: Message[] = [];
  const said: unknown[] = [];
  const output: CoreOutput = {
    ...silent,
    send: (_to, message) => void sent.push(message),
    readIndex: (context, commit) => void said.push([context, commit]),
    fresh: (atMs, commit) => void said.push(['fresh', atMs, commit]),
    fetchSnapshot: (from, position) => void said.push(['fetch', from, position]),
    cutLog: (end) => void said.push(['cut', end]),
    appendToLog: (batch, from) => void said.push(['append', batch.term, from, batch.lastLsn]),
  };
  const hardState = { term: 4, vote: null };
  const core = new Core({ ...init, hardState, lastLsn: 10, ...own }, defaultCoreOptions, output, () => 0.5);
  return { core, sent, said };
}

const oneTerm: Position = { term: 1, lsn: 1 };
const end: Position = { term: 1, lsn: 10 };

function heartbeat(more: Partial<Heartbeat> = {}): Heartbeat {
  const rest = { sentMs: 7, timeMs: 0, laggards: [], held: 0, lackedBytes: 0, echo: null };
  return { kind: 'heartbeat', term: 5, commit: 0, last: 10, ...rest, ...more };
}

function append(previous: Position, commit: number, batches: BatchSpan[] = []): Append {
  const asks = { wantReceived: false, wantApplied: false };
  return { kind: 'append', term: 5, previous, batches, commit, timeMs: 0, ...asks };
}

test('pitfall 12: an append commits what it shows to agree, not the tail behind that', () => {
  const { core } = follower({ term: 1, lsn: 1 });
  const batch: BatchSpan = { term: 1, firstLsn: 3, lastLsn: 4, bytes: new Uint8Array(0) };
  core.receive('b', append({ term: 1, lsn: 2 }, 9, [batch]), 1000);
  expect(core.commit).toBe(4);
});

test('a follower names the last entry at which its log can agree with what it refuses', () => {
  const refusal = (previous: Position): Position | undefined => {
    const { core, sent } = follower({ term: 1, lsn: 1 }, { term: 3, lsn: 5 }, { term: 4, lsn: 8 });
    core.receive('b', append(previous, 0), 1000);
    const answer = sent.at(-1);
    return answer?.kind === 'appendAck' ? answer.refused?.hint : undefined;
  };
  expect(refusal({ term: 4, lsn: 12 }), 'what it lacks').toEqual({ term: 4, lsn: 10 });
  expect(refusal({ term: 5, lsn: 10 }), 'an entry of an older term may be in that log too').toEqual({
    term: 4,
    lsn: 10,
  });
  expect(refusal({ term: 3, lsn: 9 }), 'one of a newer term cannot').toEqual({ term: 3, lsn: 7 });
  expect(refusal({ term: 2, lsn: 9 })).toEqual({ term: 1, lsn: 4 });
  expect(refusal({ term: 4, lsn: 9 }), 'it agrees').toBeUndefined();
});

test('of a batch that agrees for a while, what does not is cut, and what is new is added', () => {
  const { core, said } = follower({ term: 1, lsn: 1 }, { term: 2, lsn: 3 }, { term: 3, lsn: 6 });
  const batch: BatchSpan = { term: 2, firstLsn: 3, lastLsn: 8, bytes: new Uint8Array(0) };
  core.receive('b', append({ term: 1, lsn: 2 }, 0, [batch]), 1000);
  expect(said).toEqual([
    ['cut', { term: 2, lsn: 5 }],
    ['append', 2, 6, 8],
  ]);
  expect(core).toMatchObject({ lastLsn: 8, flushed: 5 });
});

test('a cut takes along what could not be read back, unless it lies below', () => {
  const cutAt = (unreadable: number): number => {
    const { core } = follower(oneTerm);
    core.unreadable = unreadable;
    const batch: BatchSpan = { term: 5, firstLsn: 7, lastLsn: 7, bytes: new Uint8Array(0) };
    core.receive('b', append({ term: 1, lsn: 6 }, 0, [batch]), 1000);
    return core.unreadable;
  };
  expect([cutAt(5), cutAt(6), cutAt(7)]).toEqual([5, 6, 0]);
});

test('what is committed is never cut, whoever says so', () => {
  const { core } = followerFrom({ runs: [oneTerm], commit: 8 });
  const batch: BatchSpan = { term: 5, firstLsn: 7, lastLsn: 9, bytes: new Uint8Array(0) };
  expect(() => core.receive('b', append({ term: 1, lsn: 6 }, 0, [batch]), 1000)).toThrow('commit 8');
  const gap: BatchSpan = { term: 5, firstLsn: 12, lastLsn: 12, bytes: new Uint8Array(0) };
  expect(() => core.receive('b', append(end, 0, [gap]), 1000)).toThrow('gap');
});

test('a checkpoint is fetched when it is newer than what is committed here; else that is acknowledged', () => {
  const offered = (lsn: number): { said: unknown[]; sent: Message[] } => {
    const { core, said, sent } = followerFrom({ runs: [oneTerm], commit: 8 });
    core.receive('b', { kind: 'snapshotOffer', term: 5, checkpoint: { term: 1, lsn } }, 1000);
    return { said, sent };
  };
  expect(offered(9)).toEqual({ said: [['fetch', 'b', { term: 1, lsn: 9 }]], sent: [] });
  const { said, sent } = offered(8);
  expect(said).toEqual([]);
  expect(sent).toMatchObject([{ kind: 'appendAck', received: 8, flushed: 8 }]);
});

test('a handover begins with who holds all of the leader’s log durably, and may lead', () => {
  const asked = (last: Position, prepare: (core: Core) => void = () => {}): string[] => {
    const { core, sent } = follower(oneTerm);
    prepare(core);
    core.receive('b', { kind: 'campaignNow', term: 5, last, keep: false }, 1000);
    return [...new Set(sent.map(({ kind }) => kind))];
  };
  expect(asked(end)).toEqual(['voteRequest']);
  expect(asked({ term: 1, lsn: 9 })).toEqual(['voteRequest']);
  expect(asked({ term: 2, lsn: 10 }), 'another entry').toEqual([]);
  expect(asked({ term: 5, lsn: 11 }), 'more').toEqual([]);
  expect(
    asked(end, (core) => Object.assign(core, { flushed: 9 })),
    'not durable',
  ).toEqual([]);
  expect(
    asked(end, (core) => Object.assign(core, { unfitToLead: true })),
    'unfit',
  ).toEqual([]);
});

test('who forgot its votes hears no leader at first, who knows what it may have acknowledged does', () => {
  const { electionMaxMs, heartbeatMs } = defaultCoreOptions;
  const heard = (mayHaveAcknowledged: Position | null, now: number): boolean => {
    const { core } = followerFrom({ runs: [oneTerm], doubt: { mayHaveAcknowledged } });
    core.receive('b', heartbeat(), now);
    return core.leader === 'b';
  };
  const until = electionMaxMs + heartbeatMs;
  expect([heard(null, until - 1), heard(null, until), heard(end, 0)]).toEqual([false, true, true]);
});

test('a leader of the past is told so, in the way of what it sent', () => {
  const { core, sent } = follower(oneTerm);
  core.receive('b', heartbeat({ term: 3 }), 1000);
  core.receive('b', { ...append(end, 0), term: 3 }, 1000);
  const none = { term: 4, received: 0, flushed: 0, applied: 0 };
  expect(sent).toMatchObject([
    { kind: 'heartbeatAck', sentMs: 7, ...none },
    { kind: 'appendAck', ...none },
  ]);
  expect(core.leader).toBeNull();
});

test('who is told that it is no member asks for no votes, unless that is old or names it', () => {
  const outside = (term: number, members: string[], prepare: (core: Core) => void = () => {}): boolean => {
    const { core } = follower(oneTerm);
    prepare(core);
    core.receive('b', { kind: 'leaderNotice', term, members }, 1000);
    return core.isOutside;
  };
  expect(outside(4, ['b', 'c'])).toBe(true);
  expect(outside(5, ['b', 'c'])).toBe(true);
  expect(outside(3, ['b', 'c'])).toBe(false);
  expect(outside(4, ['a', 'b'])).toBe(false);
  const { core } = follower(oneTerm);
  core.receive('b', { kind: 'leaderNotice', term: 4, members: ['b'] }, 1000);
  core.tick(1999);
  expect(core.isOutside).toBe(true);
  core.tick(2000);
  expect(core.isOutside).toBe(false);
});

test('shard time never goes back', () => {
  const { core } = follower(oneTerm);
  core.receive('b', heartbeat({ timeMs: 50 }), 1000);
  core.receive('b', heartbeat({ timeMs: 40 }), 1001);
  expect(core.timeMs).toBe(50);
  core.receive('b', { ...append(end, 0), timeMs: 60 }, 1002);
  core.receive('b', { ...append(end, 0), timeMs: 40 }, 1003);
  expect(core.timeMs).toBe(60);
});

test('a heartbeat is answered with what is known to agree, whatever lies behind that', () => {
  const { core, sent } = follower(oneTerm);
  core.applied = 9;
  core.receive('b', append({ term: 1, lsn: 6 }, 0), 1000);
  core.receive('b', heartbeat({ commit: 9 }), 1001);
  expect(sent.at(-1)).toMatchObject({ kind: 'heartbeatAck', received: 6, flushed: 6, applied: 6 });
  expect(core.commit).toBe(6);
  expect(core.following.leaderLast).toBe(10);
});

test('a commit that answers a read counts from the leader of this term, as far as the logs are known to agree', () => {
  const { core, said } = follower(oneTerm);
  core.receive('b', append({ term: 1, lsn: 6 }, 0), 1000);
  const answer = { kind: 'readIndexResponse', term: 5, context: 3, commit: 5 } as const;
  core.receive('c', answer, 1001);
  core.receive('b', { ...answer, term: 4 }, 1001);
  core.receive('b', { ...answer, commit: null }, 1001);
  expect(core.commit).toBe(0);
  core.receive('b', answer, 1002);
  expect(core.commit).toBe(5);
  core.receive('b', { ...answer, commit: 9 }, 1003);
  expect(core.commit).toBe(6);
  expect(said).toEqual([
    [3, null],
    [3, null],
    [3, null],
    [3, 5],
    [3, 9],
  ]);
});

test('only an own stamp of this life shows how fresh something is', () => {
  const { core, said } = follower(oneTerm);
  core.receive('b', heartbeat({ echo: { stampMs: core.stamps.write(990) + 2 ** 41, commit: 4 } }), 1000);
  expect(said).toEqual([]);
  core.receive('b', heartbeat({ echo: { stampMs: core.stamps.write(990), commit: null } }), 1000);
  expect(said).toEqual([]);
  core.receive('b', heartbeat({ echo: { stampMs: core.stamps.write(990), commit: 4 } }), 1000);
  expect(said).toEqual([['fresh', 990, 4]]);
});
