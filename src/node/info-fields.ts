import os from 'node:os';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import { version } from '../version.ts';
import type { NodeConfig } from './config.ts';
import { redisVersion } from './redis-version.ts';

export interface InfoSection {
  readonly section: string;
  readonly fields: readonly (readonly [string, string | number])[];
}

interface InfoSource {
  readonly config: NodeConfig;
  readonly host: ShardHost;
  readonly startedMs: number;
  readonly commandsPerSecond: number;
  readonly clients: number;
  /** Since the start or the last CONFIG RESETSTAT. */
  readonly counted: {
    readonly commands: number;
    readonly errors: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly evicted: number;
  };
}

function humanBytes(bytes: number): string {
  for (const [unit, size] of [
    ['G', 2 ** 30],
    ['M', 2 ** 20],
    ['K', 2 ** 10],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(2)}${unit}`;
  return `${bytes}B`;
}

/** The sections of INFO that only the node knows. */
export function infoSections(source: InfoSource): readonly InfoSection[] {
  return [
    server(source),
    clients(source),
    memory(source),
    persistence(source),
    stats(source),
    cpu(),
    keys(source),
  ];
}

function server({ config, host, startedMs }: InfoSource): InfoSection {
  const uptime = Math.floor((host.now() - startedMs) / 1000);
  return {
    section: 'Server',
    fields: [
      ['redis_version', redisVersion],
      ['bellwether_version', version],
      ['redis_mode', 'cluster'],
      ['os', `${os.type()} ${os.release()} ${os.arch()}`],
      ['arch_bits', 64],
      ['node_version', process.versions.node],
      ['process_id', process.pid],
      ['run_id', `${config.cluster}/${config.id}/${process.pid}`],
      ['tcp_port', config.listen.port],
      ['server_time_usec', Math.floor((performance.timeOrigin + performance.now()) * 1000)],
      ['uptime_in_seconds', uptime],
      ['uptime_in_days', Math.floor(uptime / 86_400)],
      ['config_file', config.config ?? ''],
    ],
  };
}

function clients({ config, host, clients: connected }: InfoSource): InfoSection {
  return {
    section: 'Clients',
    fields: [
      ['connected_clients', connected],
      ['maxclients', config['max-clients']],
      ['blocked_clients', host.waitingNow],
    ],
  };
}

/** Highest use of memory that anybody has asked about. */
let peakBytes = 0;

function memory({ config, host }: InfoSource): InfoSection {
  const { heapUsed, external, rss } = process.memoryUsage();
  const used = heapUsed + external;
  peakBytes = Math.max(peakBytes, used);
  let dataset = 0;
  for (const replica of host.replicas.values()) dataset += replica.keyspace.memoryBytes;
  return {
    section: 'Memory',
    fields: [
      ['used_memory', used],
      ['used_memory_human', humanBytes(used)],
      ['used_memory_rss', rss],
      ['used_memory_rss_human', humanBytes(rss)],
      ['used_memory_peak', peakBytes],
      ['used_memory_peak_human', humanBytes(peakBytes)],
      ['used_memory_dataset', dataset],
      ['used_memory_dataset_perc', `${((dataset / used) * 100).toFixed(2)}%`],
      ['total_system_memory', os.totalmem()],
      ['maxmemory', config.maxmemory],
      ['maxmemory_human', humanBytes(config.maxmemory)],
      ['maxmemory_policy', config['maxmemory-policy']],
      ['mem_fragmentation_ratio', (rss / used).toFixed(2)],
      // The limit is compared with the estimate of the dataset alone.
      ['mem_not_counted_for_evict', Math.max(used - dataset, 0)],
      ['mem_allocator', 'v8'],
    ],
  };
}

function persistence({ host }: InfoSource): InfoSection {
  const replicas = [...host.replicas.values()];
  const loading =
    replicas.length === 0 ||
    replicas.some((replica) => replica.rebuilding && !replica.serving && replica.core.leader === null);
  return {
    section: 'Persistence',
    fields: [
      ['loading', loading ? 1 : 0],
      ['aof_enabled', 1],
      ['aof_last_write_status', 'ok'],
      ['rdb_changes_since_last_save', replicas.reduce((sum, replica) => sum + changesSince(replica), 0)],
      ['rdb_bgsave_in_progress', replicas.some((replica) => replica.checkpointer.running) ? 1 : 0],
    ],
  };
}

/** Entries of the log behind the newest checkpoint. */
function changesSince({ keyspace, checkpointer }: Replica): number {
  return keyspace.appliedLsn - (checkpointer.latestManifest?.lsn ?? 0);
}

function stats({ commandsPerSecond, counted }: InfoSource): InfoSection {
  return {
    section: 'Stats',
    fields: [
      ['total_connections_received', counted.accepted],
      ['total_commands_processed', counted.commands],
      ['instantaneous_ops_per_sec', commandsPerSecond],
      ['total_net_input_bytes', counted.bytesIn],
      ['total_net_output_bytes', counted.bytesOut],
      ['rejected_connections', counted.rejected],
      ['total_error_replies', counted.errors],
      ['evicted_keys', counted.evicted],
    ],
  };
}

function cpu(): InfoSection {
  const { system, user } = process.cpuUsage();
  return {
    section: 'CPU',
    fields: [
      ['used_cpu_sys', (system / 1e6).toFixed(6)],
      ['used_cpu_user', (user / 1e6).toFixed(6)],
    ],
  };
}

function keys({ host }: InfoSource): InfoSection {
  let size = 0;
  let expiring = 0;
  for (const { keyspace } of host.replicas.values()) {
    size += keyspace.size;
    expiring += keyspace.expiring;
  }
  const fields: InfoSection['fields'] =
    size === 0 ? [] : [['db0', `keys=${size},expires=${expiring},avg_ttl=0`]];
  return { section: 'Keyspace', fields };
}
