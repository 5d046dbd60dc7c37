import { expect, test } from 'vitest';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { planShipment, shipmentSent } from './leading.ts';
import { defaultCoreOptions } from './options.ts';
import { Progress } from './progress.ts';
import type { Message } from './types.ts';
import { origin } from './types.ts';

/** The leader of term 1 with entries up to LSN 20, at 1000 ms. */
function leader(): Core {
  const core = new Core(init, defaultCoreOptions, silent, () => 0.5);
  core.tick(1000);
  core.receive('b', { kind: 'preVoteResponse', term: 0, asked: 1, granted: true }, 1000);
  core.hardStateDurable({ term: 1, vote: 'a' }, 1000);
  core.receive('b', { kind: 'voteResponse', term: 1, asked: 1, granted: true }, 1000);
  core.extend(19);
  return core;
}

test('a follower that restarts and lost what it had not flushed is sent that again', () => {
  const core = leader();
  const ack = { kind: 'appendAck', term: 1, received: 15, flushed: 10, applied: 0 } as const;
  core.receive('b', ack, 1001);
  expect(planShipment(core, 'b')?.fromLsn).toBe(16);
  core.linkUp('b');
  const probe = planShipment(core, 'b');
  expect(probe?.fromLsn).toBe(16);
  shipmentSent(core, 'b', 20, 100);
  const refused = { previous: probe!.previous, hint: { term: 1, lsn: 12 } };
  core.receive('b', { ...ack, refused, received: 0, flushed: 0 }, 1002);
  expect(planShipment(core, 'b')?.fromLsn).toBe(13);
});

test('no refusal takes back what a follower said to be durable', () => {
  const core = leader();
  const ack = { kind: 'appendAck', term: 1, received: 15, flushed: 10, applied: 0 } as const;
  core.receive('b', ack, 1001);
  const refused = { previous: { term: 1, lsn: 9 }, hint: { term: 0, lsn: 0 } };
  core.receive('b', { ...ack, refused, received: 0, flushed: 0 }, 1002);
  expect(planShipment(core, 'b')?.fromLsn).toBe(16);
});

test('a follower that comes back with an empty disk is sent everything', () => {
  const core = leader();
  const ack = { kind: 'appendAck', term: 1, received: 20, flushed: 20, applied: 20 } as const;
  core.receive('b', ack, 1001);
  core.peerReplaced('b');
  core.linkUp('b');
  const probe = planShipment(core, 'b');
  shipmentSent(core, 'b', 20, 0);
  const refused = { previous: probe!.previous, hint: origin };
  core.receive('b', { ...ack, refused, received: 0, flushed: 0, applied: 0 }, 1002);
  expect(planShipment(core, 'b')?.fromLsn).toBe(1);
  expect(core.leadership?.followers.get('b')?.flushed).toBe(0);
});

test('a follower whose disk was damaged is sent what it lost', () => {
  const core = leader();
  const ack = { kind: 'appendAck', term: 1, received: 20, flushed: 20, applied: 20 } as const;
  core.receive('b', ack, 1001);
  core.linkUp('b');
  core.tick(1100);
  const probe = planShipment(core, 'b');
  shipmentSent(core, 'b', 20, 0);
  const refused = { previous: probe!.previous, hint: { term: 1, lsn: 14 } };
  core.receive('b', { ...ack, refused, received: 0, flushed: 0, applied: 0 }, 1102);
  expect(planShipment(core, 'b')?.fromLsn).toBe(15);
});

test('pitfall 10: doubt ends when all is durable that may have been acknowledged to the leader of this very term', () => {
  const core = new Core(
    { ...init, doubt: { mayHaveAcknowledged: null } },
    defaultCoreOptions,
    silent,
    () => 0.5,
  );
  const heartbeat: Message = {
    kind: 'heartbeat',
    term: 1,
    commit: 0,
    sentMs: 0,
    timeMs: 0,
    last: 9,
    laggards: [],
    held: 0,
    lackedBytes: 0,
    echo: null,
  };
  core.receive('b', heartbeat, 1001);
  core.snapshotInstalled({ term: 1, lsn: 5 }, init.membership);
  expect(core.doubt).not.toBeNull();
  core.receive('b', { ...heartbeat, last: 20 }, 1002);
  core.snapshotInstalled({ term: 1, lsn: 9 }, init.membership);
  expect(core.doubt).toBeNull();
});

test('pitfall 16: whatever becomes of a follower, nothing is under way to it then, and late answers count for nothing', () => {
  const changes: [string, (progress: Progress) => void][] = [
    ['probe', (progress) => progress.probe(1)],
    ['replicate', (progress) => progress.replicate()],
    ['snapshot', (progress) => progress.awaitSnapshot(5)],
  ];
  for (const [name, change] of changes) {
    const progress = new Progress(1);
    progress.replicate();
    progress.sent(3, 300);
    progress.sent(4, 100);
    progress.acknowledge(4, 3, 0);
    expect(progress.inflightBytes).toBe(100);
    change(progress);
    expect(progress.inflightBytes, name).toBe(0);
    progress.acknowledge(4, 4, 4);
    expect(progress.inflightBytes, name).toBe(0);
    progress.replicate();
    progress.sent(5, 50);
    expect(progress.inflightBytes, name).toBe(50);
    progress.acknowledge(5, 5, 5);
    expect(progress.inflightBytes, name).toBe(0);
  }
});

test('pitfall 16: a follower to which as much is under way as may be is sent more when it has made some durable', () => {
  const core = leader();
  const ack = { kind: 'appendAck', term: 1, received: 10, flushed: 10, applied: 0 } as const;
  core.receive('b', ack, 1001);
  shipmentSent(core, 'b', 15, defaultCoreOptions.inflightBytes);
  expect(planShipment(core, 'b')).toBeNull();
  core.receive('b', { ...ack, received: 15 }, 1002);
  expect(planShipment(core, 'b')).toBeNull();
  core.receive('b', { ...ack, received: 15, flushed: 15 }, 1003);
  expect(planShipment(core, 'b')?.maxBytes).toBe(defaultCoreOptions.appendBytes);
});

test('a follower is in sync since it caught up, and anew when it fell behind or lost what it held', () => {
  const progress = new Progress(1);
  const at = (flushed: number, end: number, now: number): number => {
    progress.acknowledge(flushed, flushed, 0);
    progress.trackCaughtUp(end, now, 1000);
    return progress.inSyncSinceMs;
  };
  expect(at(5, 9, 1000)).toBe(Number.POSITIVE_INFINITY);
  expect(at(9, 9, 1100)).toBe(1100);
  // It holds what the leader had a moment ago: that is in sync, however much was written since.
  expect(at(9, 20, 1900)).toBe(1100);
  expect(at(20, 30, 2000)).toBe(1100);
  // For too long it did not.
  expect(at(25, 40, 3100)).toBe(Number.POSITIVE_INFINITY);
  expect(at(40, 40, 3200)).toBe(3200);
  // It was silent for too long, and nothing was written meanwhile.
  expect(at(40, 40, 4300)).toBe(4300);
  progress.lost(30);
  expect(progress.inSyncSinceMs).toBe(Number.POSITIVE_INFINITY);
});
