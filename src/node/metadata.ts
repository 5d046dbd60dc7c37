import {
  type Metadata,
  type MetadataChange,
  metadataShard,
  type NodeRecord,
  ownersOf,
  type ShardRecord,
} from '../cluster/metadata.ts';
import { MetadataKeeper } from '../cluster/metadata-keeper.ts';
import type { ShardMap } from '../cluster/shard-map.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { PeerIdentity } from '../peer/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { ReplicaOptions } from '../shard/replica-context.ts';

/** Its times are so many times those of other shards: nobody waits for its leader, and idle it costs less. */
const slower = 4;
/** A new cluster writes down what it began with when every node was seen, or after so long without some. */
const patienceMs = 5000;
/** How often its leader looks whether what nodes say of themselves has changed. */
const lookMs = 1000;

/** The options of the metadata shard, from those of the others. */
export function metadataOptions(options: ReplicaOptions): ReplicaOptions {
  const { core } = options;
  return {
    ...options,
    core: {
      ...core,
      heartbeatMs: slower * core.heartbeatMs,
      leaseMs: slower * core.leaseMs,
      voteRefusalMs: slower * core.voteRefusalMs,
      electionMinMs: slower * core.electionMinMs,
      electionMaxMs: slower * core.electionMaxMs,
    },
    minInSync: 1,
    maxMemory: 0,
    evictionPolicy: 'noeviction',
  };
}

/** Who holds the metadata of a new cluster: everybody, and five of them vote, of less than five nodes three. */
export function metadataMembers(nodes: readonly NodeId[]): Membership {
  const sorted = [...nodes].sort();
  const voters = sorted.length < 5 ? 3 : 5;
  return { voters: sorted.slice(0, voters), learners: sorted.slice(voters) };
}

interface MetadataParts {
  readonly replica: Replica;
  readonly logger: Logger;
  /** The nodes that the cluster began with, and its map then. */
  readonly founders: readonly NodeId[];
  readonly map: ShardMap;
  /** Where other nodes reach a node, `host:port`. */
  peerAddress(node: NodeId): string;
  /** What a node said of itself, this one included; null when it was never seen. */
  identityOf(node: NodeId): Pick<PeerIdentity, 'instance' | 'client'> | null;
  /** Hears what this node comes to know. */
  adopted(metadata: Metadata): void;
}

/** The metadata shard on this node: what it says, and on its leader what must be written without being asked. */
export class NodeMetadata {
  readonly #parts: MetadataParts;
  readonly #keeper: MetadataKeeper;
  /** Since when this node leads a metadata shard in which nothing was ever written; null while it does not. */
  #emptySinceMs: number | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: MetadataParts) {
    this.#parts = parts;
    this.#keeper = new MetadataKeeper(parts.replica, (metadata) => {
      parts.logger.info({ shard: metadataShard, epoch: metadata.epoch }, 'the metadata has changed');
      parts.adopted(metadata);
    });
  }

  get epoch(): number {
    return this.#keeper.epoch;
  }

  get leader(): NodeId | null {
    return this.#keeper.leader;
  }

  /** Every node of the cluster. */
  get nodes(): Iterable<NodeId> {
    return this.#keeper.current?.nodes.keys() ?? this.#parts.founders;
  }

  record(node: NodeId): NodeRecord | null {
    return this.#keeper.current?.nodes.get(node) ?? null;
  }

  /** Called every few milliseconds. */
  tick(now: number): void {
    this.#keeper.tick();
    if (!this.#keeper.empty) this.#emptySinceMs = null;
    else if (this.#mayBegin(now)) this.#write(0, this.#beginning());
    if (now - this.#lookedMs < lookMs || !this.#keeper.mayChange) return;
    this.#lookedMs = now;
    this.#noteWhatNodesSay();
  }

  #mayBegin(now: number): boolean {
    this.#emptySinceMs ??= now;
    const { founders, identityOf } = this.#parts;
    return now - this.#emptySinceMs > patienceMs || founders.every((node) => identityOf(node) !== null);
  }

  /** What the cluster began with, as its first metadata. */
  #beginning(): MetadataChange {
    const { founders, map, peerAddress, identityOf } = this.#parts;
    const nodes = new Map<NodeId, NodeRecord>();
    for (const node of founders) {
      const { client = '', instance = '' } = identityOf(node) ?? {};
      nodes.set(node, { peer: peerAddress(node), client, instance });
    }
    const shards = new Map<number, ShardRecord>();
    for (const { shard, members, preferred } of map.placements) shards.set(shard, { members, preferred });
    return { nodes, shards, owners: ownersOf(map) };
  }

  /** Other client addresses, data directories of nodes that had not been seen, or that began anew. */
  #noteWhatNodesSay(): void {
    const { current } = this.#keeper;
    if (current === null) return;
    const changed = new Map<NodeId, NodeRecord>();
    for (const [node, record] of current.nodes) {
      const said = this.#parts.identityOf(node);
      if (said !== null && (said.client !== record.client || said.instance !== record.instance))
        changed.set(node, { ...record, client: said.client, instance: said.instance });
    }
    if (changed.size > 0) this.#write(current.epoch, { nodes: changed });
  }

  #write(decidedBy: number, change: MetadataChange): void {
    this.#keeper.change(decidedBy, change);
  }
}
