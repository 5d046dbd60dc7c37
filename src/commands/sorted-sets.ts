import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember } from '../state/collections.ts';
import { SortedSetValue } from '../state/collections.ts';
import { notAFloat, syntaxError } from './parse.ts';
import { parseSample, sample, sampleWork } from './samples.ts';
import { scanCollection } from './scan-options.ts';
import { formatScore, parseScore } from './scores.ts';
import { replyScored, sortedAt, storedScore } from './sorted-set-items.ts';
import { commandGroup, firstKey } from './spec.ts';
import { answerInSteps } from './steps.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('sorted-set');

type Run = NonNullable<CommandSpec['run']>;

const addOptions = ['NX', 'XX', 'CH', 'INCR', 'GT', 'LT'];

function conflict(has: (option: string) => boolean): string | null {
  if (has('NX') && has('XX')) return 'ERR XX and NX options at the same time are not compatible';
  if ((has('NX') && (has('GT') || has('LT'))) || (has('GT') && has('LT')))
    return 'ERR GT, LT, and/or NX options at the same time are not compatible';
  return null;
}

/** ZADD and, with the option INCR, ZINCRBY. */
function add(given: readonly string[]): Run {
  return (context, args) => {
    const { reply } = context;
    const options = new Set(given);
    let at = 2;
    while (at < args.length && addOptions.includes((args[at] as Bytes).toUpperCase()))
      options.add((args[at++] as Bytes).toUpperCase());
    const has = (option: string): boolean => options.has(option);
    const count = (args.length - at) / 2;
    if (count === 0 || !Number.isInteger(count)) return reply.error(syntaxError);
    const wrong = conflict(has);
    if (wrong !== null) return reply.error(wrong);
    if (has('INCR') && count > 1)
      return reply.error('ERR INCR option supports a single increment-element pair');
    const pairs: ScoredMember[] = [];
    for (let i = at; i < args.length; i += 2) {
      const score = parseScore(args[i] as Bytes);
      if (score === null) return reply.error(notAFloat);
      pairs.push({ score, member: args[i + 1] as Bytes });
    }
    const sorted = sortedAt(context, args);
    if (sorted !== null) addItems(context, args[1] as Bytes, sorted, pairs, has);
  };
}

/** Adds members by the options of ZADD and answers what it does; all arguments have been checked. */
export function addItems(
  context: CommandContext,
  key: Bytes,
  existing: SortedSetValue | undefined,
  pairs: readonly ScoredMember[],
  has: (option: string) => boolean,
): void {
  const { reply, effects } = context;
  let sorted = existing;
  let added = 0;
  let updated = 0;
  let result: number | null = null;
  for (const { member, score } of pairs) {
    const old = sorted?.scoreOf(member);
    if (has(old === undefined ? 'XX' : 'NX')) continue;
    const next = has('INCR') && old !== undefined ? old + score : score;
    if (Number.isNaN(next)) {
      reply.error('ERR resulting score is not a number (NaN)');
      return;
    }
    if (old !== undefined && ((has('LT') && next >= old) || (has('GT') && next <= old))) continue;
    result = next;
    if (next === old) continue;
    if (old === undefined) added += 1;
    else updated += 1;
    effects.sortedSetPut(key, member, storedScore(next));
    sorted ??= context.get(key)?.value as SortedSetValue;
  }
  if (!has('INCR')) reply.integer(has('CH') ? added + updated : added);
  else if (result === null) reply.nil();
  else reply.double(formatScore(result));
}

function remove(context: CommandContext, args: readonly Bytes[]): void {
  const sorted = sortedAt(context, args);
  if (sorted === null) return;
  let removed = 0;
  for (let i = 2; sorted !== undefined && i < args.length; i++) {
    if (sorted.scoreOf(args[i] as Bytes) === undefined) continue;
    context.effects.sortedSetRemove(args[1] as Bytes, args[i] as Bytes);
    removed += 1;
  }
  context.reply.integer(removed);
}

function replyScore({ reply }: CommandContext, score: number | undefined): void {
  if (score === undefined) reply.nil();
  else reply.double(formatScore(score));
}

function rank(name: string, reverse: boolean): Run {
  return (context, args) => {
    const { reply } = context;
    if (args.length > 4) return reply.error(`ERR wrong number of arguments for '${name}' command`);
    const withScore = args.length > 3;
    if (withScore && (args[3] as Bytes).toUpperCase() !== 'WITHSCORE') return reply.error(syntaxError);
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    const member = args[2] as Bytes;
    const found = sorted?.rankOf(member);
    if (sorted === undefined || found === undefined) {
      if (withScore) reply.nilArray();
      else reply.nil();
      return;
    }
    if (withScore) reply.array(2);
    reply.integer(reverse ? sorted.size - 1 - found : found);
    if (withScore) replyScore(context, sorted.scoreOf(member));
  };
}

function randomMember(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, random } = context;
  const wanted = parseSample(args, 'WITHSCORES');
  if (typeof wanted === 'string') {
    reply.error(wanted);
    return;
  }
  const sorted = sortedAt(context, args);
  if (sorted === null) return;
  if (args.length === 2) {
    if (sorted === undefined) reply.nil();
    else reply.bulk(sorted.random(random)[0]);
    return;
  }
  answerInSteps(
    context,
    [sorted],
    ([asNow]) => sample(asNow ?? new SortedSetValue(), wanted.count, random),
    (writer, drawn) => {
      const items = drawn.map(([, item]) => item);
      replyScored(writer, items, wanted.inPairs);
    },
    sampleWork(sorted?.size ?? 0, wanted.count),
  );
}

const logarithmic = 'O(log N) with N members';
const fastRead = ['readonly', 'fast'] as const;

export const sortedSetCommands: readonly CommandSpec[] = [
  onKeys(
    'zadd',
    firstKey,
    [
      -4,
      ['write', 'denyoom', 'fast'],
      '1.2.0',
      'O(log N) for each member',
      'key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]',
      'Adds members with their scores, or changes scores.',
    ],
    add([]),
  ),
  onKeys(
    'zincrby',
    firstKey,
    [4, ['write', 'denyoom', 'fast'], '1.2.0', logarithmic, 'key increment member', 'Adds to a score.'],
    add(['INCR']),
  ),
  onKeys(
    'zrem',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '1.2.0',
      'O(M*log N) with M removed',
      'key member [member ...]',
      'Removes members.',
    ],
    remove,
  ),
  onKeys('zcard', firstKey, [2, fastRead, '1.2.0', 'O(1)', 'key', 'Number of members.'], (context, args) => {
    const sorted = sortedAt(context, args);
    if (sorted !== null) context.reply.integer(sorted?.size ?? 0);
  }),
  onKeys(
    'zscore',
    firstKey,
    [3, fastRead, '1.2.0', 'O(1)', 'key member', 'The score of a member.'],
    (context, args) => {
      const sorted = sortedAt(context, args);
      if (sorted !== null) replyScore(context, sorted?.scoreOf(args[2] as Bytes));
    },
  ),
  onKeys(
    'zmscore',
    firstKey,
    [-3, fastRead, '6.2.0', 'O(N) with N members asked for', 'key member [member ...]', 'Scores of members.'],
    (context, args) => {
      const sorted = sortedAt(context, args);
      if (sorted === null) return;
      context.reply.array(args.length - 2);
      for (const member of args.slice(2)) replyScore(context, sorted?.scoreOf(member));
    },
  ),
  onKeys(
    'zrank',
    firstKey,
    [-3, fastRead, '2.0.0', logarithmic, 'key member [WITHSCORE]', 'Position of a member.'],
    rank('zrank', false),
  ),
  onKeys(
    'zrevrank',
    firstKey,
    [-3, fastRead, '2.0.0', logarithmic, 'key member [WITHSCORE]', 'Position from the end.'],
    rank('zrevrank', true),
  ),
  onKeys(
    'zrandmember',
    firstKey,
    [-2, ['readonly'], '6.2.0', 'O(N) with N returned', 'key [count [WITHSCORES]]', 'Random members.'],
    randomMember,
  ),
  onKeys(
    'zscan',
    firstKey,
    [
      -3,
      ['readonly'],
      '2.8.0',
      'O(1) for each call',
      'key cursor [MATCH pattern] [COUNT count]',
      'Goes through members and scores step by step.',
    ],
    (context, args) => {
      scanCollection(
        context,
        args,
        SortedSetValue,
        (sorted) => sorted,
        (member, { score }, found) => found.push(member, formatScore(score)),
      );
    },
  ),
];
