import type { Bytes } from '../bytes/types.ts';
import { mainView } from './info.ts';
import { metadataSubcommands } from './metadata.ts';
import { parseSafeInteger } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec, LagByStage, ReplicationView } from './types.ts';

const { onSession, container } = commandGroup('replication');
const { onSession: onGeneric } = commandGroup('generic');
const { onSession: onServer } = commandGroup('server');
const lagStages = ['received', 'flushed', 'applied'] as const;
const badTimeout = 'ERR timeout is not an integer or out of range';

/** True when this node leads a shard; WAIT makes sense only there. */
function leads({ node }: CommandContext): boolean {
  return node.replication().some((view) => view.role === 'leader');
}

function wait(context: CommandContext, args: readonly Bytes[]): void {
  const replicas = parseSafeInteger(args[1] as Bytes);
  const timeoutMs = parseSafeInteger(args[2] as Bytes);
  if (replicas === null) context.reply.error('ERR value is not an integer or out of range');
  else if (timeoutMs === null) context.reply.error(badTimeout);
  else if (timeoutMs < 0) context.reply.error('ERR timeout is negative');
  else if (!leads(context))
    context.reply.error(
      'ERR WAIT cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
    );
  else context.session.waitReplicas(replicas, timeoutMs);
}

function waitAof(context: CommandContext, args: readonly Bytes[]): void {
  const [local, replicas, timeoutMs] = args.slice(1, 4).map(parseSafeInteger) as [
    number | null,
    number | null,
    number | null,
  ];
  if (local === null || local < 0 || local > 1)
    context.reply.error('ERR value is out of range, value must between 0 and 1');
  else if (replicas === null || replicas < 0)
    context.reply.error('ERR value is out of range, must be positive');
  else if (timeoutMs === null) context.reply.error(badTimeout);
  else if (timeoutMs < 0) context.reply.error('ERR timeout is negative');
  else if (!leads(context))
    context.reply.error(
      'ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
    );
  else context.session.waitFlushed(local, replicas, timeoutMs);
}

function role({ node, reply }: CommandContext): void {
  const view = mainView(node) as ReplicationView;
  if (view.role === 'leader') {
    reply.array(3);
    reply.bulk('master');
    reply.integer(view.lastLsn);
    reply.array(view.followers.length);
    for (const follower of view.followers) {
      reply.array(3);
      reply.bulk(follower.node.host);
      reply.bulk(String(follower.node.port));
      reply.bulk(String(follower.applied));
    }
    return;
  }
  reply.array(5);
  reply.bulk('slave');
  reply.bulk(view.leader?.host ?? '');
  reply.integer(view.leader?.port ?? 0);
  reply.bulk(view.leader === null ? 'connecting' : view.loading ? 'sync' : 'connected');
  reply.integer(view.applied);
}

function ack({ session, reply }: CommandContext, args: readonly Bytes[]): void {
  if (args.length === 2) {
    reply.bulk(session.ackPolicyText());
    return;
  }
  const problem = session.setAckPolicy(args.slice(2));
  if (problem === null) reply.ok();
  else reply.error(problem);
}

function read({ session, reply }: CommandContext, args: readonly Bytes[]): void {
  if (args.length === 2) {
    reply.bulk(session.reads.levelText);
    return;
  }
  const problem = session.reads.setLevel(args.slice(2));
  if (problem === null) reply.ok();
  else reply.error(problem);
}

function token({ session, reply }: CommandContext): void {
  const text = session.reads.token;
  if (text === null) reply.nil();
  else reply.bulk(text);
}

function after({ session, reply }: CommandContext, args: readonly Bytes[]): void {
  const problem = session.reads.setAfter(args.slice(2));
  if (problem === null) reply.ok();
  else reply.error(problem);
}

type Field = readonly [name: string, value: string | number | null];

function pairs({ reply }: CommandContext, fields: readonly Field[]): void {
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulk(name);
    if (value === null) reply.nil();
    else if (typeof value === 'number') reply.integer(Math.round(value));
    else reply.text(value);
  }
}

function lagFields(lag: LagByStage): Field[] {
  return lagStages.flatMap((stage): Field[] => [
    [`${stage}-lag-entries`, lag[stage].entries],
    [`${stage}-lag-bytes`, lag[stage].bytes],
    [`${stage}-lag-ms`, lag[stage].ms],
  ]);
}

function status(context: CommandContext): void {
  const views = context.node.replication();
  context.reply.array(views.length);
  for (const view of views) {
    pairs(context, [
      ['shard', view.shard],
      ['role', view.role],
      ['term', view.term],
      ['leader', view.leader === null ? null : `${view.leader.host}:${view.leader.port}`],
      ['last-lsn', view.lastLsn],
      ['flushed', view.flushed],
      ['commit', view.commit],
      ['applied', view.applied],
      ['first-lsn', view.firstLsn],
      ['leader-silence-ms', view.leaderSilenceMs],
      ...lagFields(view.lag),
      ['proven-age-ms', view.provenAgeMs],
    ]);
  }
}

function followers(context: CommandContext): void {
  const rows = context.node
    .replication()
    .flatMap((view) => view.followers.map((follower) => ({ view, follower })));
  context.reply.array(rows.length);
  for (const { view, follower } of rows) {
    pairs(context, [
      ['shard', view.shard],
      ['node', `${follower.node.host}:${follower.node.port}`],
      ['received', follower.received],
      ['flushed', follower.flushed],
      ['applied', follower.applied],
      ...lagFields(follower.lag),
      ['silence-ms', follower.silenceMs],
      ['bound-ms', follower.boundMs],
      ['listed', follower.listed ? 1 : 0],
      ['fall-off-bytes', follower.fallOffBytes],
      ['fall-off-ms', follower.fallOffMs],
      ['votes', follower.votes ? 1 : 0],
      ['in-sync', follower.inSync ? 1 : 0],
      ['why', follower.why],
    ]);
  }
}

/** REPL HANDOVER shard [TO node] */
function handOver({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const shard = parseSafeInteger(args[2] as Bytes);
  const [word, to] = args.slice(3);
  if (shard === null) reply.error('ERR value is not an integer or out of range');
  else if (args.length !== 3 && (args.length !== 5 || word?.toUpperCase() !== 'TO'))
    reply.error('ERR syntax error');
  else {
    const problem = node.handOver(shard, to ?? null);
    if (problem === null) reply.ok();
    else reply.error(problem);
  }
}

function drain({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const word = args[2]?.toUpperCase();
  if (word === undefined) reply.bulk(node.draining ? 'on' : 'off');
  else if (args.length !== 3 || (word !== 'ON' && word !== 'OFF')) reply.error('ERR syntax error');
  else {
    node.drain(word === 'ON');
    reply.ok();
  }
}

const anywhere = ['loading', 'stale'] as const;

export const replicationCommands: readonly CommandSpec[] = [
  onGeneric(
    'wait',
    [
      3,
      [],
      '3.0.0',
      'O(1)',
      'numreplicas timeout',
      'Waits until followers have received what this connection wrote.',
    ],
    wait,
  ),
  onGeneric(
    'waitaof',
    [
      4,
      ['noscript'],
      '7.2.0',
      'O(1)',
      'numlocal numreplicas timeout',
      'Waits until what this connection wrote is durable here and on followers.',
    ],
    waitAof,
  ),
  onServer(
    'role',
    [
      1,
      ['noscript', 'loading', 'stale', 'fast'],
      '2.8.12',
      'O(1)',
      '',
      'Whether this node leads or follows.',
    ],
    role,
  ),
  container('repl', '7.2.0', 'About replication here: an extension to Redis.', [
    onSession(
      'repl|ack',
      [
        -2,
        anywhere,
        '7.2.0',
        'O(1)',
        '[<NONE | LEADER | MAJORITY | ALL | copies> [RECEIVED | FLUSHED | APPLIED] [TIMEOUT milliseconds]]',
        'Shows or sets when writes of this connection are acknowledged.',
      ],
      ack,
    ),
    onSession(
      'repl|read',
      [
        -2,
        anywhere,
        '7.2.0',
        'O(1)',
        '[LINEARIZABLE | STRICT | LOCAL | BOUNDED <milliseconds | LSN lsn> | SESSION | EVENTUAL]',
        'Shows or sets how fresh what this connection reads must be, and so which nodes serve it.',
      ],
      read,
    ),
    onSession(
      'repl|token',
      [
        2,
        anywhere,
        '7.2.0',
        'O(1)',
        '',
        'The place in history of the last write or read of this connection, as shard:term:lsn; of several shards, with commas between.',
      ],
      token,
    ),
    onSession(
      'repl|after',
      [
        -3,
        anywhere,
        '7.2.0',
        'O(1)',
        '<token [TIMEOUT milliseconds] | NONE>',
        'Makes the following reads include what the token stands for.',
      ],
      after,
    ),
    onSession(
      'repl|status',
      [2, anywhere, '7.2.0', 'O(1)', '', 'Role, term, positions and lag of the replicas on this node.'],
      status,
    ),
    onSession(
      'repl|followers',
      [
        2,
        anywhere,
        '7.2.0',
        'O(N) with N followers',
        '',
        'Positions of the followers of the shards that this node leads, and their lag in entries, bytes and milliseconds.',
      ],
      followers,
    ),
    onSession(
      'repl|handover',
      [
        -3,
        ['admin', ...anywhere],
        '7.2.0',
        'O(1)',
        'shard [TO node]',
        'Begins to hand leadership of a shard that this node leads to a follower in sync.',
      ],
      handOver,
    ),
    onSession(
      'repl|drain',
      [
        -2,
        ['admin', ...anywhere],
        '7.2.0',
        'O(1)',
        '[ON | OFF]',
        'Shows or sets whether this node moves all leadership away and takes none.',
      ],
      drain,
    ),
    ...metadataSubcommands,
    onSession(
      'repl|digest',
      [
        2,
        anywhere,
        '7.2.0',
        'O(N) with N keys',
        '',
        'Digest of the state that this node has applied, with the LSN.',
      ],
      ({ node, reply }) => reply.bulk(node.stateDigest()),
    ),
  ]),
];
