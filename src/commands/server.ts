import type { Bytes } from '../bytes/types.ts';
import { categoriesOf } from './categories.ts';
import { globMatches } from './glob.ts';
import { infoText } from './info.ts';
import { parseFloatStrict, shownInError, syntaxError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec, NodeServices } from './types.ts';

const { onSession, container } = commandGroup('server');

function configGet({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const found = new Map<string, { readonly shown: Bytes; readonly value: string }>();
  for (const pattern of args.slice(2)) {
    // A name is given back as it was asked for.
    const isName = !/[[*?]/.test(pattern);
    for (const [name, value] of node.configGet(pattern.toLowerCase()))
      if (!found.has(name)) found.set(name, { shown: isName ? pattern : name, value });
  }
  reply.map(found.size);
  for (const { shown, value } of found.values()) {
    reply.bulk(shown);
    reply.text(value);
  }
}

function configSet({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  if (args.length % 2 !== 0) {
    reply.error(syntaxError);
    return;
  }
  const before = new Map<string, string>();
  for (let i = 2; i < args.length; i += 2) {
    const name = (args[i] as Bytes).toLowerCase();
    const [known] = /[[*?]/.test(name) ? [] : node.configGet(name);
    if (known === undefined) {
      reply.error(`ERR Unknown option or number of arguments for CONFIG SET - '${shownInError(name)}'`);
      return;
    }
    if (before.has(name)) {
      reply.error(`ERR CONFIG SET failed (possibly related to argument '${name}') - duplicate parameter`);
      return;
    }
    before.set(name, known[1]);
  }
  const problem = setAll(node, args);
  if (problem === null) {
    reply.ok();
    return;
  }
  for (const [name, value] of before) node.configSet(name, value);
  reply.error(problem);
}

/** Sets parameters up to the first that cannot be set: its error line. */
function setAll(node: NodeServices, args: readonly Bytes[]): string | null {
  for (let i = 2; i < args.length; i += 2) {
    const problem = node.configSet((args[i] as Bytes).toLowerCase(), args[i + 1] as Bytes);
    if (problem !== null) return problem;
  }
  return null;
}

function time({ node, reply }: CommandContext): void {
  const ms = node.wallMs();
  reply.array(2);
  reply.bulk(String(Math.floor(ms / 1000)));
  reply.bulk(String(Math.floor((ms % 1000) * 1000)));
}

function debugSleep({ node, session, reply }: CommandContext, args: readonly Bytes[]): void {
  const seconds = parseFloatStrict(args[2] as Bytes);
  if (!node.debugEnabled) {
    reply.error('ERR DEBUG command not allowed. Start the node with --debug-commands to allow it.');
  } else if (seconds === null || seconds < 0 || seconds > 3600) {
    reply.error(syntaxError);
  } else {
    session.pause(seconds * 1000);
    reply.ok();
  }
}

const anywhere = ['loading', 'stale'] as const;

export const serverCommands: readonly CommandSpec[] = [
  onSession(
    'info',
    [-1, anywhere, '1.0.0', 'O(1)', '[section [section ...]]', 'Facts and figures about this node.'],
    (context, args) => context.reply.verbatim(infoText(context.node, args.slice(1))),
  ),
  onSession(
    'time',
    [1, [...anywhere, 'fast'], '2.6.0', 'O(1)', '', 'Wall clock of this node: seconds and microseconds.'],
    time,
  ),
  onSession(
    'lastsave',
    [1, [...anywhere, 'fast'], '1.0.0', 'O(1)', '', 'The time: every acknowledged write is saved.'],
    ({ node, reply }) => reply.integer(Math.floor(node.wallMs() / 1000)),
  ),
  container('config', '2.0.0', 'Configuration of this node.', [
    onSession(
      'config|get',
      [
        -3,
        ['admin', 'noscript', ...anywhere],
        '2.0.0',
        'O(N) with N parameters',
        'parameter [parameter ...]',
        'Values of parameters.',
      ],
      configGet,
    ),
    onSession(
      'config|set',
      [
        -4,
        ['admin', 'noscript', ...anywhere],
        '2.0.0',
        'O(N) with N parameters',
        'parameter value [parameter value ...]',
        'Changes parameters until the next start.',
      ],
      configSet,
    ),
    onSession(
      'config|resetstat',
      [2, ['admin', 'noscript', ...anywhere], '2.0.0', 'O(1)', '', 'Sets the counters of INFO to zero.'],
      ({ node, reply }) => {
        node.resetStatistics();
        reply.ok();
      },
    ),
  ]),
  onSession(
    'shutdown',
    [
      -1,
      ['admin', 'noscript', 'no_multi', ...anywhere],
      '1.0.0',
      'O(1)',
      '[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]',
      'Stops the node, leadership handed over first.',
    ],
    shutDown,
  ),
  container('debug', '1.0.0', 'For tests.', [
    onSession(
      'debug|sleep',
      [
        3,
        ['admin', 'noscript', ...anywhere],
        '1.0.0',
        'O(1)',
        'seconds',
        'Holds this connection for a while; only when allowed.',
      ],
      debugSleep,
    ),
    onSession(
      'debug|digest',
      [
        2,
        ['admin', 'noscript', ...anywhere],
        '1.0.0',
        'O(N) with N keys',
        '',
        'Digest of the state that this node has applied.',
      ],
      ({ node, reply }) => reply.simple(node.stateDigest()),
    ),
  ]),
];

/** Redis's own options: nothing here waits for a snapshot, and a shutdown that has begun is not called off. */
const shutdownWords: ReadonlySet<string> = new Set(['NOSAVE', 'SAVE', 'NOW', 'FORCE']);

function shutDown({ node, session, reply }: CommandContext, args: readonly Bytes[]): void {
  const words = args.slice(1).map((word) => word.toUpperCase());
  const saving = words.filter((word) => word === 'SAVE' || word === 'NOSAVE');
  if (words.length === 1 && words[0] === 'ABORT') reply.error('ERR No shutdown in progress.');
  else if (saving.length > 1 || !words.every((word) => shutdownWords.has(word))) reply.error(syntaxError);
  else {
    reply.ok();
    session.closeAfterReply();
    node.shutDown();
  }
}

/** FILTERBY PATTERN, ACLCAT or MODULE; null when it is none of them. */
function commandFilter(words: readonly Bytes[]): ((spec: CommandSpec) => boolean) | null {
  const [filterBy, kind, value] = words;
  if (words.length !== 3 || filterBy?.toUpperCase() !== 'FILTERBY') return null;
  const wanted = (value as Bytes).toLowerCase();
  switch ((kind as Bytes).toUpperCase()) {
    case 'PATTERN':
      return (spec) => globMatches(wanted, spec.name);
    case 'ACLCAT':
      return (spec) => categoriesOf(spec).includes(wanted);
    case 'MODULE':
      return () => false;
    default:
      return null;
  }
}

/** COMMAND and its subcommands; they need the table that they are part of. */
export function commandCommands(
  all: () => readonly CommandSpec[],
  find: (name: Bytes) => CommandSpec | undefined,
  keysOf: (spec: CommandSpec, args: readonly Bytes[]) => number[] | null,
): readonly CommandSpec[] {
  const about = commandGroup('server');

  const describe = (context: CommandContext, spec: CommandSpec): void => {
    const { reply } = context;
    reply.array(10);
    reply.bulk(spec.name);
    reply.integer(spec.arity);
    reply.set(spec.flags.length);
    for (const flag of spec.flags) reply.simple(flag);
    reply.integer(spec.keys?.first ?? 0);
    reply.integer(spec.keys?.last ?? 0);
    reply.integer(spec.keys?.step ?? 0);
    const categories = categoriesOf(spec);
    reply.set(categories.length);
    for (const category of categories) reply.simple(`@${category}`);
    // Tips and key specifications are not given: the positions above say where the keys are.
    reply.array(0);
    reply.array(0);
    reply.array(spec.subcommands?.length ?? 0);
    for (const sub of spec.subcommands ?? []) describe(context, sub);
  };

  const info = (context: CommandContext, args: readonly Bytes[]): void => {
    const specs = args.length <= 2 ? all() : args.slice(2).map(find);
    context.reply.array(specs.length);
    for (const spec of specs) {
      if (spec === undefined) context.reply.nil();
      else describe(context, spec);
    }
  };

  const document = (context: CommandContext, spec: CommandSpec): void => {
    const { reply } = context;
    const { doc, subcommands } = spec;
    const fields = { summary: doc.summary, since: doc.since, group: doc.group, complexity: doc.complexity };
    reply.bulk(spec.name);
    reply.map(Object.keys(fields).length + (subcommands === undefined ? 0 : 1));
    for (const [name, value] of Object.entries(fields)) {
      reply.bulk(name);
      reply.text(value);
    }
    if (subcommands === undefined) return;
    reply.bulk('subcommands');
    reply.map(subcommands.length);
    for (const sub of subcommands) document(context, sub);
  };

  const docs = (context: CommandContext, args: readonly Bytes[]): void => {
    const specs = args.length <= 2 ? all() : args.slice(2).flatMap((name) => find(name) ?? []);
    context.reply.map(specs.length);
    for (const spec of specs) document(context, spec);
  };

  const list = (context: CommandContext, args: readonly Bytes[]): void => {
    const filter = args.length === 2 ? () => true : commandFilter(args.slice(2));
    if (filter === null) {
      context.reply.error(syntaxError);
      return;
    }
    const filtered = args.length > 2;
    const names = all()
      .flatMap((spec) => (filtered ? [spec, ...(spec.subcommands ?? [])] : [spec]))
      .filter(filter)
      .map((spec) => spec.name);
    context.reply.array(names.length);
    for (const name of names) context.reply.bulk(name);
  };

  const getKeys = (context: CommandContext, args: readonly Bytes[]): void => {
    const inner = args.slice(2);
    let spec = find(inner[0] as Bytes);
    if (spec?.subcommands !== undefined && inner.length > 1) spec = find(`${inner[0]}|${inner[1]}`);
    const { reply } = context;
    if (spec === undefined) reply.error('ERR Invalid command specified');
    else if (spec.keys === null && spec.findKeys === undefined)
      reply.error('ERR The command has no key arguments');
    else if (spec.arity > 0 ? inner.length !== spec.arity : inner.length < -spec.arity) {
      reply.error('ERR Invalid number of arguments specified for command');
    } else {
      const keys = keysOf(spec, inner);
      if (keys === null) {
        reply.error('ERR Invalid arguments specified for command');
        return;
      }
      reply.array(keys.length);
      for (const index of keys) reply.bulk(inner[index] as Bytes);
    }
  };

  const container = about.container('command', '2.8.13', 'About commands.', [
    about.onSession(
      'command|count',
      [2, anywhere, '2.8.13', 'O(1)', '', 'Number of commands.'],
      ({ reply }) => reply.integer(all().length),
    ),
    about.onSession(
      'command|info',
      [
        -2,
        anywhere,
        '2.8.13',
        'O(N) with N commands',
        '[command-name [command-name ...]]',
        'Arity, flags and key positions of commands.',
      ],
      info,
    ),
    about.onSession(
      'command|docs',
      [
        -2,
        anywhere,
        '7.0.0',
        'O(N) with N commands',
        '[command-name [command-name ...]]',
        'Documents of commands.',
      ],
      docs,
    ),
    about.onSession(
      'command|list',
      [-2, anywhere, '7.0.0', 'O(N) with N commands', '[FILTERBY PATTERN pattern]', 'Names of commands.'],
      list,
    ),
    about.onSession(
      'command|getkeys',
      [
        -3,
        anywhere,
        '2.8.13',
        'O(N) with N arguments',
        'command [arg [arg ...]]',
        'The keys among the arguments of a command.',
      ],
      getKeys,
    ),
  ]);
  return [{ ...container, arity: -1, flags: anywhere, run: (context) => info(context, ['command', 'info']) }];
}
