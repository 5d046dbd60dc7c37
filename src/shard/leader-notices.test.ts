import { expect, it } from 'vitest';
import type { Message, NodeId } from '../core/types.ts';
import { LeaderNotices } from './leader-notices.ts';
import type { Replica } from './replica.ts';

/** As much of the leader of a shard as its notices need. */
function leaderOf(shard: number, term: number, members: readonly NodeId[]): Replica {
  const membership = { voters: members, learners: [] };
  const memberships = { currentLsn: 1, at: () => membership };
  const leadership = { followers: new Map(), isInSync: () => true };
  const core = { term, membership, memberships, commit: 9, leadership };
  return { shard, core, keyspace: { size: 7, memoryBytes: 70 } } as unknown as Replica;
}

/** One node among others; what it sends is kept with when. */
function node(others: readonly NodeId[], old: readonly NodeId[] = []) {
  const sent: { to: NodeId; shard: number; message: Message; ms: number }[] = [];
  let led: Replica[] = [];
  let now = 0;
  const identity = (id: NodeId) => ({ node: id, cluster: 'c', instance: id, client: id, fresh: false });
  const notices = new LeaderNotices({
    self: 'self',
    peers: {
      send: (to, shard, message) => {
        sent.push({ to, shard, message, ms: now });
        return true;
      },
      identityOf: (id) => ({ ...identity(id), hearsNodes: !old.includes(id) }),
    },
    led: () => led,
    nodes: () => ['self', ...others],
    place: () => ({ peer: 'self:7101', zone: 'a' }),
    sawNew: () => false,
  });
  const run = (ms: number): void => {
    for (const end = now + ms; now < end; now += 10) notices.tick(now);
  };
  return {
    sent,
    run,
    leads: (...replicas: Replica[]) => {
      led = replicas;
    },
    linkUp: (id: NodeId) => notices.linkUp(id, now),
  };
}

it('says all that a node leads in one message, twice a second, and at once when that changes', () => {
  const { sent, run, leads } = node(['b', 'c']);
  leads(leaderOf(1, 3, ['self', 'b']), leaderOf(4, 5, ['self', 'c']));
  run(1000);
  expect(sent.map(({ to, shard, ms }) => `${to} ${shard} ${ms}`)).toEqual([
    'b 0 0',
    'c 0 0',
    'b 0 500',
    'c 0 500',
  ]);
  expect(sent[0]?.message).toEqual({
    ...{ kind: 'nodeNotice', term: 0, peer: 'self:7101', zone: 'a', sawNew: false },
    led: [
      { shard: 1, term: 3, members: ['self', 'b'], whole: true, keys: 7, bytes: 70 },
      { shard: 4, term: 5, members: ['self', 'c'], whole: true, keys: 7, bytes: 70 },
    ],
  });
  run(150);
  sent.length = 0;
  leads(leaderOf(1, 3, ['self', 'b']));
  run(100);
  expect(sent.map(({ to }) => to)).toEqual(['b', 'c']);
});

it('speaks to nodes of older versions as they understand it, ten times a second and shard by shard', () => {
  const { sent, run, leads } = node(['b', 'old'], ['old']);
  leads(leaderOf(1, 3, ['self', 'b']), leaderOf(2, 3, ['self', 'old']));
  run(1000);
  const toOld = sent.filter(({ to }) => to === 'old');
  expect(toOld).toHaveLength(10);
  expect(toOld[0]).toMatchObject({
    shard: 1,
    message: { kind: 'leaderNotice', term: 3, members: ['self', 'b'] },
  });
  expect(sent.filter(({ to }) => to === 'b')).toHaveLength(2);
});

it('tells a node that comes back at once', () => {
  const { sent, run, linkUp } = node(['b', 'old'], ['old']);
  run(50);
  sent.length = 0;
  linkUp('b');
  linkUp('old');
  expect(sent.map(({ to }) => to)).toEqual(['b']);
});

it('sends two messages a second for each pair of nodes, however many shards there are', () => {
  const others = Array.from({ length: 99 }, (_, i) => `n${i}`);
  const { sent, run, leads } = node(others);
  const ten = Array.from({ length: 10 }, (_, i) => leaderOf(i + 1, 3, ['self', 'n1', 'n2']));
  leads(...ten);
  run(10_000);
  expect(sent.length / 10).toBe(198);
  const before = node(others, others);
  before.leads(...ten);
  before.run(10_000);
  expect(before.sent.length / 10).toBe(9700);
});
