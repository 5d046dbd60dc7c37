import type { NodeId } from '../core/types.ts';
import { type SlotRange, slotCount } from '../state/slot.ts';

export interface ShardPlacement {
  /** 1 and up; 0 is kept for the shard that will hold this map. */
  readonly shard: number;
  readonly slots: readonly SlotRange[];
  /** The nodes that hold a replica when the cluster begins. */
  readonly members: readonly NodeId[];
  /** The node that should lead; null when any may. */
  readonly preferred: NodeId | null;
}

/** Which shard owns which slots, and where it should be led. Every slot has one owner. */
export class ShardMap {
  readonly placements: readonly ShardPlacement[];
  readonly #owners = new Uint16Array(slotCount);

  /** Throws when a slot has no owner, or two. */
  constructor(placements: readonly ShardPlacement[]) {
    this.placements = placements;
    for (const { shard, slots } of placements)
      for (const { from, to } of slots)
        for (let slot = from; slot <= to; slot++) {
          if (this.#owners[slot] !== 0) throw new RangeError(`slot ${slot} has two owners`);
          this.#owners[slot] = shard;
        }
    const orphan = this.#owners.indexOf(0);
    if (orphan >= 0) throw new RangeError(`slot ${orphan} has no owner`);
  }

  ownerOf(slot: number): number {
    return this.#owners[slot] as number;
  }
}

/** The shard that owns each slot. */
export function ownersOf(map: ShardMap): Uint16Array {
  return Uint16Array.from({ length: slotCount }, (_, slot) => map.ownerOf(slot));
}

/** What the metadata says of slots when nothing has moved yet. */
export function slotsAsBegun(map: ShardMap) {
  const owners = ownersOf(map);
  return {
    ...{ owners, wanted: owners, since: new Uint32Array(slotCount) },
    moves: new Map<never, never>(),
  };
}

/** True when every node holds some shard. */
export function usesEveryNode(shards: number, nodes: number, replicas: number): boolean {
  return Math.min(shards, nodes) + replicas - 1 >= nodes;
}

/**
 * The map that a new cluster begins with: as many slots for each shard as for the others, and its leader on each node
 * in turn, with its followers on those that come next. One shard is led by whoever is elected.
 */
export function evenShardMap(shards: number, nodes: readonly NodeId[], replicas = nodes.length): ShardMap {
  const placements = Array.from({ length: shards }, (_, at) => ({
    shard: at + 1,
    slots: [
      { from: Math.ceil((at * slotCount) / shards), to: Math.ceil(((at + 1) * slotCount) / shards) - 1 },
    ],
    members: Array.from(
      { length: Math.min(replicas, nodes.length) },
      (_, next) => nodes[(at + next) % nodes.length] as NodeId,
    ).sort(),
    preferred: shards === 1 ? null : (nodes[at % nodes.length] ?? null),
  }));
  return new ShardMap(placements);
}
