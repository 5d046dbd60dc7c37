import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember } from '../state/collections.ts';
import { itemsFrom, replyScored, sortedAt, storeItems } from './sorted-set-items.ts';
import type { RangeOptions } from './sorted-set-ranges.ts';
import { finders, rangeOptions } from './sorted-set-ranges.ts';
import { commandGroup, firstKey, twoKeys } from './spec.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('sorted-set');

type Run = NonNullable<CommandSpec['run']>;
type Kind = RangeOptions['kind'];

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

function removeRange(kind: Kind): Run {
  return (context, args) => {
    const find = finders[kind](args[2] as Bytes, args[3] as Bytes);
    if (typeof find === 'string') return context.reply.error(find);
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    const { from, to } = sorted === undefined ? { from: 0, to: 0 } : find(sorted);
    const gone = Math.max(to - from, 0);
    if (gone > 0) context.effects.sortedSetRemoveRange(args[1] as Bytes, from, gone);
    context.reply.integer(gone);
  };
}

/** The members in a range that arguments behind the first key say; null when something is wrong: then the error was answered. */
function inRange(
  context: CommandContext,
  args: readonly Bytes[],
  at: number,
  options: RangeOptions | string,
): ScoredMember[] | null {
  const find =
    typeof options === 'string' ? options : findIn(options, args[at + 1] as Bytes, args[at + 2] as Bytes);
  if (typeof options === 'string' || typeof find === 'string') {
    context.reply.error(find as string);
    return null;
  }
  const sorted = sortedAt(context, args, at);
  if (sorted === null || sorted === undefined) return sorted === null ? null : [];
  const { reverse, offset, limit, kind } = options;
  const { from, to } = find(sorted);
  const left = offset < 0 ? 0 : to - from - offset;
  const wanted = limit < 0 ? left : Math.min(left, limit);
  if (!reverse) return itemsFrom(sorted, from + offset, wanted, false);
  // Ranks of a reversed range count from the end.
  return itemsFrom(sorted, kind === 'rank' ? sorted.size - 1 - from : to - 1 - offset, wanted, true);
}

/** Bounds of a reversed range by score or member come the higher one first. */
function findIn({ kind, reverse }: RangeOptions, first: Bytes, second: Bytes) {
  return reverse && kind !== 'rank' ? finders[kind](second, first) : finders[kind](first, second);
}

function range(kind: Kind | null, direction: boolean | null): Run {
  return (context, args) => {
    const options = rangeOptions(args.slice(4), kind, direction, true);
    const found = inRange(context, args, 1, options);
    if (found !== null) replyScored(context.reply, found, (options as RangeOptions).withScores);
  };
}

function storeRange(context: CommandContext, args: readonly Bytes[]): void {
  const found = inRange(context, args, 2, rangeOptions(args.slice(5), null, null, false));
  if (found !== null) storeItems(context, args[1] as Bytes, found);
}

const logarithmic = 'O(log N) with N members';
const ranged = 'O(log N + M) with N members, M of them in the range';
const fastRead = ['readonly', 'fast'] as const;

export const sortedSetRangeCommands: readonly CommandSpec[] = [
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
    'zrangestore',
    twoKeys,
    [
      -5,
      ['write', 'denyoom'],
      '6.2.0',
      'O(log N + M*log M) with N members, M of them in the range',
      'dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]',
      'Stores the members in a range.',
    ],
    storeRange,
  ),
];
