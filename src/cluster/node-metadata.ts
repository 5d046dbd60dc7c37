import type { MetadataRequest } from '../commands/types.ts';
import type { Membership, NodeId, SlotStep } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { PeerIdentity } from '../peer/types.ts';
import type { NodePlace } from '../shard/leader-notices.ts';
import type { Replica } from '../shard/replica.ts';
import type { ReplicaOptions } from '../shard/replica-context.ts';
import { afterMove, type Move, movesOf, type Spread } from './balance.ts';
import { Balancer, type ToldShard } from './balancer.ts';
import {
  type Metadata,
  type MetadataChange,
  metadataShard,
  type NodeRecord,
  type ShardRecord,
} from './metadata.ts';
import { metadataObject } from './metadata-file.ts';
import { MetadataKeeper } from './metadata-keeper.ts';
import { metadataMembers } from './next-membership.ts';
import {
  addNode,
  addReplica,
  type Decision,
  type LeastCopies,
  moveReplica,
  nodeHasLeft,
  removeNode,
  removeReplica,
  replaceNode,
} from './placement.ts';
import { type ShardMap, slotsAsBegun } from './shard-map.ts';
import { cancelMoves, slotStepDecided, wantElsewhere } from './slot-moves.ts';

/** Its times are so many times those of other shards: nobody waits for its leader, and idle it costs less. */
const slower = 4;
/** A new cluster writes down what it began with when every node was seen, or after so long without some. */
const patienceMs = 5000;
/** It takes next to nothing to write down, and until then keeps log of the other shards from being dropped. */
const mostCheckpointMs = 60_000;
/** More than where a new cluster begins can take to get zones apart. */
const mostFirstMoves = 10_000;
/** What leaders of shards ask for waits for earlier changes; they ask again. */
const mostAsked = 1000;
/** What leaders of shards said before that is not believed any more. */
const outdatedMs = 2000;
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
    checkpointMs: Math.min(options.checkpointMs, mostCheckpointMs),
    maxMemory: 0,
    evictionPolicy: 'noeviction',
  };
}

/** What the cluster began with. */
export interface Beginning {
  readonly nodes: readonly NodeId[];
  readonly map: ShardMap;
}

interface MetadataParts {
  readonly self: NodeId;
  readonly replica: Replica;
  readonly logger: Logger;
  readonly began: Beginning;
  readonly cluster: string;
  /** On how many nodes each shard began. */
  readonly replicas: number;
  /** What this node knew when it last ran. */
  readonly known: Metadata | null;
  /** A silent node is replaced after so long; 0: never. */
  replaceAfterMs(): number;
  /** Where other nodes reach a node, `host:port`. */
  peerAddress(node: NodeId): string;
  clientAddress(node: NodeId): string | null;
  connected(node: NodeId): boolean;
  /** What a node said of itself, this one included; null when it was never seen, or has not said all that it will. */
  identityOf(node: NodeId): (Pick<PeerIdentity, 'instance' | 'client'> & Partial<NodePlace>) | null;
  /** What a shard's leader says of it, null when nobody does. */
  toldOf(shard: number): ToldShard | null;
  /** How many replicas of a shard the settings ask for. */
  leastCopies(): LeastCopies;
  /** The cluster spreads itself when nothing has changed for so long; 0: never. */
  rebalanceAfterMs(): number;
  /** Hears what this node comes to know. */
  adopted(metadata: Metadata): void;
}

/** The metadata shard on this node: what it says, and on its leader what must be written without being asked. */
export class NodeMetadata {
  readonly #parts: MetadataParts;
  readonly #keeper: MetadataKeeper;
  readonly #balancer: Balancer;
  /** Since when this node leads a metadata shard in which nothing was ever written; null while it does not. */
  #emptySinceMs: number | null = null;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** What leaders of shards want of moves, while another change is not committed yet. */
  #asked: SlotStep[] = [];
  /** Since when nodes are silent, as this leader sees it. */
  readonly #silentSinceMs = new Map<NodeId, number>();
  /** Since when nodes are to leave, as this leader sees it. */
  readonly #leavingSinceMs = new Map<NodeId, number>();

  constructor(parts: MetadataParts) {
    this.#parts = parts;
    this.#balancer = new Balancer({
      ...{ logger: parts.logger, afterMs: () => parts.rebalanceAfterMs() },
      ...{ there: (node) => this.#isThere(node), toldOf: (shard) => parts.toldOf(shard) },
    });
    this.#keeper = new MetadataKeeper(parts.replica, parts.known, (metadata) => {
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

  /** Who votes on it, as far as this node knows. */
  get voters(): readonly NodeId[] {
    return this.#parts.replica.core.membership.voters;
  }

  /** Of these, who is in sync as its leader sees it; nobody where it is not led. */
  inSyncVoters(now: number): NodeId[] {
    const { leadership, membership } = this.#parts.replica.core;
    if (leadership === null) return [];
    return membership.voters.filter((node) => {
      const progress = leadership.followers.get(node);
      return node === this.#parts.self || (progress !== undefined && leadership.isInSync(progress, now));
    });
  }

  /** Every node of the cluster. */
  get nodes(): readonly NodeId[] {
    const { current } = this.#keeper;
    if (current === null) return this.#parts.began.nodes;
    return [...current.nodes].filter(([, { state }]) => state !== 'removed').map(([node]) => node);
  }

  /** The map by which clients are routed is made from this; null while nothing was written. */
  get current(): Metadata | null {
    return this.#keeper.current;
  }

  /** For people, and for nodes that are to join. */
  get described(): object {
    const { began, cluster, replicas } = this.#parts;
    const { leader } = this.#keeper;
    const client = leader === null ? null : this.#parts.clientAddress(leader);
    const { current } = this.#keeper;
    return {
      cluster,
      began: { nodes: began.nodes, shards: began.map.placements.length, replicas },
      leader: leader === null ? null : { node: leader, client },
      ...(current === null ? { epoch: 0 } : metadataObject(current)),
      // Only its leader knows what can be moved now.
      ...(current === null || leader !== this.#parts.self
        ? {}
        : { obstacles: this.#balancer.obstacles(current) }),
    };
  }

  record(node: NodeId): NodeRecord | null {
    return this.#keeper.current?.nodes.get(node) ?? null;
  }

  /** True when a node came with another data directory than the one that joined: what it promised may be gone. */
  isStranger(node: NodeId, instance: string): boolean {
    const record = this.record(node);
    if (record === null || this.#parts.began.nodes.includes(node)) return false;
    return record.instance !== instance;
  }

  /** The members that a shard is to have; null when the metadata says nothing of it. */
  wanted(shard: number, has: Membership): Membership | null {
    const { current } = this.#keeper;
    if (current === null) return null;
    if (shard !== metadataShard) {
      const record = current.shards.get(shard);
      return record === undefined ? null : { voters: record.members, learners: [] };
    }
    const inState = (wanted: NodeRecord['state']): NodeId[] =>
      [...current.nodes].filter(([, { state }]) => state === wanted).map(([node]) => node);
    const { voters, learners } = metadataMembers(inState('member'), has.voters, (node) => ({
      zone: current.nodes.get(node)?.zone ?? '',
      reachable: this.#isThere(node),
    }));
    return { voters, learners: [...learners, ...inState('leaving')] };
  }

  /** The epoch that the change makes once it is committed, or an error line. */
  request(request: MetadataRequest): number | string {
    return this.#change(request, (current) => this.#decide(current, request));
  }

  /** Begins with the next moves towards an even spread: which, or an error line. */
  rebalance(): readonly Move[] | string {
    let begun: readonly Move[] = [];
    const epoch = this.#change({ kind: 'spread' }, (current) => {
      const { change, moves } = this.#balancer.step(current);
      begun = moves;
      return { change };
    });
    return typeof epoch === 'string' ? epoch : begun;
  }

  #change(request: object, decide: (current: Metadata) => Decision): number | string {
    const keeper = this.#keeper;
    const { current, leader } = keeper;
    if (leader !== this.#parts.self) {
      const address = leader === null ? null : this.#parts.clientAddress(leader);
      const who =
        leader === null ? 'nobody leads it now' : `${leader}${address === null ? '' : ` at ${address}`} does`;
      return `TRYAGAIN This node does not lead the metadata; ${who}`;
    }
    if (current === null || !keeper.mayChange)
      return 'TRYAGAIN Another change of the metadata is not committed yet';
    const decided = decide(current);
    if ('change' in decided && Object.keys(decided.change).length === 0) return current.epoch;
    if ('refused' in decided) return `ERR ${decided.refused}`;
    if (!keeper.change(current.epoch, decided.change))
      return 'TRYAGAIN The metadata cannot be changed at the moment';
    this.#parts.logger.info({ ...request, epoch: current.epoch + 1 }, 'a change was asked for');
    return current.epoch + 1;
  }

  #decide(metadata: Metadata, request: MetadataRequest): Decision {
    switch (request.kind) {
      case 'addReplica':
        return addReplica(metadata, request.shard, request.node);
      case 'removeReplica':
        return removeReplica(metadata, request.shard, request.node, this.#parts.leastCopies());
      case 'moveReplica':
        return moveReplica(metadata, request.shard, request.from, request.to);
      case 'removeNode':
        return removeNode(metadata, request.node, (node) => this.#isThere(node), this.#parts.leastCopies());
      case 'moveSlots':
        return wantElsewhere(metadata, request.which, request.from, request.to);
      case 'cancelSlots':
        return cancelMoves(metadata, request.from);
      case 'addNode': {
        const { node, peer, client, instance, zone } = request;
        return addNode(metadata, node, { peer, client, instance, state: 'member', zone });
      }
      case 'rebalance':
        return { change: { rebalance: request.on } };
    }
  }

  #isThere(node: NodeId): boolean {
    return node === this.#parts.self || this.#parts.connected(node);
  }

  /** What the leader of a shard wants of a move; it says so again until it is done, or void. */
  asked(step: SlotStep): void {
    if (this.#asked.length < mostAsked) this.#asked.push(step);
    this.#decideAsked();
  }

  #decideAsked(): void {
    while (this.#asked.length > 0) {
      const { current, mayChange } = this.#keeper;
      if (this.leader !== this.#parts.self || current === null) this.#asked = [];
      if (current === null || !mayChange) return;
      const step = this.#asked.shift();
      if (step === undefined) return;
      const decided = slotStepDecided(current, step);
      if ('refused' in decided || !this.#keeper.change(current.epoch, decided.change)) continue;
      const { from, to, began } = step;
      this.#parts.logger.info({ step: step.step, from, to, move: began, epoch: current.epoch + 1 }, 'a move');
    }
  }

  /** Looks whether the state has come further. */
  look(): void {
    this.#keeper.tick();
  }

  /** Called every few milliseconds. */
  tick(now: number): void {
    const keeper = this.#keeper;
    keeper.tick();
    this.#decideAsked();
    if (!keeper.empty) this.#emptySinceMs = null;
    else if (this.#mayBegin(now)) keeper.change(0, this.#beginning());
    if (now - this.#lookedMs < lookMs) return;
    this.#lookedMs = now;
    const { current, mayChange } = keeper;
    if (current === null || !mayChange) {
      this.#silentSinceMs.clear();
      this.#leavingSinceMs.clear();
      this.#balancer.restless();
      return;
    }
    const change =
      this.#whatNodesSay(current) ??
      this.#whoHasLeft(current, now) ??
      this.#whoIsGone(current, now) ??
      this.#balancer.automatic(current, now);
    if (change !== null) keeper.change(current.epoch, change);
  }

  #mayBegin(now: number): boolean {
    this.#emptySinceMs ??= now;
    const { began, identityOf } = this.#parts;
    return now - this.#emptySinceMs > patienceMs || began.nodes.every((node) => identityOf(node) !== null);
  }

  /** What the cluster began with, as its first metadata. */
  #beginning(): MetadataChange {
    const { began, peerAddress, identityOf } = this.#parts;
    const nodes = new Map<NodeId, NodeRecord>();
    for (const node of began.nodes) {
      const { client = '', instance = '', zone = '' } = identityOf(node) ?? {};
      nodes.set(node, { peer: peerAddress(node), client, instance, state: 'member', zone });
    }
    const shards = new Map<number, ShardRecord>();
    for (const { shard, members, preferred } of began.map.placements)
      shards.set(shard, { members, preferred });
    const placed = { nodes, shards: this.#apart({ nodes, shards }) };
    return { ...placed, ...slotsAsBegun(began.map), rebalance: true };
  }

  /** Where the shards begin: as the options say, if that does not put replicas of a shard into one zone without need. */
  #apart(metadata: Spread['metadata']): Metadata['shards'] {
    const isZoned = [...metadata.nodes.values()].some(({ zone }) => zone !== '');
    if (!isZoned) return metadata.shards;
    const everywhere = { there: () => true, settled: () => true };
    return movesOf({ metadata, ...everywhere }, mostFirstMoves).reduce(afterMove, metadata).shards;
  }

  /** Other addresses and zones, and the data directories of nodes that the cluster began with. */
  #whatNodesSay(current: Metadata): MetadataChange | null {
    const nodes = new Map<NodeId, NodeRecord>();
    for (const [node, record] of current.nodes) {
      const said = this.#parts.identityOf(node);
      if (said === null || record.state === 'removed' || this.isStranger(node, said.instance)) continue;
      const { client, instance } = said;
      const { zone = record.zone } = said;
      const peer = this.#freeAddress(current, node, said.peer ?? '') ?? record.peer;
      const news = { ...record, client, instance, zone, peer };
      if (JSON.stringify(news) !== JSON.stringify(record)) nodes.set(node, news);
    }
    return nodes.size === 0 ? null : { nodes };
  }

  /** An address that a node says to have; null when another one has it, or it is none. */
  #freeAddress({ nodes }: Metadata, node: NodeId, peer: string): string | null {
    const isTaken = [...nodes].some(
      ([other, record]) => other !== node && record.state !== 'removed' && record.peer === peer,
    );
    return isTaken || peer === '' ? null : peer;
  }

  /**
   * A leaving node without any replica, and without a vote on the metadata, has left. Only the leader of a shard knows who
   * takes part in it, and only what it has said since then counts.
   */
  #whoHasLeft(current: Metadata, now: number): MetadataChange | null {
    const { toldOf, replica } = this.#parts;
    for (const [node, { state }] of current.nodes) {
      if (state !== 'leaving' || node === this.#parts.self) continue;
      const sinceMs = this.#leavingSinceMs.get(node) ?? now;
      this.#leavingSinceMs.set(node, sinceMs);
      if (now - sinceMs < outdatedMs || replica.core.membership.voters.includes(node)) continue;
      const isNowhere = [...current.shards.keys()].every(
        (shard) => toldOf(shard)?.members.includes(node) === false,
      );
      if (isNowhere) return nodeHasLeft(current, node);
    }
    return null;
  }

  /** A node that is silent for too long is replaced where there is room. */
  #whoIsGone(current: Metadata, now: number): MetadataChange | null {
    const afterMs = this.#parts.replaceAfterMs();
    for (const [node, { state }] of current.nodes) {
      if (state === 'removed' || this.#isThere(node)) {
        this.#silentSinceMs.delete(node);
        continue;
      }
      const sinceMs = this.#silentSinceMs.get(node) ?? now;
      this.#silentSinceMs.set(node, sinceMs);
      if (afterMs === 0 || now - sinceMs < afterMs) continue;
      const change = replaceNode(current, node, (other) => this.#isThere(other));
      if (change === null) continue;
      this.#parts.logger.warn({ node, afterMs }, 'a node is gone for too long: others get its replicas');
      return change;
    }
    return null;
  }
}
