import { describe, expect, it } from 'vitest';
import type { NodeStatus, ShardStatus } from '../server/status-types.ts';
import { type AskedNode, rolesOf } from './cluster-view.ts';
import { few, risksOfStopping, wounds } from './planned-work.ts';

/** A node that leads some shards, with followers in sync or not, and follows the others. */
function node(
  name: string,
  leads: Readonly<Record<number, Readonly<Record<string, boolean>>>>,
  follows: readonly number[] = [],
): AskedNode {
  const led = Object.entries(leads).map(([shard, followers]) => ({
    ...{ shard: Number(shard), role: 'leader', serving: true, term: 3, neededInSync: 2 },
    followers: Object.entries(followers).map(([id, inSync]) => ({ node: id, inSync, why: 'far behind' })),
  }));
  const followed = follows.map((shard) => ({ shard, role: 'follower', term: 3, followers: [] }));
  const shards = [...led, ...followed] as unknown as ShardStatus[];
  const voters = ['n1', 'n2', 'n3'];
  const metadata = { nodes: [], leader: 'n2', voters, inSync: name === 'n2' ? voters : [] };
  return { name, status: { node: name, shards, metadata } as unknown as NodeStatus };
}

const both = { n1: true, n3: true };

describe('whether a node can be stopped', () => {
  it('it can when others lead its shards and a majority stays in sync', () => {
    const asked = [
      node('n1', {}, [1, 2]),
      node('n2', { 1: both }, [2]),
      node('n3', { 2: { n1: true, n2: true } }, [1]),
    ];
    expect(risksOfStopping(asked, 'n1')).toEqual([]);
    expect(wounds(asked)).toEqual([]);
  });

  it('it cannot while it leads', () => {
    const asked = [node('n1', { 1: { n2: true, n3: true } }, [2]), node('n2', { 2: both }, [1])];
    expect(risksOfStopping(asked, 'n1')).toEqual(['shard 1 is still led by n1']);
  });

  it('it cannot while a shard has no leader', () => {
    expect(risksOfStopping([node('n1', {}, [1]), node('n2', {}, [1])], 'n1')).toEqual([
      'shard 1 has no leader',
    ]);
  });

  it('it cannot when too few would be in sync without it', () => {
    const asked = [node('n1', {}, [1]), node('n2', { 1: { n1: true, n3: false } })];
    expect(risksOfStopping(asked, 'n1')).toEqual(['shard 1 would have 1 of 3 replicas in sync and needs 2']);
    expect(risksOfStopping(asked, 'n3')).toEqual([]);
  });
});

describe('whether the metadata can do without a node', () => {
  /** Who votes on it and is in sync, by the word of its leader. */
  function metadataOf(name: string, leader: string, inSync: readonly string[]): AskedNode {
    const metadata = { leader, voters: ['n1', 'n2', 'n3'], inSync };
    return { name, status: { node: name, shards: [], metadata } as unknown as NodeStatus };
  }

  it('it can when another node leads it and a majority stays', () => {
    const asked = [metadataOf('n1', 'n2', []), metadataOf('n2', 'n2', ['n1', 'n2', 'n3'])];
    expect(risksOfStopping(asked, 'n1')).toEqual([]);
    expect(risksOfStopping(asked, 'n2')).toEqual(['the metadata is still led by n2']);
  });

  it('it cannot without a leader or a majority', () => {
    expect(risksOfStopping([metadataOf('n1', 'n2', [])], 'n1')).toEqual(['nobody leads the metadata']);
    const asked = [metadataOf('n1', 'n2', []), metadataOf('n2', 'n2', ['n1', 'n2'])];
    expect(risksOfStopping(asked, 'n1')).toEqual([
      'the metadata would have 1 of 3 replicas in sync and needs 2',
    ]);
  });
});

describe('what keeps a cluster from being whole', () => {
  it('is no node that joined and has no shard yet', () => {
    const joined = {
      node: 'n3',
      shards: [],
      metadata: { nodes: ['n1', 'n2', 'n3'] },
    } as unknown as NodeStatus;
    const asked = [node('n1', {}, [1]), node('n2', { 1: { n1: true } }), { name: 'n3', status: joined }];
    expect(wounds(asked)).toEqual([]);
    expect(rolesOf(joined)).toBe('no shard');
  });

  it('names nodes that are silent or starting, and replicas that are behind', () => {
    const asked = [
      { name: 'n1', status: null },
      node('n2', { 1: { n1: false, n3: true } }, [2]),
      node('n3', {}),
    ];
    expect(wounds(asked)).toEqual([
      'n1 does not answer',
      'n3 is starting',
      'n1 is not in sync in shard 1: far behind',
      'shard 2 has no leader',
    ]);
  });

  it('a message shows the first three', () => {
    expect(few(['a', 'b'])).toBe('a; b');
    expect(few(['a', 'b', 'c', 'd', 'e'])).toBe('a; b; c; and 2 more');
  });
});
