import { expect, test } from 'vitest';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { logUnreadable, offerSnapshot, planShipment, sendableBehind } from './leading.ts';
import { defaultCoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import type { Message } from './types.ts';

test('a follower that needs entries which cannot be read back is sent a checkpoint, then what follows it', () => {
  const sent: Message[] = [];
  const wanting: string[] = [];
  const output: CoreOutput = {
    ...silent,
    send: (_to, message) => void sent.push(message),
    needsSnapshot: (follower) => void wanting.push(follower),
  };
  const core = new Core(init, defaultCoreOptions, output, () => 0.5);
  core.tick(1000);
  core.receive('b', { kind: 'preVoteResponse', term: 0, asked: 1, granted: true }, 1000);
  core.hardStateDurable({ term: 1, vote: 'a' }, 1000);
  core.receive('b', { kind: 'voteResponse', term: 1, asked: 1, granted: true }, 1000);
  core.extend(19);
  const ack = { kind: 'appendAck', term: 1, received: 5, flushed: 5, applied: 0 } as const;
  core.receive('b', ack, 1001);
  expect(planShipment(core, 'b')?.fromLsn).toBe(6);

  logUnreadable(core, 12);
  expect(planShipment(core, 'b')).toBeNull();
  expect(wanting).toEqual(['b']);
  expect(sendableBehind(core)).toBe(12);
  core.receive('b', { ...ack, flushed: 11, received: 11 }, 1001);
  expect(planShipment(core, 'b'), 'a word from the follower changes nothing').toBeNull();
  offerSnapshot(core, 'b', { term: 1, lsn: 15 }, 1002);
  expect(sent.at(-1)?.kind).toBe('snapshotOffer');
  core.receive('b', { ...ack, received: 15, flushed: 15 }, 1003);
  expect(planShipment(core, 'b')?.fromLsn).toBe(16);
});
