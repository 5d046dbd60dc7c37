import { evictionPolicies } from '../shard/evictor.ts';

/**
 * How the text of an option becomes a value. Times are milliseconds except for `seconds`, which Redis counts so; a range
 * is two times, `300ms..600ms`.
 */
export type OptionKind =
  | 'text'
  | 'flag'
  | 'integer'
  | 'milliseconds'
  | 'seconds'
  | 'range'
  | 'bytes'
  | 'address'
  | 'peers';

export const optionGroups = [
  'Node',
  'Network',
  'Replication',
  'Log',
  'Checkpoints',
  'Memory',
  'Clients',
  'Logging',
] as const;

export interface OptionSpec {
  readonly kind: OptionKind;
  /** In the form in which it would be written; null when there is none and the option may stay unset. */
  readonly default: string | null;
  readonly group: (typeof optionGroups)[number];
  readonly help: string;
  /** The version that brought it. */
  readonly since: string;
  /** Least and greatest value of numbers, in the unit of the kind. */
  readonly min?: number;
  readonly max?: number;
  /** The only words that are taken. */
  readonly words?: readonly string[];
  /** The name under which CONFIG GET and CONFIG SET know it, when Redis has one. */
  readonly redisName?: string;
  /** CONFIG SET changes it while the node runs, until the next start. */
  readonly runtime?: true;
  /** Never shown by CONFIG GET. */
  readonly hidden?: true;
}

/**
 * Every option of a node. One entry makes the flag `--name`, the environment variable `BELLWETHER_NAME`, the key of the
 * TOML file, its line in `--help` and its row in docs/configuration.md.
 */
export const optionTable = {
  id: {
    kind: 'text',
    default: null,
    group: 'Node',
    since: '0.1.0',
    help: 'Name of this node, unique in the cluster and never reused.',
  },
  dir: { kind: 'text', default: null, group: 'Node', since: '0.1.0', help: 'Data directory of this node.' },
  cluster: {
    kind: 'text',
    default: 'bellwether',
    group: 'Node',
    since: '0.1.0',
    help: 'Name of the cluster; nodes of another one are refused.',
  },
  config: {
    kind: 'text',
    default: null,
    group: 'Node',
    since: '0.1.0',
    help: 'TOML file with options; flags and environment win over it.',
  },
  listen: {
    kind: 'address',
    default: '127.0.0.1:7001',
    group: 'Network',
    since: '0.1.0',
    help: 'Where clients connect.',
  },
  'peer-listen': {
    kind: 'address',
    default: '127.0.0.1:7101',
    group: 'Network',
    since: '0.1.0',
    help: 'Where the other nodes connect.',
  },
  'admin-listen': {
    kind: 'address',
    default: '127.0.0.1:7201',
    group: 'Network',
    since: '0.1.0',
    help: 'Where metrics and status are served over HTTP.',
  },
  'peer-announce': {
    kind: 'address',
    default: null,
    group: 'Network',
    since: '0.1.0',
    help: 'Address that the other nodes are told when this node joins, when it is not the one of --peer-listen.',
  },
  announce: {
    kind: 'address',
    default: null,
    group: 'Network',
    since: '0.1.0',
    help: 'Address that clients are told, when it is not the one of --listen.',
  },
  peers: {
    kind: 'peers',
    default: '',
    group: 'Network',
    since: '0.1.0',
    help: 'All nodes with their peer addresses: n1=host:port,n2=host:port. This node may be among them. Empty: a cluster of one.',
  },
  shards: {
    kind: 'integer',
    default: null,
    group: 'Node',
    since: '0.1.0',
    min: 1,
    max: 1024,
    help: 'Shards of a new cluster, the same on all its nodes; without it one. An existing cluster keeps what it has.',
  },
  replicas: {
    kind: 'integer',
    default: null,
    group: 'Node',
    since: '0.1.0',
    min: 1,
    max: 64,
    help: 'Nodes that hold each shard of a new cluster, the same on all its nodes; without it all. An existing cluster keeps what it has.',
  },
  join: {
    kind: 'address',
    default: null,
    group: 'Node',
    since: '0.1.0',
    help: 'Client address of any node of a running cluster that this new node is to join; it takes --cluster, --shards and --replicas from there. A node that has joined starts with or without it.',
  },
  zone: {
    kind: 'text',
    default: '',
    group: 'Node',
    since: '0.1.0',
    help: 'What fails together with this node: its rack, its data centre. Replicas of a shard are kept in different zones as far as there are nodes for it.',
  },
  'rebalance-after': {
    kind: 'milliseconds',
    default: '30s',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'When no node came or went and nobody changed anything for so long, the cluster spreads replicas and leaders evenly, unless that is switched off (bellwether rebalance --auto off); 0: never.',
  },
  'slot-move-rate': {
    kind: 'bytes',
    default: '32mb',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    min: 1024,
    help: 'Bytes per second that a shard sends at most while slots are copied to another shard.',
  },
  'replace-after': {
    kind: 'milliseconds',
    default: '10min',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'A node that was silent for so long has its replicas made anew on nodes that have none of the same shards, if there are such nodes; 0: never.',
  },
  secret: {
    kind: 'text',
    default: '',
    group: 'Network',
    since: '0.1.0',
    hidden: true,
    help: 'Shared secret that peers prove to each other; empty: none.',
  },
  'secret-file': {
    kind: 'text',
    default: null,
    group: 'Network',
    since: '0.1.0',
    help: 'File whose first line is the secret; instead of --secret.',
  },
  password: {
    kind: 'text',
    default: '',
    group: 'Network',
    since: '0.1.0',
    help: 'Password that clients must give; empty: none.',
    redisName: 'requirepass',
    runtime: true,
  },
  'password-file': {
    kind: 'text',
    default: null,
    group: 'Network',
    since: '0.1.0',
    help: 'File whose first line is the password; instead of --password.',
  },
  'protected-mode': {
    kind: 'flag',
    default: 'on',
    group: 'Network',
    since: '0.1.0',
    help: 'Refuse to listen beyond this machine without a password (clients, admin) or a secret (peers).',
    redisName: 'protected-mode',
  },
  ack: {
    kind: 'text',
    default: 'majority',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'Whose copies a write waits for: none, leader, majority, all, or a number of copies. What new connections begin with.',
  },
  'ack-stage': {
    kind: 'text',
    default: 'flushed',
    group: 'Replication',
    since: '0.1.0',
    words: ['received', 'flushed', 'applied'],
    runtime: true,
    help: 'What those copies must have done with it.',
  },
  'ack-timeout': {
    kind: 'milliseconds',
    default: '5s',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'After this a waiting write is answered with an error that says its outcome is unknown; 0: never.',
  },
  'read-level': {
    kind: 'text',
    default: 'linearizable',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'How fresh what is read must be: linearizable, strict, local, bounded <ms>, bounded lsn <lsn>, session or eventual. What new connections begin with.',
  },
  'readonly-level': {
    kind: 'text',
    default: 'eventual',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'The same after READONLY, with which clients read from followers.',
  },
  'read-wait': {
    kind: 'milliseconds',
    default: '200ms',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'How long a read waits for a follower to be as fresh as it must be, before it is sent to the leader.',
  },
  'replica-max-lag': {
    kind: 'milliseconds',
    default: '10s',
    group: 'Replication',
    since: '0.1.0',
    runtime: true,
    help: 'A follower that lags further is left out of CLUSTER SLOTS, so that clients do not read from it; the one that lags least stays. 0: none is left out. What the leader says counts.',
  },
  'min-in-sync': {
    kind: 'integer',
    default: '1',
    group: 'Replication',
    since: '0.1.0',
    min: 1,
    max: 1000,
    runtime: true,
    help: 'Fewer in-sync voters than this, the leader included, and writes are refused.',
  },
  'in-sync-lag': {
    kind: 'milliseconds',
    default: '1s',
    group: 'Replication',
    since: '0.1.0',
    min: 10,
    help: "A follower is in sync when its durable log reached the end of the leader's within this time.",
  },
  heartbeat: {
    kind: 'milliseconds',
    default: '50ms',
    group: 'Replication',
    since: '0.1.0',
    min: 10,
    help: 'How often a leader speaks up.',
  },
  lease: {
    kind: 'milliseconds',
    default: '150ms',
    group: 'Replication',
    since: '0.1.0',
    help: 'How long the answers of a majority keep leader reads valid.',
  },
  leases: {
    kind: 'flag',
    default: 'on',
    group: 'Replication',
    since: '0.1.0',
    help: 'Off: every read is confirmed by a heartbeat round, whatever clocks do.',
  },
  'vote-refusal': {
    kind: 'milliseconds',
    default: '200ms',
    group: 'Replication',
    since: '0.1.0',
    min: 10,
    help: 'How long a voter that heard a leader refuses to elect another; longer than the lease.',
  },
  'election-timeout': {
    kind: 'range',
    default: '300ms..600ms',
    group: 'Replication',
    since: '0.1.0',
    min: 10,
    help: 'A follower that hears no leader campaigns after a random time in this range.',
  },
  priority: {
    kind: 'integer',
    default: '100',
    group: 'Replication',
    since: '0.1.0',
    max: 1000,
    help: 'How much this node should lead; 0: never.',
    redisName: 'replica-priority',
  },
  'disk-stall': {
    kind: 'milliseconds',
    default: '1s',
    group: 'Replication',
    since: '0.1.0',
    min: 50,
    help: 'A durable write that takes longer makes a leader fall silent and yield.',
  },
  'segment-bytes': {
    kind: 'bytes',
    default: '64mb',
    group: 'Log',
    since: '0.1.0',
    min: 4 << 20,
    max: 1 << 30,
    help: 'Size of one segment file of the log, a multiple of 4096; also limits the size of one write.',
  },
  'log-cache-bytes': {
    kind: 'bytes',
    default: '64mb',
    group: 'Log',
    since: '0.1.0',
    min: 1 << 20,
    help: 'Recent log kept in memory for followers.',
  },
  'retention-bytes': {
    kind: 'bytes',
    default: '1gb',
    group: 'Log',
    since: '0.1.0',
    help: 'Log kept for followers that lag, at most.',
  },
  'retention-time': {
    kind: 'milliseconds',
    default: '12h',
    group: 'Log',
    since: '0.1.0',
    help: 'Age of log kept for followers that lag, at most.',
  },
  'disk-reserve': {
    kind: 'bytes',
    default: '256mb',
    group: 'Log',
    since: '0.1.0',
    help: 'With less free space than this beside the next segment, writes are refused.',
  },
  'checkpoint-bytes': {
    kind: 'bytes',
    default: '256mb',
    group: 'Checkpoints',
    since: '0.1.0',
    min: 1 << 16,
    help: 'A checkpoint is cut after so many bytes of log.',
  },
  'checkpoint-time': {
    kind: 'milliseconds',
    default: '15min',
    group: 'Checkpoints',
    since: '0.1.0',
    min: 100,
    help: 'A checkpoint is cut after this time, when there were writes.',
  },
  maxmemory: {
    kind: 'bytes',
    default: '0',
    group: 'Memory',
    since: '0.1.0',
    help: 'Most bytes that keys and values of a shard may take, as its leader estimates them; 0: no limit.',
    redisName: 'maxmemory',
    runtime: true,
  },
  'maxmemory-policy': {
    kind: 'text',
    default: 'noeviction',
    group: 'Memory',
    since: '0.1.0',
    words: evictionPolicies,
    help: 'Which keys a leader deletes when there are more: by last use, next to expire or any, of all keys or of those that expire.',
    redisName: 'maxmemory-policy',
    runtime: true,
  },
  'maxmemory-samples': {
    kind: 'integer',
    default: '5',
    group: 'Memory',
    since: '0.1.0',
    min: 1,
    max: 64,
    help: 'Keys that are looked at to find one that was not used for long.',
    redisName: 'maxmemory-samples',
    runtime: true,
  },
  'park-timeout': {
    kind: 'milliseconds',
    default: '3s',
    group: 'Clients',
    since: '0.1.0',
    runtime: true,
    help: 'How long a command waits for a leader before it is refused.',
  },
  'park-bytes': {
    kind: 'bytes',
    default: '256mb',
    group: 'Clients',
    since: '0.1.0',
    runtime: true,
    help: 'Bytes of commands that wait for a leader, all clients together; beyond it they are refused at once.',
  },
  'max-clients': {
    kind: 'integer',
    default: '10000',
    group: 'Clients',
    since: '0.1.0',
    min: 1,
    max: 1_000_000,
    help: 'Connections accepted at once.',
    redisName: 'maxclients',
    runtime: true,
  },
  'max-request-bytes': {
    kind: 'bytes',
    default: '16mb',
    group: 'Clients',
    since: '0.1.0',
    min: 1024,
    max: 512 << 20,
    help: 'Largest command or transaction. At most a quarter of --segment-bytes, since a write must fit into a segment of the log.',
    redisName: 'proto-max-bulk-len',
  },
  'max-arguments': {
    kind: 'integer',
    default: '1048576',
    group: 'Clients',
    since: '0.1.0',
    min: 16,
    max: 1 << 24,
    help: 'Most arguments of one command.',
  },
  'client-output-bytes': {
    kind: 'bytes',
    default: '64mb',
    group: 'Clients',
    since: '0.1.0',
    min: 1024,
    help: 'A client that leaves more than this unread is disconnected.',
  },
  timeout: {
    kind: 'seconds',
    default: '0',
    group: 'Clients',
    since: '0.1.0',
    help: 'An idle client is disconnected after this; 0: never.',
    redisName: 'timeout',
    runtime: true,
  },
  'tcp-keepalive': {
    kind: 'seconds',
    default: '300s',
    group: 'Clients',
    since: '0.1.0',
    help: 'Time between keep-alive probes; 0: none.',
    redisName: 'tcp-keepalive',
    runtime: true,
  },
  'debug-commands': {
    kind: 'flag',
    default: 'off',
    group: 'Clients',
    since: '0.1.0',
    help: 'Allow DEBUG SLEEP.',
  },
  'log-level': {
    kind: 'text',
    default: 'info',
    group: 'Logging',
    since: '0.1.0',
    words: ['debug', 'info', 'warn', 'error'],
    help: 'Least severe lines that are written.',
    redisName: 'loglevel',
    runtime: true,
  },
  'log-format': {
    kind: 'text',
    default: 'json',
    group: 'Logging',
    since: '0.1.0',
    words: ['json', 'text'],
    help: 'One JSON object per line, or lines for people.',
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof optionTable;

export const optionNames = Object.keys(optionTable) as OptionName[];

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(optionTable, name);
}

export function environmentName(name: OptionName): string {
  return `BELLWETHER_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** What stands for the value in help and documentation. */
export function optionForm(spec: OptionSpec): string {
  if (spec.words !== undefined) return spec.words.join('|');
  const forms: Record<OptionKind, string> = {
    text: 'text',
    flag: 'on|off',
    integer: 'number',
    milliseconds: 'time',
    seconds: 'time',
    range: 'time..time',
    bytes: 'size',
    address: 'host:port',
    peers: 'id=host:port,…',
  };
  return forms[spec.kind];
}
