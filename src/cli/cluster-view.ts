import type { FollowerStatus, NodeStatus, ShardStatus } from '../server/status-types.ts';

/** A node that was asked for its status: what it answered, or null. */
export interface AskedNode {
  readonly name: string;
  readonly status: NodeStatus | null;
}

/** The shard's leader as the nodes see it: who says of itself that it leads in the highest term; null when nobody does. */
export function leaderOf(
  asked: readonly AskedNode[],
  shard: number,
): { node: NodeStatus; shard: ShardStatus } | null {
  let best: { node: NodeStatus; shard: ShardStatus } | null = null;
  for (const { status } of asked) {
    const own = status?.shards.find((one) => one.shard === shard);
    if (status === null || own === undefined || own.role !== 'leader') continue;
    if (best === null || own.term > best.shard.term) best = { node: status, shard: own };
  }
  return best;
}

export function shardsOf(asked: readonly AskedNode[]): number[] {
  return [...new Set(asked.flatMap(({ status }) => status?.shards.map(({ shard }) => shard) ?? []))].sort(
    (a, b) => a - b,
  );
}

/** It reads its data: it knows neither shards nor nodes yet. */
export function isStarting({ shards, metadata }: NodeStatus): boolean {
  return shards.length === 0 && metadata.nodes.length === 0;
}

/** Roles of a node in words: the one it has, or how many shards it leads and follows. */
export function rolesOf(status: NodeStatus): string {
  const { shards } = status;
  if (shards.length <= 1) return shards[0]?.role ?? (isStarting(status) ? 'starting' : 'no shard');
  const led = shards.filter(({ role }) => role === 'leader').length;
  return `leads ${led}, follows ${shards.length - led}`;
}

/** How a node follows: whether it is in sync in all shards that others lead, as their leaders see it. */
export function followingOf(asked: readonly AskedNode[], { node, shards }: NodeStatus): string {
  const views = shards.flatMap(
    ({ shard }) => leaderOf(asked, shard)?.shard.followers.find((follower) => follower.node === node) ?? [],
  );
  if (views.length === 0) return '';
  const behind = views.filter(({ inSync }) => !inSync);
  if (behind.length === 0) return 'in sync';
  return views.length === 1 ? (behind[0]?.why ?? '') : `${behind.length} of ${views.length} not in sync`;
}

/** Who leads, for one line. */
export function leadersLine(asked: readonly AskedNode[]): string {
  const shards = shardsOf(asked);
  const leaders = shards.map((shard) => leaderOf(asked, shard));
  const [first] = leaders;
  if (shards.length <= 1)
    return first == null ? 'no leader' : `${first.node.node} leads in term ${first.shard.term}`;
  const orphans = shards.filter((_, at) => leaders[at] === null);
  return orphans.length === 0
    ? `${shards.length} shards, all led`
    : `${shards.length} shards, no leader for ${orphans.join(', ')}`;
}

/** The state of the cluster in one line. */
export function headline(asked: readonly AskedNode[]): string {
  const leaders = shardsOf(asked).map((shard) => leaderOf(asked, shard));
  const [first] = leaders;
  if (leaders.length === 1 && first != null)
    return `term ${first.shard.term}, commit ${first.shard.commit}, ${first.shard.keys} keys`;
  const keys = leaders.reduce((sum, leader) => sum + (leader?.shard.keys ?? 0), 0);
  return leaders.length <= 1 ? 'no leader' : `${leadersLine(asked)}, ${keys} keys`;
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** Rows as lines, columns aligned; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
}

/** Everything that `bellwether status` shows, as lines. */
export function clusterLines(asked: readonly AskedNode[]): string[] {
  const lines: string[] = [];
  const shards = shardsOf(asked);
  if (shards.length > fewShards) lines.push(...shardTable(asked, shards), '');
  else for (const shard of shards) lines.push(...shardLines(asked, shard), '');
  const going = shards.flatMap((shard) => {
    const text = givingText(leaderOf(asked, shard)?.shard);
    return text === '' ? [] : `shard ${shard}: slots are being moved, ${text}`;
  });
  if (going.length > 0) lines.push(...going, '');
  const zoned = asked.some(({ status }) => zoneOf(status) !== '');
  const rows = asked.map((one) => {
    const [name = '', client = '', ...rest] = nodeRow(one);
    return zoned ? [name, zoneOf(one.status), client, ...rest] : [name, client, ...rest];
  });
  const [first, second, ...others] = nodeHeading;
  const heading = zoned ? [first, 'zone', second, ...others] : nodeHeading;
  lines.push(...table([heading, ...rows]));
  return lines;
}

/** How far a shard is with slots that it gives away; empty when none are to go. Nodes of older versions say nothing of it. */
export function givingText(shard: ShardStatus | undefined): string {
  const giving = shard?.giving ?? null;
  if (giving === null) return '';
  const { slotsLeft, bytesPerSecond, secondsLeft } = giving;
  const time = secondsLeft < 0 ? '' : `, about ${formatSeconds(secondsLeft)} left`;
  return `${slotsLeft} left, ${formatBytes(bytesPerSecond)}/s${time}`;
}

/** Nodes of older versions do not say it. */
function zoneOf(status: NodeStatus | null): string {
  return status?.zone ?? '';
}

/** So many shards are shown with a line for each follower; more have a line each. */
const fewShards = 2;

function shardTable(asked: readonly AskedNode[], shards: readonly number[]): string[] {
  const rows = shards.map((shard) => {
    const leader = leaderOf(asked, shard);
    if (leader === null) return [String(shard), 'none'];
    const { node, shard: own } = leader;
    const inSync = own.followers.filter((follower) => follower.inSync).length;
    const lag = Math.max(0, ...own.followers.map(({ lag: { applied } }) => applied.entries));
    return [
      String(shard),
      own.serving ? node.node : `${node.node} (not serving yet)`,
      String(own.term),
      String(own.lastLsn),
      String(own.commit),
      String(own.keys),
      `${inSync} of ${own.followers.length}`,
      String(lag),
    ];
  });
  const heading = ['shard', 'leader', 'term', 'last LSN', 'commit', 'keys', 'in sync', 'most lag'];
  return table([heading, ...rows]);
}

function shardLines(asked: readonly AskedNode[], shard: number): string[] {
  const leader = leaderOf(asked, shard);
  if (leader === null) {
    const terms = asked.flatMap(
      ({ status }) => status?.shards.find((one) => one.shard === shard)?.term ?? [],
    );
    return [`shard ${shard}: no leader (highest term seen: ${Math.max(0, ...terms)})`];
  }
  const { node, shard: own } = leader;
  const head = `shard ${shard}: leader ${node.node} (${node.client}), term ${own.term}, last LSN ${own.lastLsn}, commit ${own.commit}, ${own.keys} keys`;
  if (own.followers.length === 0) return [own.serving ? head : `${head}, not serving yet`];
  const rows = own.followers.map((one) => [
    `  ${one.node}`,
    String(one.received),
    String(one.flushed),
    String(one.applied),
    formatLag(one.lag.received),
    formatLag(one.lag.flushed),
    formatLag(one.lag.applied),
    followerState(one),
  ]);
  const heading = ['  follower', 'received', 'flushed', 'applied', ...lagHeadings, 'state'];
  return [own.serving ? head : `${head}, not serving yet`, ...table([heading, ...rows])];
}

function followerState(follower: FollowerStatus): string {
  const { inSync, why, listed, fallOffBytes, fallOffMs } = follower;
  const parts = [inSync ? 'in sync' : `not in sync: ${why}`];
  // Nodes of older versions do not say it.
  if (follower.votes === false) parts.push('learning');
  if (!listed) parts.push('lags too far to be listed');
  if (fallOffBytes === 0) parts.push('off the log');
  else if (fallOffMs >= 0 && !inSync)
    parts.push(`falls off the log in ${formatMs(fallOffMs)} (${formatBytes(fallOffBytes)})`);
  return parts.join('; ');
}

const lagHeadings = ['lag received', 'lag flushed', 'lag applied'];

/** Entries, bytes and time in one cell; `–` for none. */
function formatLag({ entries, bytes, ms }: ShardStatus['lag']['applied']): string {
  if (entries === 0) return ms === 0 ? '–' : formatMs(ms);
  return `${entries} / ${formatBytes(bytes)} / ${formatMs(ms)}`;
}

function formatMs(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : formatSeconds(Math.round(ms / 1000));
}

const nodeHeading = [
  'node',
  'clients at',
  'up',
  'role',
  'connections',
  'commands/s',
  'log',
  'memory',
  'notes',
] as const;

function nodeRow({ name, status }: AskedNode): string[] {
  if (status === null) return [name, '–', 'down'];
  return [
    status.node,
    status.client,
    formatSeconds(status.uptimeSeconds),
    rolesOf(status),
    String(status.clients.connected),
    String(Math.round(status.process.commandsPerSecond)),
    formatBytes(status.log.bytes),
    formatBytes(status.process.rssBytes),
    notesOf(status),
  ];
}

/** A node that knows itself to be further behind says so. */
const behindMs = 1000;

function notesOf(status: NodeStatus): string {
  const notes: string[] = [];
  if (status.log.latched) notes.push('a write to the log failed');
  if (status.log.spaceShort) notes.push('disk space is short');
  if (status.log.stalledMs > 1000) notes.push(`disk silent for ${status.log.stalledMs} ms`);
  for (const shard of status.shards) {
    if (shard.doubt !== null) notes.push(shard.doubt);
    if (shard.rebuilding) notes.push('rebuilding its state');
    if (shard.lag.applied.ms > behindMs)
      notes.push(`shard ${shard.shard} is ${formatMs(shard.lag.applied.ms)} behind`);
    if (shard.lostEntries > 0) notes.push(`${shard.lostEntries} entries cut`);
  }
  return notes.join('; ');
}

function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
