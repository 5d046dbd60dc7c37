import { createHash } from 'node:crypto';
import type { ShardMap } from '../cluster/shard-map.ts';
import type { FollowerView, ReplicationView, TopologyNode, TopologyShard } from '../commands/types.ts';
import type { NodeId } from '../core/types.ts';
import type { NodeLog } from '../log/types.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost } from '../shard/shard-host.ts';

/** 40 hexadecimal characters that stand for a node or shard wherever Redis shows one. */
function clusterId(cluster: string, what: string): string {
  return createHash('sha1').update(`${cluster}/${what}`).digest('hex');
}

export interface TopologySource {
  readonly cluster: string;
  readonly self: NodeId;
  readonly host: ShardHost;
  readonly peers: PeerNetwork;
  readonly log: NodeLog;
  readonly map: ShardMap;
  /** Where clients reach a node, `host:port`; null while that is not known. */
  clientAddress(node: NodeId): string | null;
  /** 0 when it is not known. */
  peerPort(node: NodeId): number;
}

/** What the node knows of the cluster, in the form in which commands ask for it. */
export class Topology {
  readonly #source: TopologySource;
  readonly #cluster: string;
  readonly #self: NodeId;
  readonly #host: ShardHost;
  readonly #peers: PeerNetwork;
  readonly #log: NodeLog;

  constructor(source: TopologySource) {
    this.#source = source;
    this.#cluster = source.cluster;
    this.#self = source.self;
    this.#host = source.host;
    this.#peers = source.peers;
    this.#log = source.log;
  }

  /** A node whose client address is not known is left out of every answer. */
  #node(node: NodeId, offset: number): TopologyNode | null {
    const address = this.#source.clientAddress(node);
    if (address === null) return null;
    const colon = address.lastIndexOf(':');
    const self = node === this.#self;
    return {
      id: clusterId(this.#cluster, node),
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      peerPort: this.#source.peerPort(node),
      self,
      healthy: self || this.#peers.connected(node),
      offset,
    };
  }

  shards(): TopologyShard[] {
    return [...this.#host.replicas.values()].map((replica) => {
      const { core } = replica;
      const known =
        core.leader === this.#self
          ? replica.serving
          : core.leader !== null && this.#peers.connected(core.leader);
      const leader = known ? this.#node(core.leader as NodeId, core.commit) : null;
      const others = [...core.membership.voters, ...core.membership.learners].filter(
        (node) => node !== core.leader || !known,
      );
      return {
        id: clusterId(this.#cluster, `shard ${replica.shard}`),
        shard: replica.shard,
        slots: this.#source.map.slotsOf(replica.shard),
        leader,
        followers: others.flatMap(
          (node) => this.#node(node, core.leadership?.followers.get(node)?.applied ?? core.commit) ?? [],
        ),
        term: core.term,
      };
    });
  }

  nodes(): TopologyNode[] {
    const seen = new Map<string, TopologyNode>();
    for (const shard of this.shards())
      for (const node of [shard.leader, ...shard.followers]) if (node !== null) seen.set(node.id, node);
    return [...seen.values()];
  }

  replication(now: number): ReplicationView[] {
    return [...this.#host.replicas.values()].map((replica) => this.#view(replica, now));
  }

  #view(replica: Replica, now: number): ReplicationView {
    const { core, shard } = replica;
    const leads = core.role === 'leader';
    return {
      shard,
      role: core.role,
      term: core.term,
      lastLsn: replica.lastLsn,
      flushed: core.flushed,
      commit: core.commit,
      applied: replica.keyspace.appliedLsn,
      leader: core.leader === null ? null : this.#node(core.leader, core.commit),
      leaderSilenceMs: leads
        ? 0
        : core.leader === null
          ? Math.round(now - core.following.heardMs)
          : Math.max(0, Math.round(now - core.following.heardMs)),
      firstLsn: this.#log.firstLsn(shard),
      logBytes: this.#log.bytesFrom(shard, 0),
      followers: leads
        ? this.followersOf(replica, now).flatMap(({ node, view }) =>
            this.#node(node, view.applied) === null
              ? []
              : [{ ...view, node: this.#node(node, view.applied) as TopologyNode }],
          )
        : [],
      loading: replica.rebuilding,
    };
  }

  /** What this leader knows of its followers; lag in ms counts from when the follower last had everything. */
  followersOf(replica: Replica, now: number): { node: NodeId; view: Omit<FollowerView, 'node'> }[] {
    const { core, shard } = replica;
    const { leadership } = core;
    if (leadership === null) return [];
    return [...leadership.followers].map(([node, progress]) => {
      const lagEntries = Math.max(core.lastLsn - progress.flushed, 0);
      const lagMs =
        progress.caughtUpMs === Number.NEGATIVE_INFINITY
          ? -1
          : lagEntries === 0 && now - progress.heardMs < 1000
            ? 0
            : Math.round(now - progress.caughtUpMs);
      const inSync = leadership.isInSync(progress, now);
      let why = '';
      if (!inSync) {
        if (!this.#peers.connected(node)) why = 'not connected';
        else if (progress.state === 'snapshot') why = 'receiving a snapshot';
        else if (now - progress.heardMs > 1000) why = 'connected but silent';
        else why = `${lagEntries} entries behind`;
      }
      return {
        node,
        view: {
          received: progress.received,
          flushed: progress.flushed,
          applied: progress.applied,
          lagEntries,
          lagBytes: lagEntries === 0 ? 0 : this.#log.bytesFrom(shard, progress.flushed + 1),
          lagMs,
          inSync,
          why,
        },
      };
    });
  }
}
