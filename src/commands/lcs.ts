import type { Bytes } from '../bytes/types.ts';
import type { StringValue } from '../state/entry.ts';
import type { CommonRun } from './common-subsequence.ts';
import { CommonSubsequence } from './common-subsequence.ts';
import { notAnInteger, parsePosition, syntaxError } from './parse.ts';
import { commandGroup, twoKeys } from './spec.ts';
import { isStringOrNone } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('string');

/** Most bytes of the table that is filled to find the subsequence; filling it stops everything else for about 10 ms. */
const tableBytes = 32 << 20;

interface Options {
  readonly onlyLength: boolean;
  readonly positions: boolean;
  readonly withLengths: boolean;
  readonly least: number;
}

/** A string is the error line. */
function parseOptions(args: readonly Bytes[]): Options | string {
  const words = new Set<string>();
  let least = 0;
  for (let i = 3; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    if (['IDX', 'LEN', 'WITHMATCHLEN'].includes(word)) words.add(word);
    else if (word === 'MINMATCHLEN' && i + 1 < args.length) {
      const length = parsePosition(args[++i] as Bytes);
      if (length === null) return notAnInteger;
      least = length;
    } else return syntaxError;
  }
  if (words.has('IDX') && words.has('LEN'))
    return 'ERR If you want both the length and indexes, please just use IDX.';
  return {
    onlyLength: words.has('LEN'),
    positions: words.has('IDX'),
    withLengths: words.has('WITHMATCHLEN'),
    least,
  };
}

/** The string at a key, of which a long one has yet to be read; null when it holds another type. */
function valueAt(context: CommandContext, key: Bytes): StringValue | null {
  const entry = context.get(key);
  return isStringOrNone(entry) ? (entry?.value ?? '') : null;
}

function longestCommon(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const first = valueAt(context, args[1] as Bytes);
  const second = valueAt(context, args[2] as Bytes);
  if (first === null || second === null) {
    reply.error('ERR The specified keys must contain string values');
    return;
  }
  const options = parseOptions(args);
  if (typeof options === 'string') {
    reply.error(options);
    return;
  }
  if (4 * (first.length + 1) * (second.length + 1) > tableBytes) {
    reply.error('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
    return;
  }
  const common = new CommonSubsequence(first.slice(0, first.length), second.slice(0, second.length));
  if (options.onlyLength) reply.integer(common.length);
  else if (options.positions) replyRuns(context, common, options);
  else reply.bulk(common.text());
}

function replyRuns({ reply }: CommandContext, common: CommonSubsequence, options: Options): void {
  const runs = common.runs().filter(({ length }) => length >= options.least);
  reply.map(2);
  reply.bulk('matches');
  reply.array(runs.length);
  for (const { inFirst, inSecond, length } of runs) {
    reply.array(options.withLengths ? 3 : 2);
    for (const [from, to] of [inFirst, inSecond] satisfies CommonRun['inFirst'][]) {
      reply.array(2);
      reply.integer(from);
      reply.integer(to);
    }
    if (options.withLengths) reply.integer(length);
  }
  reply.bulk('len');
  reply.integer(common.length);
}

export const lcsCommands: readonly CommandSpec[] = [
  onKeys(
    'lcs',
    twoKeys,
    [
      -3,
      ['readonly'],
      '7.0.0',
      'O(N*M) with strings of N and M bytes',
      'key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]',
      'The longest sequence of bytes that two strings have in common.',
    ],
    longestCommon,
  ),
];
