import { expect, it } from 'vitest';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { Replica } from '../shard/replica.ts';
import { NodeMetadata } from './node-metadata.ts';
import { evenShardMap } from './shard-map.ts';

const founders = ['a', 'b', 'c'];

/** The metadata of a cluster, as its leader a and a follower have it; what the nodes say is for the test to set. */
function nodes(founded = 2) {
  const cluster = new TestCluster();
  const seen = new Map(founders.map((node) => [node, { instance: `${node}-1`, client: `${node}:1` }]));
  const away = new Set<string>();
  const members = new Map<number, readonly string[] | null>();
  const began = { nodes: founders, map: evenShardMap(2, founders, founded) };
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const of = (self: string): NodeMetadata =>
    new NodeMetadata({
      ...{ self, cluster: 'c', replicas: founded, logger, began, known: null },
      replica: cluster.host(self).replicas.get(0) as Replica,
      replaceAfterMs: () => 5000,
      peerAddress: (node) => `${node}:2`,
      clientAddress: (node) => `${node}:1`,
      connected: (node) => !away.has(node),
      identityOf: (node) => seen.get(node) ?? null,
      membersOf: (shard) => members.get(shard) ?? null,
      adopted: () => {},
    });
  const leader = of('a');
  const follower = of('b');
  const run = (ms: number): void => {
    for (let left = ms; left > 0; left -= 20) {
      cluster.run(20);
      for (const one of [leader, follower]) one.tick(cluster.now);
    }
  };
  return { leader, follower, run, seen, away, members };
}

it('is written when every node was seen, and known to all', () => {
  const { leader, follower, run, seen } = nodes();
  seen.delete('c');
  run(1000);
  expect(leader.described).toMatchObject({ epoch: 0, leader: { node: 'a', client: 'a:1' } });
  seen.set('c', { instance: 'c-1', client: 'c:1' });
  run(300);
  expect(follower.described).toEqual({
    cluster: 'c',
    began: { nodes: founders, shards: 2, replicas: 2 },
    leader: { node: 'a', client: 'a:1' },
    epoch: 1,
    nodes: Object.fromEntries(
      founders.map((node) => [
        node,
        { peer: `${node}:2`, client: `${node}:1`, instance: `${node}-1`, state: 'member' },
      ]),
    ),
    shards: {
      1: { members: ['a', 'b'], preferred: 'a', slots: [[0, 8191]] },
      2: { members: ['b', 'c'], preferred: 'b', slots: [[8192, 16383]] },
    },
    wanted: [],
    since: [],
    moves: {},
  });
});

it('does not wait for a node that does not come, and learns of it later', () => {
  const { leader, run, seen } = nodes();
  seen.delete('c');
  run(6000);
  expect(leader.epoch).toBe(1);
  expect(leader.record('c')?.client).toBe('');
  seen.set('c', { instance: 'c-1', client: 'elsewhere:1' });
  run(2000);
  expect(leader.record('c')).toMatchObject({ instance: 'c-1', client: 'elsewhere:1' });
  expect(leader.epoch).toBe(2);
});

it('is changed where its leader is, one change after the other', () => {
  const { leader, follower, run } = nodes();
  run(500);
  const request = { kind: 'addReplica', shard: 1, node: 'c' } as const;
  expect(follower.request(request)).toBe('TRYAGAIN This node does not lead the metadata; a at a:1 does');
  expect(leader.request(request)).toBe(2);
  expect(leader.request(request)).toMatch(/^TRYAGAIN Another change/);
  run(300);
  expect(leader.request(request)).toBe('ERR c has a replica of shard 1 already');
  const none = { voters: [], learners: [] };
  expect(follower.wanted(1, none)).toEqual({ voters: ['a', 'b', 'c'], learners: [] });
  expect(follower.wanted(9, none)).toBeNull();
});

it('knows a node that joined only with the data directory that it joined with', () => {
  const { leader, follower, run, seen } = nodes();
  run(500);
  const joins = { kind: 'addNode', node: 'd', peer: 'd:2', client: 'd:1', instance: 'd-1' } as const;
  expect(leader.request(joins)).toBe(2);
  seen.set('d', { instance: 'd-1', client: 'd:1' });
  run(1500);
  expect(follower.nodes).toEqual(['a', 'b', 'c', 'd']);
  expect(follower.isStranger('d', 'd-1')).toBe(false);
  expect(follower.isStranger('d', 'd-2')).toBe(true);
  // Who was there from the beginning may come back empty: it is in doubt until it was filled.
  expect(follower.isStranger('c', 'c-2')).toBe(false);
  seen.set('d', { instance: 'd-2', client: 'd:1' });
  seen.set('c', { instance: 'c-2', client: 'c:1' });
  run(1500);
  expect([leader.record('d')?.instance, leader.record('c')?.instance]).toEqual(['d-1', 'c-2']);
  expect(leader.request({ ...joins, instance: 'd-2' })).toMatch(
    /^ERR d is known with another data directory/,
  );
});

it('forgets a node when nobody has it as a member any more, and not before', () => {
  const { leader, run, members } = nodes();
  run(500);
  members.set(1, ['a', 'b']).set(2, ['b', 'c']);
  expect(leader.request({ kind: 'removeNode', node: 'c' })).toBe(2);
  run(3000);
  expect(leader.record('c')?.state).toBe('leaving');
  expect(leader.wanted(2, { voters: [], learners: [] })).toEqual({ voters: ['a', 'b'], learners: [] });
  expect(leader.wanted(0, { voters: founders, learners: [] })).toEqual({
    voters: ['a', 'b'],
    learners: ['c'],
  });
  // Its vote on the metadata itself is the last that it has.
  members.set(2, ['a', 'b']);
  run(3000);
  expect(leader.record('c')?.state).toBe('leaving');
});

it('gives the replicas of a node that is gone for too long to others', () => {
  const { leader, run, away } = nodes();
  run(500);
  away.add('b');
  run(4000);
  away.clear();
  run(4000);
  expect(leader.epoch).toBe(1);
  away.add('b');
  run(7000);
  const none = { voters: [], learners: [] };
  expect(leader.wanted(1, none)).toEqual({ voters: ['a', 'c'], learners: [] });
  expect(leader.wanted(2, none)).toEqual({ voters: ['a', 'c'], learners: [] });
  expect(leader.record('b')?.state).toBe('member');
});
