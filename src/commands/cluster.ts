import type { Bytes } from '../bytes/types.ts';
import { slotCount, slotOf } from '../state/slot.ts';
import { notAnInteger, parseInteger, shownInError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec, NodeServices, TopologyNode, TopologyShard } from './types.ts';

const { onShard, onSession, container } = commandGroup('cluster');

/**
 * The shards as clients are told of them. Slots that nobody serves leave some clients without an address for good, so
 * while a shard has no leader this node names itself: what is sent here waits for the election and is then redirected.
 */
function toldShards(node: NodeServices): TopologyShard[] {
  const own = node.nodes().find(({ self }) => self) ?? null;
  return node.topology().map((shard) => {
    if (shard.leader !== null) return shard;
    const leader = shard.followers.find(({ self }) => self) ?? own;
    return { ...shard, leader, followers: shard.followers.filter((follower) => follower !== leader) };
  });
}

function slots({ node, reply }: CommandContext): void {
  const rows = toldShards(node).flatMap((shard) =>
    shard.leader === null
      ? []
      : shard.slots.map((range) => ({ range, shard, leader: shard.leader as TopologyNode })),
  );
  reply.array(rows.length);
  for (const { range, shard, leader } of rows) {
    const members = [leader, ...shard.followers.filter(({ healthy, lagging }) => healthy && !lagging)];
    reply.array(2 + members.length);
    reply.integer(range.from);
    reply.integer(range.to);
    for (const member of members) {
      reply.array(4);
      reply.bulk(member.host);
      reply.integer(member.port);
      reply.bulk(member.id);
      reply.map(0);
    }
  }
}

function shards({ node, reply }: CommandContext): void {
  const told = toldShards(node);
  reply.array(told.length);
  for (const shard of told) {
    const members = shard.leader === null ? shard.followers : [shard.leader, ...shard.followers];
    reply.map(3);
    reply.bulk('slots');
    reply.array(shard.slots.length * 2);
    for (const range of shard.slots) {
      reply.integer(range.from);
      reply.integer(range.to);
    }
    reply.bulk('nodes');
    reply.array(members.length);
    for (const member of members) {
      reply.map(7);
      reply.bulk('id');
      reply.bulk(member.id);
      reply.bulk('port');
      reply.integer(member.port);
      reply.bulk('ip');
      reply.bulk(member.host);
      reply.bulk('endpoint');
      reply.bulk(member.host);
      reply.bulk('role');
      reply.bulk(member === shard.leader ? 'master' : 'replica');
      reply.bulk('replication-offset');
      reply.integer(member.offset);
      reply.bulk('health');
      reply.bulk(!member.healthy ? 'fail' : member.lagging ? 'loading' : 'online');
    }
    reply.bulk('id');
    reply.bulk(shard.id);
  }
}

/** One line per node. Redis knows leaders and followers as kinds of nodes: who leads any shard is a leader with its slots. */
function nodeLine(member: TopologyNode, told: readonly TopologyShard[]): string {
  const led = told.filter(({ leader }) => leader?.id === member.id);
  const followed = told.find(({ followers }) => followers.some(({ id }) => id === member.id));
  const leads = led.length > 0;
  const flags = [
    member.self ? 'myself' : '',
    leads ? 'master' : 'slave',
    member.healthy ? '' : 'fail',
  ].filter((flag) => flag !== '');
  const master = leads ? '-' : (followed?.leader?.id ?? '-');
  const ranges = led
    .flatMap(({ slots }) => slots)
    .map(({ from, to }) => (from === to ? ` ${from}` : ` ${from}-${to}`))
    .join('');
  const epoch = Math.max(0, ...(leads ? led : told).map(({ term }) => term));
  const state = member.healthy ? 'connected' : 'disconnected';
  return `${member.id} ${member.host}:${member.port}@${member.peerPort} ${flags.join(',')} ${master} 0 0 ${epoch} ${state}${ranges}\n`;
}

function nodeLines(node: NodeServices): string[] {
  const told = toldShards(node);
  const leaders = told.flatMap(({ leader }) => leader ?? []);
  const members = new Map(
    [...leaders, ...told.flatMap(({ followers }) => followers), ...node.nodes()].map((one) => [one.id, one]),
  );
  return [...members.values()].map((member) => nodeLine(member, told));
}

function info({ node, reply }: CommandContext): void {
  const topology = node.topology();
  const covered = topology
    .filter(({ leader }) => leader !== null)
    .flatMap((shard) => shard.slots)
    .reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const assigned = topology
    .flatMap((shard) => shard.slots)
    .reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const epoch = node.metadataEpoch;
  const fields = {
    cluster_enabled: 1,
    cluster_state: covered === slotCount ? 'ok' : 'fail',
    cluster_slots_assigned: assigned,
    cluster_slots_ok: covered,
    cluster_slots_pfail: 0,
    cluster_slots_fail: assigned - covered,
    cluster_known_nodes: node.nodes().length,
    cluster_size: new Set(topology.flatMap(({ leader }) => leader?.id ?? [])).size,
    cluster_current_epoch: epoch,
    cluster_my_epoch: epoch,
    cluster_stats_messages_sent: 0,
    cluster_stats_messages_received: 0,
  };
  reply.verbatim(
    Object.entries(fields)
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join(''),
  );
}

function replicas({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const told = toldShards(node);
  const led = node.topology().filter((shard) => shard.leader?.id === args[2]);
  if (led.length === 0) {
    reply.error(
      node.nodes().some((member) => member.id === args[2])
        ? 'ERR The specified node is not a master'
        : `ERR Unknown node ${shownInError(args[2] as Bytes)}`,
    );
    return;
  }
  const followers = new Map(led.flatMap((shard) => shard.followers).map((one) => [one.id, one]));
  reply.array(followers.size);
  for (const follower of followers.values()) reply.bulk(nodeLine(follower, told).trimEnd());
}

const anywhere = ['loading', 'stale'] as const;

export const clusterCommands: readonly CommandSpec[] = [
  container('cluster', '3.0.0', 'About the cluster.', [
    onSession(
      'cluster|slots',
      [2, anywhere, '3.0.0', 'O(N) with N nodes', '', 'Which node serves which slots.'],
      slots,
    ),
    onSession(
      'cluster|shards',
      [2, anywhere, '7.0.0', 'O(N) with N nodes', '', 'Shards with their slots and nodes.'],
      shards,
    ),
    onSession(
      'cluster|nodes',
      [2, anywhere, '3.0.0', 'O(N) with N nodes', '', 'All nodes, a line each.'],
      ({ node, reply }) => reply.verbatim(nodeLines(node).join('')),
    ),
    onSession('cluster|info', [2, anywhere, '3.0.0', 'O(1)', '', 'State of the cluster.'], info),
    onSession('cluster|myid', [2, anywhere, '3.0.0', 'O(1)', '', 'Id of this node.'], ({ node, reply }) =>
      reply.bulk(node.nodes().find((member) => member.self)?.id ?? ''),
    ),
    onSession(
      'cluster|myshardid',
      [2, anywhere, '7.2.0', 'O(1)', '', 'Id of the shard of this node.'],
      ({ node, reply }) =>
        reply.bulk(
          (node.topology().find(({ leader }) => leader?.self === true) ?? node.topology()[0])?.id ?? '',
        ),
    ),
    onSession(
      'cluster|keyslot',
      [3, anywhere, '3.0.0', 'O(N) with N bytes of key', 'key', 'The slot of a key.'],
      ({ reply }, args) => reply.integer(slotOf(args[2] as Bytes)),
    ),
    onShard(
      'cluster|countkeysinslot',
      [3, ['readonly'], '3.0.0', 'O(1)', 'slot', 'Number of keys in a slot.'],
      ({ keyspace, reply }, args) => {
        const slot = parseInteger(args[2] as Bytes);
        if (slot === null) reply.error(notAnInteger);
        else if (slot < 0n || slot >= slotCount) reply.error('ERR Invalid slot');
        else reply.integer(keyspace.countInSlot(Number(slot)));
      },
    ),
    onShard(
      'cluster|getkeysinslot',
      [4, ['readonly'], '3.0.0', 'O(N) with N keys returned', 'slot count', 'Keys of a slot.'],
      ({ keyspace, reply }, args) => {
        const slot = parseInteger(args[2] as Bytes);
        const count = parseInteger(args[3] as Bytes);
        if (slot === null || count === null) reply.error(notAnInteger);
        else if (slot < 0n || slot >= slotCount || count < 0n)
          reply.error('ERR Invalid slot or number of keys');
        else {
          const keys = keyspace.keysInSlot(Number(slot), Number(count));
          reply.array(keys.length);
          for (const key of keys) reply.bulk(key);
        }
      },
    ),
    onSession(
      'cluster|replicas',
      [3, ['admin', ...anywhere], '5.0.0', 'O(N) with N followers', 'node-id', 'Followers of a leader.'],
      replicas,
    ),
    onSession(
      'cluster|slaves',
      [
        3,
        ['admin', ...anywhere],
        '3.0.0',
        'O(N) with N followers',
        'node-id',
        'Followers of a leader; the old name of REPLICAS.',
      ],
      replicas,
    ),
    onSession(
      'cluster|failover',
      [
        -2,
        ['admin', ...anywhere],
        '3.0.0',
        'O(1)',
        '[FORCE | TAKEOVER]',
        'Asks the leader to hand over to this node.',
      ],
      ({ node, reply }) => {
        const problem = node.takeOver();
        if (problem === null) reply.ok();
        else reply.error(problem);
      },
    ),
  ]),
  onSession(
    'readonly',
    [
      1,
      ['loading', 'stale', 'fast'],
      '3.0.0',
      'O(1)',
      '',
      'Lets this connection read from followers, which may be behind.',
    ],
    ({ session, reply }) => {
      session.setReadOnly(true);
      reply.ok();
    },
  ),
  onSession(
    'readwrite',
    [1, ['loading', 'stale', 'fast'], '3.0.0', 'O(1)', '', 'Ends READONLY.'],
    ({ session, reply }) => {
      session.setReadOnly(false);
      reply.ok();
    },
  ),
  onSession(
    'asking',
    [1, ['fast'], '3.0.0', 'O(1)', '', 'The next command follows an ASK redirection.'],
    ({ session, reply }) => {
      session.asking();
      reply.ok();
    },
  ),
];
