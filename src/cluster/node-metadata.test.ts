import { describe, expect, it } from 'vitest';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { Replica } from '../shard/replica.ts';
import type { ToldShard } from './balancer.ts';
import { NodeMetadata } from './node-metadata.ts';
import { evenShardMap } from './shard-map.ts';

const founders = ['a', 'b', 'c'];

/** The metadata of a cluster, as its leader a and a follower have it; what the nodes say is for the test to set. */
function nodes(founded = 2) {
  const cluster = new TestCluster();
  const seen = new Map<string, { instance: string; client: string; peer?: string; zone?: string }>(
    founders.map((node) => [node, { instance: `${node}-1`, client: `${node}:1` }]),
  );
  const told = new Map<number, ToldShard>();
  const away = new Set<string>();
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
      toldOf: (shard) => told.get(shard) ?? null,
      leastCopies: () => ({ copies: 1, why: 'a shard' }),
      rebalanceAfterMs: () => 5000,
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
  return { leader, follower, run, seen, away, told };
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
    rebalance: true,
    nodes: Object.fromEntries(
      founders.map((node) => [
        node,
        { peer: `${node}:2`, client: `${node}:1`, instance: `${node}-1`, state: 'member', zone: '' },
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
  const joins = {
    kind: 'addNode',
    node: 'd',
    peer: 'd:2',
    client: 'd:1',
    instance: 'd-1',
    zone: '',
  } as const;
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

it('forgets a node when no leader of a shard has it as a member any more, and not before', () => {
  const { leader, run, told } = nodes(3);
  const tell = (shard: number, members: readonly string[]) =>
    told.set(shard, { leader: 'b', members, whole: true });
  run(500);
  tell(1, ['a', 'b']);
  tell(2, ['b', 'c']);
  expect(leader.request({ kind: 'removeNode', node: 'c' })).toBe(2);
  run(4000);
  expect(leader.record('c')?.state).toBe('leaving');
  expect(leader.wanted(2, { voters: [], learners: [] })).toEqual({ voters: ['a', 'b'], learners: [] });
  expect(leader.wanted(0, { voters: founders, learners: [] })).toEqual({
    voters: ['a', 'b'],
    learners: ['c'],
  });
  // While nobody leads the shard, nobody knows.
  told.delete(2);
  run(4000);
  expect(leader.record('c')?.state).toBe('leaving');
  // Its vote on the metadata itself is the last that it has.
  tell(2, ['a', 'b']);
  run(4000);
  expect(leader.record('c')?.state).toBe('leaving');
});

it('believes nothing of who left that was said before the node was to leave', () => {
  const { leader, run, told } = nodes();
  run(500);
  for (const shard of [1, 2]) told.set(shard, { leader: 'b', members: ['a', 'b'], whole: true });
  expect(
    leader.request({ kind: 'addNode', node: 'd', peer: 'd:2', client: 'd:1', instance: 'd-1', zone: '' }),
  ).toBe(2);
  run(1500);
  expect(leader.request({ kind: 'removeNode', node: 'd' })).toBe(3);
  run(1500);
  expect(leader.record('d')?.state).toBe('leaving');
  run(2500);
  expect(leader.record('d')?.state).toBe('removed');
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

it('begins with zones apart, and learns of other zones and addresses', () => {
  const { leader, run, seen } = nodes();
  for (const [node, zone] of [
    ['a', 'east'],
    ['b', 'east'],
    ['c', 'west'],
  ] as const)
    seen.set(node, { instance: `${node}-1`, client: `${node}:1`, peer: `${node}:2`, zone });
  run(500);
  const none = { voters: [], learners: [] };
  expect(leader.wanted(1, none)?.voters).toContain('c');
  expect(leader.wanted(2, none)?.voters).toEqual(['b', 'c']);
  seen.set('b', { instance: 'b-1', client: 'new:1', peer: 'new:2', zone: 'north' });
  run(1500);
  expect(leader.record('b')).toEqual({
    ...{ peer: 'new:2', client: 'new:1', instance: 'b-1', state: 'member', zone: 'north' },
  });
  // Two nodes cannot be at one place.
  seen.set('c', { instance: 'c-1', client: 'c:1', peer: 'new:2', zone: 'west' });
  run(1500);
  expect(leader.record('c')?.peer).toBe('c:2');
});

describe('spreading', () => {
  /** A fourth node joined, everything is in sync. */
  function withFourth() {
    const cluster = nodes(3);
    const { leader, run, seen, told } = cluster;
    run(500);
    leader.request({ kind: 'addNode', node: 'd', peer: 'd:2', client: 'd:1', instance: 'd-1', zone: '' });
    seen.set('d', { instance: 'd-1', client: 'd:1' });
    for (const shard of [1, 2]) told.set(shard, { leader: 'a', members: founders, whole: true });
    run(500);
    return cluster;
  }
  const none = { voters: [], learners: [] };

  it('begins by itself when nothing has changed for a while, one move per node at a time', () => {
    const { leader, run, told } = withFourth();
    run(4000);
    expect(leader.wanted(1, none)?.voters).toEqual(founders);
    run(3000);
    expect(leader.wanted(1, none)?.voters).toContain('d');
    run(20_000);
    // The first move is still under way, and d is one of its nodes.
    expect(leader.wanted(2, none)?.voters).toEqual(founders);
    const members = leader.wanted(1, none)?.voters ?? [];
    told.set(1, { leader: 'a', members: ['d', ...members], whole: true });
    run(20_000);
    expect(leader.wanted(2, none)?.voters).toEqual(founders);
    // What is not in sync is not moved.
    told
      .set(1, { leader: 'a', members, whole: true })
      .set(2, { leader: 'b', members: founders, whole: false });
    run(20_000);
    expect(leader.wanted(2, none)?.voters).toEqual(founders);
    expect(leader.described).toMatchObject({ obstacles: { away: [], unsettled: [2] } });
  });

  it('can be switched off, and is done when it is asked for all the same', () => {
    const { leader, follower, run } = withFourth();
    expect(leader.request({ kind: 'rebalance', on: false })).toBe(3);
    run(20_000);
    expect(leader.wanted(1, none)?.voters).toEqual(founders);
    expect(follower.rebalance()).toMatch(/^TRYAGAIN/);
    expect(leader.rebalance()).toMatchObject([{ kind: 'replica', to: 'd' }]);
    run(500);
    expect(leader.wanted(1, none)?.voters).toContain('d');
    const epoch = leader.epoch;
    expect(leader.rebalance()).toEqual([]);
    run(500);
    expect(leader.epoch).toBe(epoch);
  });

  it('begins the quiet anew whenever a node goes', () => {
    const { leader, run, away } = withFourth();
    for (let i = 0; i < 6; i++) {
      away.add('c');
      run(2000);
      away.clear();
      run(2000);
    }
    expect(leader.wanted(1, none)?.voters).toEqual(founders);
  });
});
