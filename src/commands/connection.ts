import type { Bytes } from '../bytes/types.ts';
import { inInt64, notAnInteger, parseInt32, parseInteger, shownInError, syntaxError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { ClientDescription, CommandContext, CommandSpec } from './types.ts';

const { onSession, container } = commandGroup('connection');
const badName = 'ERR Client names cannot contain spaces, newlines or special characters.';

const wrongPassword = 'WRONGPASS invalid username-password pair or user is disabled.';
/** Kinds of clients that Redis knows; all clients here are normal ones. */
const clientTypes: readonly string[] = ['normal', 'slave', 'replica', 'pubsub', 'master'];

/** Printable ASCII without blanks, as CLIENT LIST needs it. */
function isPlainWord(text: Bytes): boolean {
  return /^[!-~]*$/.test(text);
}

function hello(context: CommandContext, args: readonly Bytes[]): void {
  const { session, reply, node } = context;
  let protocol: 2 | 3 = session.protocol;
  if (args[1] !== undefined) {
    const version = parseInteger(args[1]);
    if (version === null) {
      reply.error('ERR Protocol version is not an integer or out of range');
      return;
    }
    if (version !== 2n && version !== 3n) {
      reply.error('NOPROTO unsupported protocol version');
      return;
    }
    protocol = version === 2n ? 2 : 3;
  }
  let name: Bytes | null = null;
  let login: readonly [user: Bytes, password: Bytes] | null = null;
  for (let i = 2; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    const [first, second] = [args[i + 1], args[i + 2]];
    if (word === 'AUTH' && first !== undefined && second !== undefined) {
      login = [first, second];
      i += 2;
    } else if (word === 'SETNAME' && first !== undefined) {
      if (!isPlainWord(first)) {
        reply.error(badName);
        return;
      }
      name = first;
      i += 1;
    } else {
      reply.error(`ERR Syntax error in HELLO option '${shownInError(args[i] as Bytes)}'`);
      return;
    }
  }
  if (login !== null && !session.authenticate(...login)) {
    reply.error(wrongPassword);
    return;
  }
  if (!session.authenticated) {
    reply.error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
    return;
  }
  if (name !== null) session.name = name;
  session.setProtocol(protocol);
  const leads = node.replication().some((view) => view.role === 'leader');
  reply.map(7);
  reply.bulk('server');
  reply.bulk('redis');
  reply.bulk('version');
  reply.bulk(node.redisVersion);
  reply.bulk('proto');
  reply.integer(protocol);
  reply.bulk('id');
  reply.integer(session.id);
  reply.bulk('mode');
  reply.bulk('cluster');
  reply.bulk('role');
  reply.bulk(leads ? 'master' : 'replica');
  reply.bulk('modules');
  reply.array(0);
}

function auth({ session, reply }: CommandContext, args: readonly Bytes[]): void {
  if (args.length > 3) {
    reply.error(syntaxError);
    return;
  }
  if (args.length === 2 && !session.passwordRequired) {
    reply.error(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    );
    return;
  }
  const [user, password] =
    args.length === 2 ? ['default', args[1] as Bytes] : [args[1] as Bytes, args[2] as Bytes];
  if (session.authenticate(user, password)) reply.ok();
  else reply.error(wrongPassword);
}

function select({ reply }: CommandContext, args: readonly Bytes[]): void {
  const index = parseInt32(args[1] as Bytes);
  if (typeof index === 'string') reply.error(index);
  else if (index !== 0) reply.error('ERR SELECT is not allowed in cluster mode');
  else reply.ok();
}

/** A line of CLIENT LIST, in Redis's fields. */
function describe(client: ClientDescription): string {
  return (
    `id=${client.id} addr=${client.address} laddr=${client.localAddress} fd=0 name=${client.name} age=${client.ageSeconds}` +
    ` idle=${client.idleSeconds} flags=${client.flags} db=0 sub=0 psub=0 ssub=0 multi=${client.multiQueued}` +
    ` watch=${client.watching} qbuf=${client.inputBytes} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0` +
    ` omem=${client.outputBytes} tot-mem=${client.inputBytes + client.outputBytes} events=r cmd=${client.lastCommand}` +
    ` user=${client.user} redir=-1 resp=${client.protocol} lib-name=${client.libName} lib-ver=${client.libVersion}` +
    ` tot-cmds=${client.totalCommands}`
  );
}

function list({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  let clients = node.clients();
  const option = args[2]?.toUpperCase();
  if (option === 'ID' && args.length > 3) {
    const ids = args.slice(3).map(parseInteger);
    if (ids.includes(null)) {
      reply.error('ERR Invalid client ID');
      return;
    }
    clients = ids.flatMap((id) => clients.filter((client) => BigInt(client.id) === id));
  } else if (option === 'TYPE' && args.length === 4) {
    const type = (args[3] as Bytes).toLowerCase();
    if (!clientTypes.includes(type)) {
      reply.error(unknownType(args[3] as Bytes));
      return;
    }
    if (type !== 'normal') clients = [];
  } else if (option !== undefined) {
    reply.error(syntaxError);
    return;
  }
  reply.verbatim(clients.map((client) => `${describe(client)}\n`).join(''));
}

function unknownType(type: Bytes): string {
  return `ERR Unknown client type '${shownInError(type)}'`;
}

/** CLIENT KILL: the old form names an address; the new one has filters. */
function kill({ node, session, reply }: CommandContext, args: readonly Bytes[]): void {
  if (args.length === 3) {
    const victim = node.clients().find((client) => client.address === args[2]);
    if (victim === undefined) reply.error('ERR No such client');
    else {
      node.killClient(victim.id);
      reply.ok();
    }
    return;
  }
  const filter = parseKillFilter(args);
  if (typeof filter === 'string') {
    reply.error(filter);
    return;
  }
  const tests = [...filter.accepts.values()];
  let killed = 0;
  for (const client of node.clients()) {
    if (client.id === session.id && filter.skipMe) continue;
    if (tests.every((accepts) => accepts(client)) && node.killClient(client.id)) killed += 1;
  }
  reply.integer(killed);
}

interface KillFilter {
  /** By name: of two filters of one kind the later counts. */
  readonly accepts: Map<string, (client: ClientDescription) => boolean>;
  skipMe: boolean;
}

/** A string is the error line. */
function parseKillFilter(args: readonly Bytes[]): KillFilter | string {
  const filter: KillFilter = { accepts: new Map(), skipMe: true };
  for (let i = 2; i < args.length; i += 2) {
    const value = args[i + 1];
    const problem = value === undefined ? syntaxError : addKillFilter(filter, args[i] as Bytes, value);
    if (problem !== null) return problem;
  }
  return filter;
}

function addKillFilter(filter: KillFilter, name: Bytes, value: Bytes): string | null {
  const word = value.toLowerCase();
  const kind = name.toUpperCase();
  switch (kind) {
    case 'ID': {
      const id = parseInteger(value);
      if (id === null || id < 1n) return 'ERR client-id should be greater than 0';
      filter.accepts.set(kind, (client) => BigInt(client.id) === id);
      return null;
    }
    case 'ADDR':
      filter.accepts.set(kind, (client) => client.address === value);
      return null;
    case 'LADDR':
      filter.accepts.set(kind, (client) => client.localAddress === value);
      return null;
    case 'USER':
      if (value !== 'default') return `ERR No such user '${shownInError(value)}'`;
      return null;
    case 'TYPE':
      if (!clientTypes.includes(word)) return unknownType(value);
      filter.accepts.set(kind, () => word === 'normal');
      return null;
    case 'SKIPME':
      if (word !== 'yes' && word !== 'no') return syntaxError;
      filter.skipMe = word === 'yes';
      return null;
    default:
      return syntaxError;
  }
}

function pause({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const mode = args[3]?.toUpperCase() ?? 'ALL';
  if (args.length > 4) {
    reply.error("ERR unknown subcommand or wrong number of arguments for 'PAUSE'. Try CLIENT HELP.");
    return;
  }
  if (mode !== 'ALL' && mode !== 'WRITE') {
    reply.error('ERR CLIENT PAUSE mode must be WRITE or ALL');
    return;
  }
  const ms = parseInteger(args[2] as Bytes);
  if (ms === null) reply.error('ERR timeout is not an integer or out of range');
  else if (ms < 0n) reply.error('ERR timeout is negative');
  else if (!inInt64(ms + BigInt(Math.floor(node.wallMs())))) reply.error('ERR timeout is out of range');
  else {
    node.pauseClients(Number(ms), mode === 'WRITE');
    reply.ok();
  }
}

function unblock({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const reason = args[3]?.toLowerCase() ?? 'timeout';
  if (args.length > 4) {
    reply.error("ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.");
    return;
  }
  if (reason !== 'timeout' && reason !== 'error') {
    reply.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
    return;
  }
  const id = parseInteger(args[2] as Bytes);
  if (id === null) reply.error(notAnInteger);
  else reply.integer(node.unblockClient(Number(id), reason === 'error') ? 1 : 0);
}

function onOff(args: readonly Bytes[], set: (on: boolean) => void, { reply }: CommandContext): void {
  const word = (args[2] as Bytes).toUpperCase();
  if (word !== 'ON' && word !== 'OFF') {
    reply.error(syntaxError);
    return;
  }
  set(word === 'ON');
  reply.ok();
}

function setInfo({ session, reply }: CommandContext, args: readonly Bytes[]): void {
  const [, , attribute, value] = args as [Bytes, Bytes, Bytes, Bytes];
  const name = attribute.toLowerCase();
  if (name !== 'lib-name' && name !== 'lib-ver')
    reply.error(`ERR Unrecognized option '${shownInError(attribute)}'`);
  else if (!isPlainWord(value))
    reply.error(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  else {
    if (name === 'lib-name') session.libName = value;
    else session.libVersion = value;
    reply.ok();
  }
}

function setReplyMode({ session, reply }: CommandContext, args: readonly Bytes[]): void {
  const mode = (args[2] as Bytes).toLowerCase();
  if (mode !== 'on' && mode !== 'off' && mode !== 'skip') {
    reply.error(syntaxError);
    return;
  }
  session.setReplyMode(mode);
  if (mode === 'on') reply.ok();
}

const local = ['noscript', 'loading', 'stale'] as const;

export const connectionCommands: readonly CommandSpec[] = [
  onSession(
    'ping',
    [-1, ['fast'], '1.0.0', 'O(1)', '[message]', 'Answers PONG, or the message.'],
    ({ reply }, args) => {
      if (args.length > 2) reply.error("ERR wrong number of arguments for 'ping' command");
      else if (args[1] === undefined) reply.simple('PONG');
      else reply.bulk(args[1]);
    },
  ),
  onSession(
    'echo',
    [2, ['loading', 'stale', 'fast'], '1.0.0', 'O(1)', 'message', 'Answers the message.'],
    ({ reply }, args) => reply.bulk(args[1] as Bytes),
  ),
  onSession(
    'hello',
    [
      -1,
      [...local, 'fast', 'no_auth'],
      '6.0.0',
      'O(1)',
      '[protover [AUTH username password] [SETNAME clientname]]',
      'Agrees on a protocol version.',
    ],
    hello,
  ),
  onSession(
    'auth',
    [-2, [...local, 'fast', 'no_auth'], '1.0.0', 'O(1)', '[username] password', 'Proves the password.'],
    auth,
  ),
  onSession(
    'select',
    [2, ['loading', 'stale', 'fast'], '1.0.0', 'O(1)', 'index', 'Chooses the database; there is only 0.'],
    select,
  ),
  onSession(
    'quit',
    [-1, [...local, 'fast', 'no_auth'], '1.0.0', 'O(1)', '', 'Closes the connection.'],
    ({ session, reply }) => {
      reply.ok();
      session.closeAfterReply();
    },
  ),
  onSession(
    'reset',
    [1, [...local, 'fast', 'no_auth'], '6.2.0', 'O(1)', '', 'Makes the connection as new.'],
    ({ session, reply }) => {
      session.reset();
      reply.simple('RESET');
    },
  ),
  container('client', '2.4.0', 'About client connections.', [
    onSession(
      'client|id',
      [2, local, '5.0.0', 'O(1)', '', 'Number of this connection.'],
      ({ session, reply }) => reply.integer(session.id),
    ),
    onSession(
      'client|info',
      [2, local, '6.2.0', 'O(1)', '', 'Facts about this connection.'],
      ({ node, session, reply }) => {
        const self = node.clients().find((client) => client.id === session.id);
        reply.verbatim(self === undefined ? '' : `${describe(self)}\n`);
      },
    ),
    onSession(
      'client|list',
      [
        -2,
        ['admin', ...local],
        '2.4.0',
        'O(N) with N connections',
        '[TYPE normal] [ID client-id [client-id ...]]',
        'Lists connections.',
      ],
      list,
    ),
    onSession(
      'client|getname',
      [2, local, '2.6.9', 'O(1)', '', 'Name of this connection.'],
      ({ session, reply }) => {
        if (session.name === '') reply.nil();
        else reply.bulk(session.name);
      },
    ),
    onSession(
      'client|setname',
      [3, local, '2.6.9', 'O(1)', 'connection-name', 'Names this connection.'],
      ({ session, reply }, args) => {
        const name = args[2] as Bytes;
        if (!isPlainWord(name)) {
          reply.error(badName);
          return;
        }
        session.name = name;
        reply.ok();
      },
    ),
    onSession(
      'client|setinfo',
      [4, local, '7.2.0', 'O(1)', '<LIB-NAME libname | LIB-VER libver>', 'Tells which library is used.'],
      setInfo,
    ),
    onSession(
      'client|no-evict',
      [3, ['admin', ...local], '7.0.0', 'O(1)', '<ON | OFF>', 'Accepted; connections are not evicted.'],
      (context, args) =>
        onOff(
          args,
          (on) => {
            context.session.noEvict = on;
          },
          context,
        ),
    ),
    onSession(
      'client|no-touch',
      [3, local, '7.2.0', 'O(1)', '<ON | OFF>', 'Accepted; uses of keys are not recorded.'],
      (context, args) =>
        onOff(
          args,
          (on) => {
            context.session.noTouch = on;
          },
          context,
        ),
    ),
    onSession(
      'client|reply',
      [3, local, '3.2.0', 'O(1)', '<ON | OFF | SKIP>', 'Whether replies are sent.'],
      setReplyMode,
    ),
    onSession(
      'client|kill',
      [
        -3,
        ['admin', ...local],
        '2.4.0',
        'O(N) with N connections',
        '<ip:port | filter value ...>',
        'Closes connections.',
      ],
      kill,
    ),
    onSession(
      'client|pause',
      [
        -3,
        ['admin', ...local],
        '3.0.0',
        'O(1)',
        'timeout [WRITE | ALL]',
        'Holds commands of all clients back for a while.',
      ],
      pause,
    ),
    onSession(
      'client|unblock',
      [
        -3,
        ['admin', ...local],
        '5.0.0',
        'O(1)',
        'client-id [TIMEOUT | ERROR]',
        'Ends the wait of a connection whose command waits.',
      ],
      unblock,
    ),
    onSession(
      'client|unpause',
      [2, ['admin', ...local], '6.2.0', 'O(1)', '', 'Ends a pause.'],
      ({ node, reply }) => {
        node.pauseClients(0, false);
        reply.ok();
      },
    ),
  ]),
];
