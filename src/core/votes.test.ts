import { expect, test } from 'vitest';
import { init, node } from './core-test-kit.ts';
import type { Message, VoteRequest } from './types.ts';
import { origin } from './types.ts';

function voteRequest(term: number, more: Partial<VoteRequest> = {}): VoteRequest {
  return { kind: 'voteRequest', term, last: origin, handover: true, ...more };
}

/** Whether each vote that was asked for was granted. */
function granted(sent: readonly [string, Message][]): boolean[] {
  return sent.flatMap(([, message]) => (message.kind === 'voteResponse' ? [message.granted] : []));
}

test('a vote leaves when that vote is durable, not when its term is, and not when it is over', () => {
  const { core, sent, put } = node();
  const ask = (term: number): Message => ({
    kind: 'voteRequest',
    term,
    last: { term: 0, lsn: 0 },
    handover: true,
  });
  const votes = (): unknown[] =>
    sent.flatMap(([to, message]) => (message.kind === 'voteResponse' ? [to] : []));
  core.receive('b', ask(1), 1000);
  expect(put).toEqual([
    { term: 1, vote: null },
    { term: 1, vote: 'b' },
  ]);
  core.hardStateDurable({ term: 1, vote: null }, 1001);
  expect(votes()).toEqual([]);
  core.receive('c', ask(2), 1002);
  core.hardStateDurable({ term: 1, vote: 'b' }, 1003);
  expect(votes(), 'term 1 is over').toEqual([]);
  core.hardStateDurable({ term: 2, vote: 'c' }, 1004);
  expect(votes()).toEqual(['c']);
});

test('what becomes durable late never makes an older vote the durable one', () => {
  const { core } = node();
  core.receive('b', { kind: 'voteRequest', term: 2, last: { term: 0, lsn: 0 }, handover: true }, 1000);
  core.hardStateDurable({ term: 2, vote: 'b' }, 1001);
  core.hardStateDurable({ term: 1, vote: null }, 1002);
  expect(core.isDurable({ term: 2, vote: 'b' })).toBe(true);
  expect(core.isDurable({ term: 2, vote: null })).toBe(false);
  expect(core.isDurable({ term: 1, vote: 'b' })).toBe(false);
});

test('nobody gets a vote for a term that is over', () => {
  const { core, sent, put } = node({ hardState: { term: 5, vote: null } });
  core.receive('b', voteRequest(4), 1000);
  expect([granted(sent), put]).toEqual([[false], []]);
  core.receive('b', voteRequest(5), 1000);
  expect(put).toEqual([{ term: 5, vote: 'b' }]);
});

test('a term has one vote, which its candidate may ask for again, and none where there is a leader', () => {
  const { core, sent } = node({ hardState: { term: 5, vote: 'b' } });
  core.receive('c', voteRequest(5), 1000);
  core.receive('b', voteRequest(5), 1000);
  expect(granted(sent)).toEqual([false, true]);

  const led = node({ hardState: { term: 5, vote: null } });
  led.core.follow(5, 'b', 1000);
  led.core.receive('c', voteRequest(5), 1001);
  expect([granted(led.sent), led.put, led.core.leader]).toEqual([[false], [], 'b']);
});

test('who was heard from lately is not left for a candidate that nobody sent', () => {
  const { core, sent } = node({ hardState: { term: 5, vote: null } });
  core.following.heardMs = 1000;
  core.receive('c', voteRequest(6, { handover: false }), 1001);
  expect([granted(sent), core.term]).toEqual([[false], 5]);
  core.receive('c', voteRequest(6), 1001);
  expect([core.term, core.vote]).toEqual([6, 'c']);
});

test('who gives its vote looks for none itself any more', () => {
  const { core } = node({ hardState: { term: 5, vote: null }, membership: init.membership });
  core.tick(1000);
  expect(core.role).toBe('candidate');
  core.receive('b', voteRequest(5), 1001);
  expect([core.role, core.vote]).toEqual(['follower', 'b']);
});
