import { metadataShard } from '../cluster/metadata.ts';
import { metadataMembers } from '../cluster/next-membership.ts';
import { evenShardMap, usesEveryNode } from '../cluster/shard-map.ts';
import type { Membership, NodeId } from '../core/types.ts';
import { slotOf } from '../state/slot.ts';
import { halvesOf } from './client-commands.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { ClusterShape } from './sharded-node.ts';
import { onlyShard } from './sim-node.ts';

/** How many runs are of several shards, with metadata. */
const shardedRuns = 0.15;

/** What a run's cluster is like before it begins. */
export interface Shape {
  /** Null: one shard without metadata. */
  readonly cluster: ClusterShape | null;
  /** Who takes part in each shard when it begins. */
  readonly founders: ReadonlyMap<number, Membership>;
  /** The shards that clients use, and which of them a key of the workload belongs to when the cluster begins. */
  readonly shards: readonly number[];
  shardOf(key: string): number;
  /** Keys may be elsewhere later. */
  readonly slotsMove: boolean;
}

export function drawsShards(random: SeededRandom): boolean {
  return random.chance(shardedRuns);
}

export function oneShard(members: Membership): Shape {
  const founders = new Map([[onlyShard, members]]);
  return { cluster: null, founders, shards: [onlyShard], shardOf: () => onlyShard, slotsMove: false };
}

/** How many nodes such a cluster begins with, and how many more may join. */
export function drawNodes(random: SeededRandom): { founders: NodeId[]; joiners: NodeId[] } {
  const count = random.pick([3, 3, 3, 4, 5]);
  const names = Array.from({ length: count + random.pick([0, 1, 1, 2]) }, (_, i) => `n${i + 1}`);
  return { founders: names.slice(0, count), joiners: names.slice(count) };
}

/** @param least so many replicas of each shard there are to be */
export function severalShards(
  random: SeededRandom,
  nodes: readonly NodeId[],
  least: number,
  slotsMove: boolean,
): Shape {
  const count = random.pick([2, 2, 3, 4]);
  // Who has a shard alone begins it at once, and is not new any more when the metadata is to begin.
  const wanted = random.pick([2, 2, 3, 3, 3, 5]);
  let replicas = Math.min(Math.max(least, wanted), nodes.length);
  while (!usesEveryNode(count, nodes.length, replicas)) replicas += 1;
  const map = evenShardMap(count, nodes, replicas);
  const founders = new Map<number, Membership>([[metadataShard, metadataMembers(nodes)]]);
  for (const { shard, members } of map.placements) founders.set(shard, { voters: members, learners: [] });
  const replaceAfterMs = random.pick([0, 0, 0, 3000]);
  const rebalanceAfterMs = random.pick([0, 0, 1500]);
  const zones = random.pick([0, 2, 3]);
  return {
    cluster: { founders: nodes, map, replicas, replaceAfterMs, rebalanceAfterMs, zones },
    founders,
    shards: map.placements.map(({ shard }) => shard),
    shardOf: (key) => map.ownerOf(slotOfKey(key)),
    slotsMove,
  };
}

export function slotOfKey(key: string): number {
  return slotOf(halvesOf(key)[0] as string);
}
