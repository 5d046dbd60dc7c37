import type { Membership, NodeId } from '../core/types.ts';
import type { Clock } from '../env/clock.ts';
import type { Logger } from '../env/logger.ts';
import { step, type Task } from '../env/task.ts';
import type { NodeLog, RecoveredShard } from '../log/types.ts';
import type { PeerIdentity, PeerNetwork } from '../peer/types.ts';
import { ledShardOf, type NodePlace } from '../shard/leader-notices.ts';
import type { Replica } from '../shard/replica.ts';
import type { ReplicaOptions } from '../shard/replica-context.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import type { ToldShard } from './balancer.ts';
import { type Metadata, metadataShard, shardMapOf } from './metadata.ts';
import { metadataMembers } from './next-membership.ts';
import { type Beginning, metadataOptions, NodeMetadata } from './node-metadata.ts';
import { OwnReplicas } from './own-replicas.ts';
import type { LeastCopies } from './placement.ts';
import { Reconciler } from './reconciler.ts';
import type { ShardMap } from './shard-map.ts';
import { SlotMovers } from './slot-movers.ts';

/** How often a node looks whether it is to have other replicas. */
const followMs = 100;

interface NodeShardsParts {
  readonly self: NodeId;
  readonly cluster: string;
  /** The data directory, for messages. */
  readonly dir: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly host: ShardHost;
  readonly peers: Pick<PeerNetwork, 'connected' | 'identityOf' | 'send'>;
  readonly log: NodeLog;
  readonly options: ReplicaOptions;
  readonly priority: number;
  readonly began: Beginning;
  /** On how many nodes each shard began. */
  readonly replicas: number;
  /** What the log has of each shard. */
  readonly recovered: readonly RecoveredShard[];
  /** Something may be gone that this node had promised. */
  readonly incomplete: boolean;
  /** False in a data directory of a version without the metadata shard: it has promised nothing of that. */
  readonly mayHaveMetadata: boolean;
  /** The metadata as this node last knew it. */
  readonly known: Metadata | null;
  /** What this node says of itself. */
  identity(): Pick<PeerIdentity, 'instance' | 'client'> & NodePlace;
  /** Where another node says to be; null while it has said nothing. */
  placeOf(node: NodeId): NodePlace | null;
  /** How many replicas of a shard the settings ask for. */
  leastCopies(): LeastCopies;
  /** The cluster spreads itself when nothing has changed for so long; 0: never. */
  rebalanceAfterMs(): number;
  replaceAfterMs(): number;
  /** Bytes per second that a shard sends at most while slots of it are copied. */
  moveBytesPerSecond(): number;
  peerAddress(node: NodeId): string;
  clientAddress(node: NodeId): string | null;
  /** This node is about to promise something of the metadata: remembered durably. */
  metadataPromised(): void;
  /** Hears what this node comes to know. */
  adopted(metadata: Metadata): void;
  /** Called now and then: the nodes of the cluster may be others than before. */
  companyMayHaveChanged(): void;
  /** The process must end. */
  fatal(error: Error): void;
}

/** What one node knows of the cluster, and the replicas that it has by that: the metadata's and its own. */
export class NodeShards {
  readonly #parts: NodeShardsParts;
  readonly #replicas: OwnReplicas;
  readonly #reconciler: Reconciler;
  readonly #movers: SlotMovers;
  #map: ShardMap;
  #metadata!: NodeMetadata;
  #followedMs = 0;

  constructor(parts: NodeShardsParts) {
    const { self, dir, host, logger, began, recovered, incomplete, priority, known } = parts;
    this.#parts = parts;
    this.#map = known === null ? began.map : shardMapOf(known);
    this.#replicas = new OwnReplicas({
      ...{ self, dir, priority, host, logger, began: began.map, incomplete, recovered },
      others: () => this.#metadata.nodes.filter((node) => node !== self),
      fatal: (error) => parts.fatal(error),
    });
    this.#reconciler = new Reconciler({
      ...{ self, logger },
      replicas: () => host.held.all,
      wanted: (shard, has) => this.#metadata.wanted(shard, has),
    });
    this.#movers = new SlotMovers({
      ...{ self, logger, host, log: parts.log, peers: parts.peers },
      metadata: () => this.#metadata.current,
      metadataLeader: () => this.#metadata.leader,
      metadataAsked: (step) => this.#metadata.asked(step),
      bytesPerSecond: () => parts.moveBytesPerSecond(),
    });
  }

  get movers(): SlotMovers {
    return this.#movers;
  }

  /** The move that brought a slot to its owner, by the epoch that began it; 0 when none did. */
  sinceOf(slot: number): number {
    return this.#metadata?.current?.since[slot] ?? 0;
  }

  /** Of the metadata that this node goes by; 0 while it knows none. */
  get epoch(): number {
    return this.#metadata?.current?.epoch ?? 0;
  }

  /** By which clients are routed. */
  get map(): ShardMap {
    return this.#map;
  }

  get metadata(): NodeMetadata {
    return this.#metadata;
  }

  /** Whom this node talks to: the cluster, and those who have left it as long as they are there to send clients on. */
  get company(): readonly NodeId[] {
    const left = [...(this.#metadata.current?.nodes ?? [])].filter(
      ([node, { state }]) => state === 'removed' && this.#parts.peers.connected(node),
    );
    return [...this.#metadata.nodes, ...left.map(([node]) => node)];
  }

  /** Throws what keeps the node from serving. */
  *open(): Task<void> {
    const { logger, began, known, cluster, self, replicas } = this.#parts;
    const replica = yield* this.#openMetadataShard();
    this.#metadata = new NodeMetadata({
      ...{ self, cluster, replicas, replica, logger, began, known },
      replaceAfterMs: () => this.#parts.replaceAfterMs(),
      peerAddress: (node) => this.#parts.peerAddress(node),
      clientAddress: (node) => this.#parts.clientAddress(node),
      connected: (node) => this.#parts.peers.connected(node),
      identityOf: (node) => (node === self ? this.#parts.identity() : this.#saidOf(node)),
      toldOf: (shard) => this.#toldOf(shard),
      leastCopies: () => this.#parts.leastCopies(),
      rebalanceAfterMs: () => this.#parts.rebalanceAfterMs(),
      adopted: (metadata) => {
        this.#map = shardMapOf(metadata);
        this.#parts.adopted(metadata);
        this.#movers.tick(this.#parts.clock.monotonicMs());
        this.#parts.host.slotsChanged();
      },
    });
    // What lies in a checkpoint may be newer than what was saved beside it.
    this.#metadata.look();
    yield* this.#replicas.openAll(this.#map, this.#metadata.current);
    this.#parts.host.slotPeer = this.#movers;
  }

  *#openMetadataShard(): Task<Replica> {
    const { began, recovered: all, incomplete, mayHaveMetadata, host, clock } = this.#parts;
    const shard = metadataShard;
    const recovered = all.find((one) => one.shard === shard) ?? null;
    const initial: Membership = metadataMembers(began.nodes);
    const forgotten = recovered === null && incomplete && mayHaveMetadata;
    if (forgotten) this.#replicas.forgotten(shard, initial);
    if (recovered?.damage) this.#replicas.damaged(recovered);
    const own = {
      options: metadataOptions(this.#parts.options),
      noLongerFresh: () => this.#parts.metadataPromised(),
    };
    const start = { shard, recovered, initial, incomplete: forgotten };
    const replica = yield* step<Replica>((done) => host.held.openHidden(start, own, done));
    if (!mayHaveMetadata) replica.confirmFresh(clock.monotonicMs());
    return replica;
  }

  /** Null until a node has said all that it will say of itself. */
  #saidOf(node: NodeId): (PeerIdentity & Partial<NodePlace>) | null {
    const identity = this.#parts.peers.identityOf(node);
    const place = this.#parts.placeOf(node);
    if (identity === null || (place === null && identity.hearsNodes === true)) return null;
    return { ...identity, ...place };
  }

  /** What the leader of a shard says of it, this node included. */
  #toldOf(shard: number): ToldShard | null {
    const { host, self } = this.#parts;
    const held = host.replicas.get(shard);
    if (held?.serving === true) return { ...ledShardOf(held, host.now()), leader: self };
    return host.directory.toldOf(shard, host.now());
  }

  /** Called every few milliseconds. */
  tick(now: number): void {
    this.#metadata.tick(now);
    this.#reconciler.tick(now);
    this.#movers.tick(now);
    if (now - this.#followedMs < followMs || this.#metadata.current === null) return;
    this.#followedMs = now;
    this.#replicas.follow(this.#map);
    this.#parts.companyMayHaveChanged();
  }
}
