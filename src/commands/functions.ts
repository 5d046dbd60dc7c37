import type { Bytes } from '../bytes/types.ts';
import { shownInError } from './parse.ts';
import { commandGroup } from './spec.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onSession, container } = commandGroup('scripting');

/** There is nothing to remove: OK, for programs that begin with a clean table. */
function flush({ reply }: CommandContext, args: readonly Bytes[]): void {
  const mode = args[2]?.toUpperCase();
  if (args.length > 3)
    reply.error(
      `ERR unknown subcommand or wrong number of arguments for '${shownInError((args[1] as Bytes).slice(0, 128))}'. Try FUNCTION HELP.`,
    );
  else if (mode !== undefined && mode !== 'SYNC' && mode !== 'ASYNC')
    reply.error('ERR FUNCTION FLUSH only supports SYNC|ASYNC option');
  else reply.ok();
}

function list({ reply }: CommandContext, args: readonly Bytes[]): void {
  const taken = new Set<string>();
  for (let i = 2; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    if (taken.has(word) || (word !== 'WITHCODE' && word !== 'LIBRARYNAME')) {
      reply.error(`ERR Unknown argument ${shownInError(args[i] as Bytes)}`);
      return;
    }
    taken.add(word);
    if (word !== 'LIBRARYNAME') continue;
    i += 1;
    if (i < args.length) continue;
    reply.error('ERR library name argument was not given');
    return;
  }
  reply.array(0);
}

function stats({ reply }: CommandContext): void {
  reply.map(2);
  reply.bulk('running_script');
  reply.nil();
  reply.bulk('engines');
  reply.map(0);
}

/** What programs ask about functions, of which there are none. */
export const functionCommands: readonly CommandSpec[] = [
  container('function', '7.0.0', 'About functions, of which there are none.', [
    onSession(
      'function|flush',
      [-2, ['noscript'], '7.0.0', 'O(1)', '[ASYNC | SYNC]', 'Does nothing: there are no functions.'],
      flush,
    ),
    onSession(
      'function|list',
      [
        -2,
        ['noscript'],
        '7.0.0',
        'O(1)',
        '[LIBRARYNAME library-name-pattern] [WITHCODE]',
        'An empty list: there are no functions.',
      ],
      list,
    ),
    onSession(
      'function|stats',
      [2, ['noscript'], '7.0.0', 'O(1)', '', 'No function runs, and no engine is there to run one.'],
      stats,
    ),
  ]),
];
