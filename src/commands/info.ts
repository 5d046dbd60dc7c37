import type { LagByStage, NodeServices, ReplicationView } from './types.ts';

type Fields = readonly (readonly [string, string | number])[];

/** Beside what Redis has: lag in entries, bytes and ms of what has arrived, is durable, is applied. */
function lagFields(lag: LagByStage): Fields {
  return (['received', 'flushed', 'applied'] as const).flatMap(
    (stage): Fields => [
      [`${stage}_lag_entries`, lag[stage].entries],
      [`${stage}_lag_bytes`, lag[stage].bytes],
      [`${stage}_lag_ms`, lag[stage].ms],
    ],
  );
}

function pairsOf(lag: LagByStage): string {
  return lagFields(lag)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** Fields of the replication section, as clients and exporters read them; an LSN stands for an offset. */
function replicationFields(view: ReplicationView | undefined, replicationId: string): Fields {
  if (view === undefined) return [];
  const tail: Fields = [
    ['master_failover_state', 'no-failover'],
    ['master_replid', replicationId],
    ['master_replid2', '0'.repeat(40)],
    ['master_repl_offset', view.lastLsn],
    ['second_repl_offset', -1],
    ['repl_backlog_active', 1],
    ['repl_backlog_size', view.logBytes],
    ['repl_backlog_first_byte_offset', view.firstLsn],
    ['repl_backlog_histlen', Math.max(view.lastLsn - view.firstLsn + 1, 0)],
  ];
  if (view.role === 'leader') {
    const slaves = view.followers.map(
      ({ node, applied, lag, silenceMs, inSync }, i) =>
        [
          `slave${i}`,
          `ip=${node.host},port=${node.port},state=${inSync ? 'online' : 'wait_bgsave'},offset=${applied},lag=${Math.round(silenceMs / 1000)},${pairsOf(lag)}`,
        ] as const,
    );
    return [['role', 'master'], ['connected_slaves', slaves.length], ...slaves, ...tail];
  }
  const { leader } = view;
  const up = leader !== null;
  const down: Fields = up
    ? []
    : [['master_link_down_since_seconds', Math.round(view.leaderSilenceMs / 1000)]];
  return [
    ['role', 'slave'],
    ['master_host', leader?.host ?? ''],
    ['master_port', leader?.port ?? 0],
    ['master_link_status', up ? 'up' : 'down'],
    ['master_last_io_seconds_ago', Math.round(view.leaderSilenceMs / 1000)],
    ['master_sync_in_progress', view.loading ? 1 : 0],
    ['slave_read_repl_offset', view.flushed],
    ['slave_repl_offset', view.applied],
    ...lagFields(view.lag),
    ['proven_age_ms', view.provenAgeMs],
    ...down,
    ['slave_priority', 100],
    ['slave_read_only', 1],
    ['replica_announced', 1],
    ['connected_slaves', 0],
    ...tail,
  ];
}

/** Redis knows one dataset per node: of several shards it is told one that this node leads, where there is one. */
export function mainView(node: NodeServices): ReplicationView | undefined {
  const views = node.replication();
  return views.find(({ role }) => role === 'leader') ?? views[0];
}

/** Sections of INFO that are asked for; all of them for none, `default`, `all` or `everything`. */
export function infoText(node: NodeServices, wanted: readonly string[]): string {
  const names = wanted.map((name) => name.toLowerCase());
  const everything =
    names.length === 0 || names.some((name) => ['default', 'all', 'everything'].includes(name));
  const replicationId = node.topology()[0]?.id ?? '0'.repeat(40);
  const sections = [
    ...node.info(),
    { section: 'Replication', fields: replicationFields(mainView(node), replicationId) },
    { section: 'Cluster', fields: [['cluster_enabled', 1]] as Fields },
  ];
  return sections
    .filter(({ section }) => everything || names.includes(section.toLowerCase()))
    .map(
      ({ section, fields }) =>
        `# ${section}\r\n${fields.map(([name, value]) => `${name}:${value}\r\n`).join('')}`,
    )
    .join('\r\n');
}
