import { createHash } from 'node:crypto';
import type { ShardMap, ShardPlacement } from '../cluster/shard-map.ts';
import type {
  FollowerView,
  LagByStage,
  LagView,
  ReplicationView,
  TopologyNode,
  TopologyShard,
} from '../commands/types.ts';
import { isVoter } from '../core/membership.ts';
import type { NodeId } from '../core/types.ts';
import type { NodeLog } from '../log/types.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { FallOff } from '../shard/fall-off.ts';
import { lagOfFollower, leastBoundMs, ownLag } from '../shard/lag.ts';
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
  /** The map in force. */
  map(): ShardMap;
  /** Every node of the cluster. */
  nodes(): Iterable<NodeId>;
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
      lagging: false,
      offset,
    };
  }

  shards(): TopologyShard[] {
    return this.#source.map().placements.map((placement) => {
      const { shard, slots } = placement;
      const replica = this.#host.replicas.get(shard);
      const takesPart = replica !== undefined && !replica.core.isOutside;
      const about = takesPart ? this.#held(replica) : this.#distant(placement);
      return { id: clusterId(this.#cluster, `shard ${shard}`), shard, slots, ...about };
    });
  }

  /** A shard that this node has a replica of. */
  #held(replica: Replica): Pick<TopologyShard, 'leader' | 'followers' | 'term'> {
    const { core } = replica;
    const known =
      core.leader === this.#self
        ? replica.serving
        : core.leader !== null && this.#peers.connected(core.leader);
    const others = [...core.membership.voters, ...core.membership.learners].filter(
      (node) => node !== core.leader || !known,
    );
    return {
      leader: known ? this.#node(core.leader as NodeId, core.commit) : null,
      followers: others.flatMap((node) => {
        const told = this.#node(node, core.leadership?.followers.get(node)?.applied ?? core.commit);
        return told === null ? [] : { ...told, lagging: known && replica.laggards.includes(node) };
      }),
      term: core.term,
    };
  }

  /** A shard of which this node knows what its leader tells. */
  #distant({ shard, members }: ShardPlacement): Pick<TopologyShard, 'leader' | 'followers' | 'term'> {
    const { directory } = this.#host;
    const heard = directory.leaderOf(shard, this.#host.now());
    const leader = heard !== null && this.#peers.connected(heard) ? heard : null;
    const others = (directory.membersOf(shard) ?? members).filter((node) => node !== leader);
    return {
      leader: leader === null ? null : this.#node(leader, 0),
      followers: others.flatMap((node) => this.#node(node, 0) ?? []),
      term: directory.termOf(shard),
    };
  }

  /** Those with shards first, which are known with how far they are. */
  nodes(): TopologyNode[] {
    const seen = new Map<string, TopologyNode>();
    for (const shard of this.shards())
      for (const node of [shard.leader, ...shard.followers]) if (node !== null) seen.set(node.id, node);
    for (const id of this.#source.nodes()) {
      const node = this.#node(id, 0);
      if (node !== null && !seen.has(node.id)) seen.set(node.id, node);
    }
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
      leaderSilenceMs: leads ? 0 : Math.max(0, Math.round(now - core.following.heardMs)),
      lag: rounded(ownLag(core, now)),
      provenAgeMs: provenAgeMs(replica, now),
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

  /** What this leader knows of its followers. */
  followersOf(replica: Replica, now: number): { node: NodeId; view: Omit<FollowerView, 'node'> }[] {
    const { core } = replica;
    const { leadership } = core;
    if (leadership === null) return [];
    return [...leadership.followers].map(([node, progress]) => {
      const lag = rounded(lagOfFollower(core, leadership, progress, now));
      const silenceMs = Math.round(now - Math.max(progress.heardMs, leadership.startedMs));
      const inSync = leadership.isInSync(progress, now);
      let why = '';
      if (!inSync) {
        if (!this.#peers.connected(node)) why = 'not connected';
        else if (progress.state === 'snapshot') why = 'receiving a snapshot';
        else if (silenceMs > 1000) why = 'connected but silent';
        else why = `${lag.flushed.entries} entries behind`;
      }
      return {
        node,
        view: {
          received: progress.received,
          flushed: progress.flushed,
          applied: progress.applied,
          lag,
          silenceMs,
          boundMs: Math.round(leastBoundMs(lag, progress)),
          listed: !replica.laggards.includes(node),
          ...fallOffView(replica.fallOff.of(node, progress)),
          votes: isVoter(core.membership, node),
          inSync,
          why,
        },
      };
    });
  }
}

/** Times in whole milliseconds. */
export function rounded({ received, flushed, applied }: LagByStage): LagByStage {
  const whole = (lag: LagView): LagView => ({ ...lag, ms: Math.round(lag.ms) });
  return { received: whole(received), flushed: whole(flushed), applied: whole(applied) };
}

function fallOffView(fallOff: FallOff | null): Pick<FollowerView, 'fallOffBytes' | 'fallOffMs'> {
  const ms = fallOff?.ms ?? Number.POSITIVE_INFINITY;
  return {
    fallOffBytes: fallOff?.bytes ?? -1,
    fallOffMs: ms === Number.POSITIVE_INFINITY ? -1 : Math.round(ms),
  };
}

/** How old the state of a replica may be at most, by what its leader vouched for; -1 when nothing was. */
export function provenAgeMs(replica: Replica, now: number): number {
  if (replica.core.leadership !== null) return 0;
  const { provenMs } = replica.reads;
  return provenMs === Number.NEGATIVE_INFINITY ? -1 : Math.round(now - provenMs);
}
