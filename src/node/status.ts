import type { NodeMetadata } from '../cluster/node-metadata.ts';
import type { SlotMovers } from '../cluster/slot-movers.ts';
import { nodeClock } from '../env/node-clock.ts';
import type { NodeLog } from '../log/types.ts';
import type { TcpPeerNetwork } from '../peer/tcp-network.ts';
import type { ClientListener } from '../server/client-listener.ts';
import type { MetadataStatus, NodeStatus, ShardStatus } from '../server/status-types.ts';
import { ownLag } from '../shard/lag.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import { version } from '../version.ts';
import type { NodeConfig } from './config.ts';
import type { LoadMeter } from './load-meter.ts';
import { provenAgeMs, rounded, type Topology } from './topology.ts';

/** What is known from the start. */
interface OwnParts {
  readonly config: NodeConfig;
  readonly startedMs: number;
  readonly ownAddress: string;
  readonly meter: LoadMeter;
}

interface StatusParts extends OwnParts {
  readonly host: ShardHost;
  readonly topology: Topology;
  readonly metadata: NodeMetadata;
  readonly movers: SlotMovers;
  /** How many slots a shard owns. */
  slotsOf(shard: number): number;
  readonly listener: ClientListener;
  readonly log: NodeLog;
  readonly peers: TcpPeerNetwork;
  readonly draining: boolean;
}

function ownStatus({ config, startedMs, ownAddress, meter }: OwnParts) {
  const { system, user } = process.cpuUsage();
  return {
    node: config.id,
    cluster: config.cluster,
    version,
    pid: process.pid,
    uptimeSeconds: Math.floor((nodeClock.monotonicMs() - startedMs) / 1000),
    client: ownAddress,
    zone: config.zone,
    process: {
      cpuMs: Math.round((system + user) / 1000),
      rssBytes: process.memoryUsage.rss(),
      turnMsMax: Math.round(meter.delayMaxMs),
      commandsPerSecond: meter.commandsPerSecond,
    },
  };
}

/** The same while the node reads its data: nothing but itself. */
export function startingStatus(parts: OwnParts): NodeStatus {
  return {
    ...ownStatus(parts),
    draining: false,
    metadata: { epoch: 0, leader: null, nodes: [], voters: [], inSync: [] },
    shards: [],
    log: {
      segments: 0,
      bytes: 0,
      flushes: 0,
      bytesWritten: 0,
      flushMsTotal: 0,
      flushMsMax: 0,
      stalledMs: 0,
      latched: false,
      spaceShort: false,
    },
    peers: [],
    clients: { connected: 0, accepted: 0, rejected: 0, parked: 0 },
    commands: { total: 0, errors: 0 },
  };
}

/** Everything that the status page, the metrics and the command line show of this node. */
export function nodeStatus(parts: StatusParts): NodeStatus {
  const { host, listener, log, peers } = parts;
  const now = host.now();
  return {
    ...ownStatus(parts),
    draining: parts.draining,
    metadata: metadataStatus(parts.metadata, now),
    shards: [...host.replicas.values()].map((replica) => shardStatus(replica, parts, now)),
    log: {
      segments: log.stats.segments,
      bytes: log.stats.logBytes,
      flushes: log.stats.flushes,
      bytesWritten: log.stats.bytesWritten,
      flushMsTotal: Math.round(log.stats.flushMsTotal),
      flushMsMax: Math.round(log.stats.flushMsMax * 10) / 10,
      stalledMs: Math.round(log.stalledMs()),
      latched: log.stats.latched,
      spaceShort: log.stats.spaceShort,
    },
    peers: peers.status().map(({ node, connected }) => ({ node, connected })),
    clients: {
      connected: listener.connections.size,
      accepted: listener.counters.accepted,
      rejected: listener.counters.rejected,
      parked: host.parkedNow,
    },
    commands: { total: host.stats.commands, errors: host.stats.errors },
  };
}

function metadataStatus(metadata: NodeMetadata, now: number): MetadataStatus {
  const { epoch, leader, nodes, voters } = metadata;
  return { epoch, leader, nodes, voters, inSync: metadata.inSyncVoters(now) };
}

function shardStatus(replica: Replica, parts: StatusParts, now: number): ShardStatus {
  const { config, topology, log } = parts;
  const { core, keyspace, checkpointer, shard } = replica;
  const leads = core.role === 'leader';
  const manifest = checkpointer.latestManifest;
  return {
    shard,
    role: core.role,
    leader: core.leader,
    term: core.term,
    serving: replica.serving,
    doubt: core.doubt === null ? null : doubtText(core.doubt.mayHaveAcknowledged?.lsn ?? null),
    voters: core.membership.voters,
    learners: core.membership.learners,
    rebuilding: replica.rebuilding,
    firstLsn: log.firstLsn(shard),
    lastLsn: replica.lastLsn,
    flushed: core.flushed,
    commit: core.commit,
    applied: keyspace.appliedLsn,
    keys: keyspace.size,
    memoryBytes: keyspace.memoryBytes,
    memoryLimit: config.maxmemory,
    evicted: replica.evictor.evicted,
    leaderSilenceMs: leads ? 0 : Math.round(now - core.following.heardMs),
    lag: rounded(ownLag(core, now)),
    provenAgeMs: provenAgeMs(replica, now),
    checkpoint:
      manifest === null ? null : { lsn: manifest.lsn, digest: manifest.digest, keys: manifest.keys },
    slots: parts.slotsOf(shard),
    giving: parts.movers.progressOf(shard, now),
    movedBytes: parts.movers.sentOf(shard),
    gatesWaiting: replica.gates.waiting,
    neededInSync: Math.max(core.majority, config['min-in-sync']),
    elections: replica.elections,
    lostEntries: replica.lostEntries,
    checkpoints: checkpointer.finished,
    followers: topology.followersOf(replica, now).map(({ node, view }) => ({ node, ...view })),
  };
}

function doubtText(lsn: number | null): string {
  if (lsn === null)
    return 'it may have forgotten what it promised: it votes again once a leader has brought it up to date';
  return `it may have acknowledged up to LSN ${lsn} and lacks some of that: it leads again once its peers have repaired it`;
}
