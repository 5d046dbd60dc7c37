import type { Bytes } from '../bytes/types.ts';
import { globMatches } from './glob.ts';
import { infoText } from './info.ts';
import { parseFloatStrict, syntaxError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onSession, container } = commandGroup('server');

function configGet({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  const found = new Map<string, string>();
  for (const pattern of args.slice(2))
    for (const [name, value] of node.configGet(pattern.toLowerCase())) found.set(name, value);
  reply.map(found.size);
  for (const [name, value] of found) {
    reply.bulk(name);
    reply.text(value);
  }
}

function configSet({ node, reply }: CommandContext, args: readonly Bytes[]): void {
  if (args.length % 2 !== 0) {
    reply.error("ERR wrong number of arguments for 'config|set' command");
    return;
  }
  for (let i = 2; i < args.length; i += 2) {
    const problem = node.configSet((args[i] as Bytes).toLowerCase(), args[i + 1] as Bytes);
    if (problem !== null) {
      reply.error(problem);
      return;
    }
  }
  reply.ok();
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
    reply.set(0);
    reply.array(0);
    reply.array(0);
    reply.array(spec.subcommands?.length ?? 0);
    for (const sub of spec.subcommands ?? []) describe(context, sub);
  };

  const info = (context: CommandContext, args: readonly Bytes[]): void => {
    const specs = args.length <= 2 ? all() : args.slice(2).map(find);
    context.reply.array(specs.length);
    for (const spec of specs) {
      if (spec === undefined) context.reply.nilArray();
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
    let names = all().map((spec) => spec.name);
    if (args.length === 5 && args[2]?.toUpperCase() === 'FILTERBY' && args[3]?.toUpperCase() === 'PATTERN') {
      names = names.filter((name) => globMatches((args[4] as Bytes).toLowerCase(), name));
    } else if (args.length !== 2) {
      context.reply.error(syntaxError);
      return;
    }
    context.reply.array(names.length);
    for (const name of names) context.reply.bulk(name);
  };

  const getKeys = (context: CommandContext, args: readonly Bytes[]): void => {
    const inner = args.slice(2);
    let spec = find(inner[0] as Bytes);
    if (spec?.subcommands !== undefined) spec = find(`${inner[0]}|${inner[1] ?? ''}`) ?? spec;
    const { reply } = context;
    if (spec === undefined) reply.error('ERR Invalid command specified');
    else if (spec.keys === null && spec.findKeys === undefined)
      reply.error('ERR The command has no key arguments');
    else if (spec.arity > 0 ? inner.length !== spec.arity : inner.length < -spec.arity) {
      reply.error('ERR Invalid number of arguments specified for command');
    } else {
      const keys = keysOf(spec, inner) ?? [];
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
  return [{ ...container, arity: -1, run: (context) => info(context, ['command', 'info']) }];
}
