import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember } from '../state/collections.ts';
import { SortedSetValue } from '../state/collections.ts';
import { notAFloat, notAnInteger, parseInteger, syntaxError } from './parse.ts';
import { parseSampleCount, sample } from './samples.ts';
import { scanCollection } from './scan-options.ts';
import { formatScore, parseScore } from './scores.ts';
import type { RangeOptions } from './sorted-set-ranges.ts';
import { finders, rangeOptions } from './sorted-set-ranges.ts';
import { commandGroup, firstKey } from './spec.ts';
import { admitsElements } from './store.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('sorted-set');

type Run = NonNullable<CommandSpec['run']>;

function sortedAt(context: CommandContext, args: readonly Bytes[]): SortedSetValue | undefined | null {
  return collectionAt(context, args[1] as Bytes, SortedSetValue);
}

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
    if (sorted !== null) put(context, args[1] as Bytes, sorted, pairs, has);
  };
}

function put(
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
    // Not minus zero, which Redis's small sorted sets do not keep either.
    effects.sortedSetPut(key, member, next + 0);
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

/** Members, with their scores in arrays of their own (RESP3) or flat. */
function replyScored(
  context: CommandContext,
  items: readonly ScoredMember[],
  withScores: boolean,
  nested = context.reply.protocol === 3,
): void {
  const { reply } = context;
  const inPairs = withScores && nested;
  reply.array(withScores && !inPairs ? items.length * 2 : items.length);
  for (const { member, score } of items) {
    if (inPairs) reply.array(2);
    reply.bulk(member);
    if (withScores) reply.double(formatScore(score));
  }
}

/** So many items from a position on, or back from it. */
function items(sorted: SortedSetValue, start: number, count: number, reverse: boolean): ScoredMember[] {
  const found: ScoredMember[] = [];
  if (count <= 0) return found;
  for (const item of reverse ? sorted.order.backFrom(start) : sorted.order.from(start)) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}

/** Removes items from a sorted set; false when that is too much: then the error was answered. */
function removeItems(
  context: CommandContext,
  key: Bytes,
  sorted: SortedSetValue,
  gone: readonly ScoredMember[],
): boolean {
  const { effects } = context;
  if (gone.length === sorted.size) {
    effects.remove(key);
    return true;
  }
  const members = gone.map(({ member }) => member);
  if (!admitsElements(context, key, members)) return false;
  for (const member of members) effects.sortedSetRemove(key, member);
  return true;
}

function pop(fromEnd: boolean): Run {
  return (context, args) => {
    const { reply } = context;
    if (args.length > 3) return reply.error(syntaxError);
    const count = args.length > 2 ? parseInteger(args[2] as Bytes) : 1n;
    if (count === null || count < 0n) return reply.error('ERR value is out of range, must be positive');
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    const start = fromEnd ? (sorted?.size ?? 0) - 1 : 0;
    const popped = sorted === undefined ? [] : items(sorted, start, Number(count), fromEnd);
    if (sorted !== undefined && !removeItems(context, args[1] as Bytes, sorted, popped)) return;
    replyScored(context, popped, true, reply.protocol === 3 && args.length > 2);
  };
}

function count(kind: keyof typeof finders): Run {
  return (context, args) => {
    const find = finders[kind](args[2] as Bytes, args[3] as Bytes);
    if (typeof find === 'string') return context.reply.error(find);
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    const { from, to } = sorted === undefined ? { from: 0, to: 0 } : find(sorted);
    context.reply.integer(Math.max(to - from, 0));
  };
}

function removeRange(kind: keyof typeof finders): Run {
  return (context, args) => {
    const find = finders[kind](args[2] as Bytes, args[3] as Bytes);
    if (typeof find === 'string') return context.reply.error(find);
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    const { from, to } = sorted === undefined ? { from: 0, to: 0 } : find(sorted);
    const gone = sorted === undefined ? [] : items(sorted, from, to - from, false);
    if (sorted !== undefined && gone.length > 0 && !removeItems(context, args[1] as Bytes, sorted, gone))
      return;
    context.reply.integer(gone.length);
  };
}

function range(kind: RangeOptions['kind'] | null, direction: boolean | null): Run {
  return (context, args) => {
    const options = rangeOptions(args, kind, direction);
    if (typeof options === 'string') return context.reply.error(options);
    const { reverse, offset, limit } = options;
    const turned = reverse && options.kind !== 'rank';
    const [min, max] = (turned ? [args[3], args[2]] : [args[2], args[3]]) as [Bytes, Bytes];
    const find = finders[options.kind](min, max);
    if (typeof find === 'string') return context.reply.error(find);
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    if (sorted === undefined) return context.reply.array(0);
    const { from, to } = find(sorted);
    const left = offset < 0 ? 0 : to - from - offset;
    const wanted = limit < 0 ? left : Math.min(left, limit);
    // Ranks of a reversed range count from the end.
    const first = !reverse ? from + offset : turned ? to - 1 - offset : sorted.size - 1 - from;
    replyScored(context, items(sorted, first, wanted, reverse), options.withScores);
  };
}

function randomMember(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, random } = context;
  const wanted = args.length > 2 ? parseSampleCount(args[2] as Bytes, notAnInteger) : 1;
  if (typeof wanted === 'string') {
    reply.error(wanted);
    return;
  }
  const withScores = args.length > 3;
  if (args.length > 4 || (withScores && (args[3] as Bytes).toUpperCase() !== 'WITHSCORES')) {
    reply.error(syntaxError);
    return;
  }
  const sorted = sortedAt(context, args);
  if (sorted === null) return;
  if (args.length === 2) {
    if (sorted === undefined) reply.nil();
    else reply.bulk(sorted.members.random(random)[0]);
    return;
  }
  const drawn = sorted === undefined ? [] : sample(sorted.members, wanted, random);
  replyScored(
    context,
    drawn.map(([, item]) => item),
    withScores,
  );
}

const logarithmic = 'O(log N) with N members';
const ranged = 'O(log N + M) with N members, M of them in the range';
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
    'zcount',
    firstKey,
    [4, fastRead, '2.0.0', logarithmic, 'key min max', 'Number of members in a range of scores.'],
    count('score'),
  ),
  onKeys(
    'zlexcount',
    firstKey,
    [4, fastRead, '2.8.9', logarithmic, 'key min max', 'Number of members in a range of names.'],
    count('member'),
  ),
  ...(
    [
      ['zrange', '1.2.0', 'start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]', null, null],
      ['zrevrange', '1.2.0', 'start stop [WITHSCORES]', 'rank', true],
      ['zrangebyscore', '1.0.5', 'min max [WITHSCORES] [LIMIT offset count]', 'score', false],
      ['zrevrangebyscore', '2.2.0', 'max min [WITHSCORES] [LIMIT offset count]', 'score', true],
      ['zrangebylex', '2.8.9', 'min max [LIMIT offset count]', 'member', false],
      ['zrevrangebylex', '2.8.9', 'max min [LIMIT offset count]', 'member', true],
    ] as const
  ).map(([name, since, synopsis, kind, reverse]) =>
    onKeys(
      name,
      firstKey,
      [-4, ['readonly'], since, ranged, `key ${synopsis}`, 'The members in a range.'],
      range(kind, reverse),
    ),
  ),
  ...(
    [
      ['zremrangebyrank', '2.0.0', 'start stop', 'rank'],
      ['zremrangebyscore', '1.2.0', 'min max', 'score'],
      ['zremrangebylex', '2.8.9', 'min max', 'member'],
    ] as const
  ).map(([name, since, synopsis, kind]) =>
    onKeys(
      name,
      firstKey,
      [
        4,
        ['write'],
        since,
        'O(M*log N) with M removed',
        `key ${synopsis}`,
        'Removes the members in a range.',
      ],
      removeRange(kind),
    ),
  ),
  onKeys(
    'zpopmin',
    firstKey,
    [
      -2,
      ['write', 'fast'],
      '5.0.0',
      'O(M*log N) with M removed',
      'key [count]',
      'Removes the first members.',
    ],
    pop(false),
  ),
  onKeys(
    'zpopmax',
    firstKey,
    [-2, ['write', 'fast'], '5.0.0', 'O(M*log N) with M removed', 'key [count]', 'Removes the last members.'],
    pop(true),
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
        (sorted) => sorted.members,
        (member, { score }, found) => found.push(member, formatScore(score)),
      );
    },
  ),
];
