import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LagView } from '../commands/types.ts';
import type { NodeStatus } from './status-types.ts';

type Rows = readonly (readonly [labels: Record<string, string>, value: number])[];

/** Every metric: name, help, and its rows from the node's status. */
export const metrics: readonly (readonly [name: string, help: string, rows: (status: NodeStatus) => Rows])[] =
  [
    [
      'bellwether_leader',
      '1 when this node leads the shard',
      perShard((shard) => (shard.role === 'leader' ? 1 : 0)),
    ],
    [
      'bellwether_serving',
      '1 when this node leads the shard and executes commands',
      perShard((shard) => (shard.serving ? 1 : 0)),
    ],
    ['bellwether_term', 'Term of the shard', perShard((shard) => shard.term)],
    ['bellwether_last_lsn', 'Last LSN of the log on this node', perShard((shard) => shard.lastLsn)],
    ['bellwether_first_lsn', 'First LSN that the log still holds', perShard((shard) => shard.firstLsn)],
    ['bellwether_flushed_lsn', 'Last LSN that is durable on this node', perShard((shard) => shard.flushed)],
    ['bellwether_commit_lsn', 'Last LSN known to be committed', perShard((shard) => shard.commit)],
    ['bellwether_applied_lsn', 'Last LSN in the state of this node', perShard((shard) => shard.applied)],
    ['bellwether_keys', 'Keys in the shard', perShard((shard) => shard.keys)],
    ['bellwether_state_bytes', 'Estimated bytes of keys and values', perShard((shard) => shard.memoryBytes)],
    [
      'bellwether_state_bytes_limit',
      'Most bytes of keys and values; 0: no limit',
      perShard((shard) => shard.memoryLimit),
    ],
    [
      'bellwether_evicted_keys_total',
      'Keys evicted by this node for want of memory, since its start',
      perShard((shard) => shard.evicted),
    ],
    [
      'bellwether_leader_silence_ms',
      'Milliseconds since the leader was last heard; -1 when none is known',
      perShard((shard) => shard.leaderSilenceMs),
    ],
    [
      'bellwether_lag_entries',
      "Entries of the leader's log, as far as heard of, that this replica lacks; 0 on the leader",
      perStage(({ entries }) => entries),
    ],
    [
      'bellwether_lag_bytes',
      "Bytes of the leader's log, as far as heard of, that this replica lacks; 0 on the leader",
      perStage(({ bytes }) => bytes),
    ],
    [
      'bellwether_lag_ms',
      'Milliseconds since this replica lacked nothing, as far as it knows; grows while the leader is silent; 0 on the leader',
      perStage(({ ms }) => ms),
    ],
    [
      'bellwether_proven_age_ms',
      'Milliseconds that the state of this replica may be old, as far as it can prove; 0 on the leader, -1 when unknown',
      perShard((shard) => shard.provenAgeMs),
    ],
    ['bellwether_slots', 'Slots that the shard owns, as this node knows', perShard((shard) => shard.slots)],
    [
      'bellwether_slots_to_give',
      'Slots that are to go to other shards and have not gone yet, on the leader of the shard that has them',
      perShard((shard) => shard.giving?.slotsLeft ?? 0),
    ],
    [
      'bellwether_slots_frozen',
      '1 on the leader of a shard some of whose slots wait for the decision of their move',
      perShard((shard) => (shard.giving?.frozen === true ? 1 : 0)),
    ],
    [
      'bellwether_slot_bytes_sent_total',
      'Bytes of moving slots that this node has sent as the leader of the shard, since it leads it',
      perShard((shard) => shard.movedBytes),
    ],
    [
      'bellwether_gates_waiting',
      'Connections whose next reply waits for a position',
      perShard((shard) => shard.gatesWaiting),
    ],
    [
      'bellwether_elections_won',
      'Times that this node became leader since its start',
      perShard((shard) => shard.elections),
    ],
    [
      'bellwether_lost_entries',
      'Entries cut from this log although executed, since its start',
      perShard((shard) => shard.lostEntries),
    ],
    [
      'bellwether_checkpoints',
      'Checkpoints finished since the start',
      perShard((shard) => shard.checkpoints),
    ],
    [
      'bellwether_follower_received_lsn',
      'Last LSN that arrived at the follower',
      perFollower((follower) => follower.received),
    ],
    [
      'bellwether_follower_flushed_lsn',
      'Last LSN durable at the follower',
      perFollower((follower) => follower.flushed),
    ],
    [
      'bellwether_follower_applied_lsn',
      'Last LSN applied at the follower',
      perFollower((follower) => follower.applied),
    ],
    [
      'bellwether_follower_lag_entries',
      "Entries of the leader's log that the follower lacks, as the leader knows",
      perFollowerStage(({ entries }) => entries),
    ],
    [
      'bellwether_follower_lag_bytes',
      "Bytes of the leader's log that the follower lacks, as the leader knows",
      perFollowerStage(({ bytes }) => bytes),
    ],
    [
      'bellwether_follower_lag_ms',
      'Milliseconds since the follower lacked nothing, as the leader knows; grows while the follower is silent',
      perFollowerStage(({ ms }) => ms),
    ],
    [
      'bellwether_follower_silence_ms',
      'Milliseconds since the follower was last heard',
      perFollower((follower) => follower.silenceMs),
    ],
    [
      'bellwether_follower_bound_ms',
      'The least bound within which the follower can be expected to serve reads',
      perFollower((follower) => follower.boundMs),
    ],
    [
      'bellwether_follower_listed',
      '0 when the follower lags too far for clients to be told to read from it',
      perFollower((follower) => (follower.listed ? 1 : 0)),
    ],
    [
      'bellwether_follower_fall_off_bytes',
      'Bytes that may be written before log that the follower needs is dropped; -1 when it lacks nothing',
      perFollower((follower) => follower.fallOffBytes),
    ],
    [
      'bellwether_follower_fall_off_ms',
      'Milliseconds until then at the present rates; -1 when it does not come to that',
      perFollower((follower) => follower.fallOffMs),
    ],
    [
      'bellwether_follower_in_sync',
      '1 when the follower is in sync',
      perFollower((follower) => (follower.inSync ? 1 : 0)),
    ],
    [
      'bellwether_node_info',
      'Always 1: the node with its zone and version',
      ({ node, zone, version }) => [[{ node, zone, version }, 1]],
    ],
    [
      'bellwether_draining',
      '1 while this node moves leadership away and takes none',
      ({ draining }) => [[{}, draining ? 1 : 0]],
    ],
    [
      'bellwether_metadata_epoch',
      'Changes of nodes, shards and slots that this node knows to be committed; 0 before the first',
      ({ metadata }) => [[{}, metadata.epoch]],
    ],
    [
      'bellwether_needed_in_sync',
      'Replicas that must be in sync, with the leader, for writes',
      perShard((shard) => shard.neededInSync),
    ],
    ['bellwether_log_segments', 'Segment files', ({ log }) => [[{}, log.segments]]],
    ['bellwether_log_bytes', 'Bytes of log on disk', ({ log }) => [[{}, log.bytes]]],
    ['bellwether_log_flushes_total', 'Durable writes since the start', ({ log }) => [[{}, log.flushes]]],
    [
      'bellwether_log_written_bytes_total',
      'Bytes written durably since the start',
      ({ log }) => [[{}, log.bytesWritten]],
    ],
    [
      'bellwether_log_flush_ms_total',
      'Milliseconds spent in durable writes since the start',
      ({ log }) => [[{}, log.flushMsTotal]],
    ],
    [
      'bellwether_log_flush_ms_max',
      'Longest durable write since the start, ms',
      ({ log }) => [[{}, log.flushMsMax]],
    ],
    [
      'bellwether_log_stalled_ms',
      'Milliseconds that the durable write in flight has taken',
      ({ log }) => [[{}, log.stalledMs]],
    ],
    [
      'bellwether_log_latched',
      '1 when a write failed and nothing more is acknowledged',
      ({ log }) => [[{}, log.latched ? 1 : 0]],
    ],
    [
      'bellwether_log_space_short',
      '1 when writes are refused for want of disk space',
      ({ log }) => [[{}, log.spaceShort ? 1 : 0]],
    ],
    [
      'bellwether_peer_connected',
      '1 while the link to the peer stands',
      ({ peers }) => peers.map(({ node, connected }) => [{ peer: node }, connected ? 1 : 0]),
    ],
    ['bellwether_clients', 'Connected clients', ({ clients }) => [[{}, clients.connected]]],
    ['bellwether_clients_parked', 'Clients that wait for a leader', ({ clients }) => [[{}, clients.parked]]],
    [
      'bellwether_clients_accepted_total',
      'Clients accepted since the start',
      ({ clients }) => [[{}, clients.accepted]],
    ],
    [
      'bellwether_clients_rejected_total',
      'Clients rejected since the start',
      ({ clients }) => [[{}, clients.rejected]],
    ],
    [
      'bellwether_commands_total',
      'Commands received since the start',
      ({ commands }) => [[{}, commands.total]],
    ],
    [
      'bellwether_command_errors_total',
      'Commands refused before they ran, since the start',
      ({ commands }) => [[{}, commands.errors]],
    ],
  ];

function perShard(value: (shard: NodeStatus['shards'][number]) => number): (status: NodeStatus) => Rows {
  return ({ shards }) => shards.map((shard) => [{ shard: String(shard.shard) }, value(shard)]);
}

function perFollower(
  value: (follower: NodeStatus['shards'][number]['followers'][number]) => number,
): (status: NodeStatus) => Rows {
  return ({ shards }) =>
    shards.flatMap((shard) =>
      shard.followers.map(
        (follower) => [{ shard: String(shard.shard), follower: follower.node }, value(follower)] as const,
      ),
    );
}

const stages = ['received', 'flushed', 'applied'] as const;

function perStage(value: (lag: LagView) => number): (status: NodeStatus) => Rows {
  return ({ shards }) =>
    shards.flatMap(({ shard, lag }) =>
      stages.map((stage) => [{ shard: String(shard), stage }, value(lag[stage])] as const),
    );
}

function perFollowerStage(value: (lag: LagView) => number): (status: NodeStatus) => Rows {
  return ({ shards }) =>
    shards.flatMap(({ shard, followers }) =>
      followers.flatMap(({ node, lag }) =>
        stages.map((stage) => [{ shard: String(shard), follower: node, stage }, value(lag[stage])] as const),
      ),
    );
}

/** A registry whose values are collected when it is asked, so that nothing is counted twice on the hot path. */
export function createRegistry(status: () => NodeStatus): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  let current: NodeStatus | null = null;
  for (const [name, help, rows] of metrics) {
    new Gauge({
      name,
      help,
      labelNames: labelsOf(name),
      registers: [registry],
      collect() {
        this.reset();
        current ??= status();
        for (const [labels, value] of rows(current)) this.set(labels, value);
      },
    });
  }
  const collect = registry.metrics.bind(registry);
  registry.metrics = async () => {
    current = null;
    return collect();
  };
  return registry;
}

export function labelsOf(name: string): string[] {
  if (name.startsWith('bellwether_follower_lag_')) return ['shard', 'follower', 'stage'];
  if (name.startsWith('bellwether_follower_')) return ['shard', 'follower'];
  if (name.startsWith('bellwether_lag_')) return ['shard', 'stage'];
  if (name === 'bellwether_peer_connected') return ['peer'];
  if (name === 'bellwether_node_info') return ['node', 'zone', 'version'];
  return /^bellwether_(log|clients|commands?)(_|$)/.test(name) ? [] : ['shard'];
}
