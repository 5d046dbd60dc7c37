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

test('positions of a follower only rise by what it says, and it is told when one did', () => {
  const progress = new Progress(1);
  expect(progress.acknowledge(5, 4, 3)).toBe(true);
  expect(progress.acknowledge(5, 4, 3)).toBe(false);
  expect(progress.acknowledge(4, 3, 2)).toBe(false);
  expect(progress).toMatchObject({ received: 5, flushed: 4, applied: 3, next: 6 });
  expect(progress.acknowledge(6, 4, 3), 'received').toBe(true);
  expect(progress.acknowledge(6, 5, 3), 'flushed').toBe(true);
  expect(progress.acknowledge(6, 5, 4), 'applied').toBe(true);
});

test('what a follower holds is never sent again, whatever begins anew', () => {
  const progress = new Progress(1);
  progress.acknowledge(9, 9, 9);
  progress.next = 3;
  progress.replicate();
  expect(progress.next).toBe(10);
  progress.next = 20;
  progress.replicate();
  expect(progress.next).toBe(20);
  progress.probe(4);
  expect(progress.next).toBe(10);
  progress.sent(15, 100);
  expect([progress.next, progress.probing]).toEqual([10, true]);
  progress.replicate();
  expect(progress.probing).toBe(false);
});

test('what a follower lost lowers its positions, and those below stay', () => {
  const progress = new Progress(1);
  progress.acknowledge(9, 8, 3);
  progress.lost(5);
  expect(progress).toMatchObject({ received: 5, flushed: 5, applied: 3 });
  progress.lost(7);
  expect(progress).toMatchObject({ received: 5, flushed: 5, applied: 3 });
});

test('a follower that never reaches the end is in sync as long as it reaches where the end was not long ago', () => {
  const progress = new Progress(1);
  const inSyncSince = (flushed: number, end: number, now: number): number => {
    progress.acknowledge(flushed, flushed, 0);
    progress.trackCaughtUp(end, now, 1000);
    return progress.inSyncSinceMs;
  };
  expect(inSyncSince(0, 10, 1000)).toBe(Number.POSITIVE_INFINITY);
  expect(inSyncSince(9, 20, 1500), 'the end at 1000 was 10').toBe(Number.POSITIVE_INFINITY);
  expect(inSyncSince(10, 30, 1600)).toBe(1600);
  expect(progress.caughtUpMs).toBe(1000);
  expect(inSyncSince(29, 40, 2000), 'the end at 1600 was 30').toBe(1600);
  expect(inSyncSince(30, 50, 2001), 'exactly at the limit a moment ago').toBe(2001);
  expect(progress.caughtUpMs).toBe(1600);
});

test('an append is lost when a heartbeat that left behind it is answered without it, and only by such an answer', () => {
  const progress = new Progress(1);
  progress.replicate();
  progress.sent(10, 100);
  progress.heartbeatSent(50);
  progress.sent(20, 100);
  progress.heartbeatSent(60);
  expect(progress.lostBefore(49, 0), 'it left before').toBe(false);
  expect(progress.lostBefore(50, 10), 'it arrived').toBe(false);
  expect(progress.lostBefore(60, 0), 'nothing is marked').toBe(false);
  progress.heartbeatSent(70);
  expect(progress.lostBefore(70, 19)).toBe(true);
});
