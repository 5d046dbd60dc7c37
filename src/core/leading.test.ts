import { expect, test } from 'vitest';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { handOver, lowestNeeded, offerSnapshot, planShipment, shipmentSent } from './leading.ts';
import { defaultCoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import type { HeartbeatAck, Membership, Message } from './types.ts';

const { heartbeatMs } = defaultCoreOptions;
const withLearner: Membership = { voters: ['a', 'b', 'c'], learners: ['x'] };

/** `a` leads term 1 with entries up to LSN 20 since 1000 ms, all durable there, and what it sends. */
function leader(): { core: Core; sent: [string, Message][]; confirmed: () => number } {
  const sent: [string, Message][] = [];
  let confirmed = 0;
  const output: CoreOutput = {
    ...silent,
    send: (to, message) => void sent.push([to, message]),
    leadershipConfirmed: () => {
      confirmed += 1;
    },
  };
  const bytesFrom = (lsn: number): number => 100 * (21 - lsn);
  const core = new Core(
    { ...init, membership: withLearner },
    defaultCoreOptions,
    output,
    () => 0.5,
    bytesFrom,
  );
  core.tick(1000);
  core.receive('b', { kind: 'preVoteResponse', term: 0, asked: 1, granted: true }, 1000);
  core.hardStateDurable({ term: 1, vote: 'a' }, 1000);
  core.receive('b', { kind: 'voteResponse', term: 1, asked: 1, granted: true }, 1000);
  core.extend(19);
  core.flushedThrough({ term: 1, lsn: 20 }, 1000);
  sent.length = 0;
  return { core, sent, confirmed: () => confirmed };
}

function holds(core: Core, node: string, lsn: number, now = 1001): void {
  core.receive(node, { kind: 'appendAck', term: 1, received: lsn, flushed: lsn, applied: lsn }, now);
}

function beats(
  core: Core,
  node: string,
  sentMs: number,
  now: number,
  more: Partial<HeartbeatAck> = {},
): void {
  const none = { received: 0, flushed: 0, applied: 0, priority: 1, stampMs: 0 };
  core.receive(node, { kind: 'heartbeatAck', term: 1, sentMs, ...none, ...more }, now);
}

test('a follower is never believed to hold more than there is', () => {
  const { core } = leader();
  core.receive('b', { kind: 'appendAck', term: 1, received: 90, flushed: 80, applied: 70 }, 1001);
  expect(core.leadership?.followers.get('b')).toMatchObject({ received: 20, flushed: 20, applied: 20 });
  expect(core.commit).toBe(20);
});

test('an answer proves leadership only to a heartbeat that this leader can have sent', () => {
  const { core, confirmed } = leader();
  beats(core, 'b', 999, 1010);
  beats(core, 'b', 1011, 1010);
  expect([confirmed(), core.leadership?.followers.get('b')?.confirmedMs]).toEqual([
    0,
    Number.NEGATIVE_INFINITY,
  ]);
  beats(core, 'b', 1004, 1010);
  expect([confirmed(), core.leadership?.followers.get('b')?.confirmedMs]).toEqual([1, 1004]);
  expect(core.leadership?.followers.get('b')?.roundTripMs).toBe(6);
  beats(core, 'b', 1004, 1011);
  expect(confirmed(), 'nothing new').toBe(1);
});

test('what a heartbeat’s answer says of positions commits as an acknowledgement does', () => {
  const { core } = leader();
  beats(core, 'b', 1004, 1010, { received: 20, flushed: 15, applied: 0 });
  expect(core.commit).toBe(15);
});

test('a heartbeat says how many bytes its receiver lacks', () => {
  const { core, sent } = leader();
  holds(core, 'b', 18);
  holds(core, 'c', 20);
  core.tick(1000 + heartbeatMs);
  const lacked = sent.flatMap(([to, message]) =>
    message.kind === 'heartbeat' ? [[to, message.held, message.lackedBytes]] : [],
  );
  expect(lacked).toEqual([
    ['b', 18, 200],
    ['c', 20, 0],
    ['x', 0, 2000],
  ]);
});

test('an old refusal says nothing of what is sent now', () => {
  const { core } = leader();
  const refuse = (lsn: number, hint: number): void =>
    core.receive(
      'b',
      {
        kind: 'appendAck',
        term: 1,
        refused: { previous: { term: 1, lsn }, hint: { term: 1, lsn: hint } },
        received: 0,
        flushed: 0,
        applied: 0,
      },
      1002,
    );
  holds(core, 'b', 15);
  shipmentSent(core, 'b', 20, 500);
  refuse(15, 3);
  expect(core.leadership?.followers.get('b'), 'it holds that').toMatchObject({
    state: 'replicate',
    flushed: 15,
  });
  refuse(20, 12);
  expect(core.leadership?.followers.get('b')).toMatchObject({ state: 'probe', flushed: 12, next: 13 });
  refuse(20, 3);
  expect(core.leadership?.followers.get('b'), 'not what this probe asked').toMatchObject({
    flushed: 12,
    next: 13,
  });
  refuse(12, 30);
  expect(core.leadership?.followers.get('b'), 'no hint makes it hold more').toMatchObject({ flushed: 12 });
});

test('who waits for a checkpoint needs what follows it, and is offered one only then', () => {
  const { core, sent } = leader();
  holds(core, 'b', 18);
  holds(core, 'c', 20);
  holds(core, 'x', 19);
  expect(lowestNeeded(core)).toBe(19);
  offerSnapshot(core, 'b', { term: 1, lsn: 5 }, 1002);
  offerSnapshot(core, 'nobody', { term: 1, lsn: 5 }, 1002);
  expect(sent).toEqual([]);
  core.leadership?.followers.get('x')?.awaitSnapshot(0);
  offerSnapshot(core, 'x', { term: 1, lsn: 9 }, 1002);
  expect(sent).toMatchObject([['x', { kind: 'snapshotOffer', checkpoint: { lsn: 9 } }]]);
  expect(lowestNeeded(core)).toBe(10);
  expect(planShipment(core, 'x')).toBeNull();
  expect(lowestNeeded(new Core(init, defaultCoreOptions, silent, () => 0.5))).toBe(Number.POSITIVE_INFINITY);
});

test('leadership is handed to a voter that is followed in stream and may lead, to nobody else', () => {
  const { core } = leader();
  for (const node of ['b', 'x']) {
    holds(core, node, 20);
    beats(core, node, 1001, 1002);
  }
  for (const nobody of ['a', 'c', 'x', 'nobody']) expect(handOver(core, nobody, 1003), nobody).toBe(false);
  expect(core.accepting).toBe(true);
  beats(core, 'b', 1001, 1003, { priority: 0 });
  expect(handOver(core, 'b', 1003), 'it never leads').toBe(false);
  beats(core, 'b', 1001, 1003);
  expect(handOver(core, 'b', 1003)).toBe(true);
  expect(handOver(core, 'b', 1004), 'one at a time').toBe(false);
  expect(handOver(new Core(init, defaultCoreOptions, silent, () => 0.5), 'b', 0)).toBe(false);
});

test('the target of a handover is told once, when it holds everything and all of it is committed', () => {
  const { core, sent } = leader();
  core.membershipProposed({ voters: ['a', 'b', 'c', 'x'], learners: [] });
  const told = (): unknown[] => sent.filter(([, { kind }]) => kind === 'campaignNow');
  holds(core, 'b', 19);
  beats(core, 'b', 1001, 1002);
  handOver(core, 'b', 1003);
  expect(told()).toEqual([]);
  holds(core, 'b', 20);
  expect(told(), 'two of four').toEqual([]);
  holds(core, 'c', 20);
  expect(told()).toEqual([['b', { kind: 'campaignNow', term: 1, last: { term: 1, lsn: 20 }, keep: false }]]);
  holds(core, 'x', 20);
  beats(core, 'b', 1004, 1005);
  expect(told()).toHaveLength(1);
});

test('who asks for leadership gets it when it is in sync and this term has a commit', () => {
  const asked = (prepare: (core: Core) => void): boolean => {
    const { core } = leader();
    prepare(core);
    core.receive('b', { kind: 'leadershipWanted', term: 1 }, 1003);
    return !core.accepting;
  };
  const ready = (core: Core): void => {
    holds(core, 'b', 20);
    beats(core, 'b', 1001, 1002);
  };
  expect(asked(ready)).toBe(true);
  expect(
    asked((core) => {
      holds(core, 'c', 20);
      core.receive('b', { kind: 'appendAck', term: 1, received: 2, flushed: 0, applied: 0 }, 1001);
      beats(core, 'b', 1001, 1002);
    }),
    'it is behind',
  ).toBe(false);
});
