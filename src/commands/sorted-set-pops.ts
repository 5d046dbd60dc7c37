import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember } from '../state/collections.ts';
import { SortedSetValue } from '../state/collections.ts';
import { parseTimeout } from './blocking.ts';
import { parsePosition, syntaxError } from './parse.ts';
import { formatScore } from './scores.ts';
import type { SeveralPops } from './several-pops.ts';
import { popSeveral, popSeveralOrWait } from './several-pops.ts';
import { itemsFrom, replyScored, sortedAt } from './sorted-set-items.ts';
import { commandGroup, countedKeys, firstKey, keysBeforeTimeout } from './spec.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onMovableKeys } = commandGroup('sorted-set');

type Run = NonNullable<CommandSpec['run']>;

/** Removes so many items from an end on and gives them back. */
function take(
  { effects }: CommandContext,
  key: Bytes,
  sorted: SortedSetValue,
  lowest: boolean,
  count: number,
): ScoredMember[] {
  const { size } = sorted;
  const taken = itemsFrom(sorted, lowest ? 0 : size - 1, count, !lowest);
  const { length } = taken;
  // Either is logged in a few bytes, however many and long the members are.
  if (length === size) effects.remove(key);
  else if (length > 0) effects.sortedSetRemoveRange(key, lowest ? 0 : size - length, length);
  return taken;
}

function pop(lowest: boolean): Run {
  return (context, args) => {
    const { reply } = context;
    if (args.length > 3) return reply.error(syntaxError);
    const count = args.length > 2 ? parsePosition(args[2] as Bytes) : 1;
    if (count === null || count < 0) return reply.error('ERR value is out of range, must be positive');
    const sorted = sortedAt(context, args);
    if (sorted === null) return;
    const taken = sorted === undefined ? [] : take(context, args[1] as Bytes, sorted, lowest, count);
    replyScored(context.reply, taken, true, reply.protocol === 3 && args.length > 2);
  };
}

/** MIN is where a sorted set begins. */
function parseEnd(text: Bytes): boolean | null {
  const word = text.toUpperCase();
  return word === 'MIN' ? true : word === 'MAX' ? false : null;
}

/** The first of the sorted sets that exist; undefined without any, null for another type: then the error was answered. */
function firstOf(
  context: CommandContext,
  keys: readonly Bytes[],
): readonly [Bytes, SortedSetValue] | undefined | null {
  for (const key of keys) {
    const sorted = collectionAt(context, key, SortedSetValue);
    if (sorted === null) return null;
    if (sorted !== undefined) return [key, sorted];
  }
  return undefined;
}

/** Pops from the first of the sorted sets that exists; false when none does, and nothing was answered. */
function popFromFirst(context: CommandContext, { keys, head, count }: SeveralPops): boolean {
  const { reply } = context;
  const found = firstOf(context, keys);
  if (found === undefined) return false;
  if (found === null) return true;
  reply.array(2);
  reply.bulk(found[0]);
  replyScored(context.reply, take(context, ...found, head, count), true, true);
  return true;
}

function popWaiting(lowest: boolean): Run {
  return (context, args) => {
    const { reply } = context;
    const timeoutMs = parseTimeout(context, args[args.length - 1] as Bytes);
    if (timeoutMs === null) return;
    const keys = args.slice(1, -1);
    const found = firstOf(context, keys);
    if (found === null) return;
    if (found === undefined) {
      if (!context.session.waitForKeys(keys, 'zset', timeoutMs)) reply.nilArray();
      return;
    }
    const [{ member, score }] = take(context, ...found, lowest, 1) as [ScoredMember];
    reply.array(3);
    reply.bulk(found[0]);
    reply.bulk(member);
    reply.double(formatScore(score));
  };
}

const removing = 'O(M*log N) with M removed';

export const sortedSetPopCommands: readonly CommandSpec[] = [
  onKeys(
    'zpopmin',
    firstKey,
    [-2, ['write', 'fast'], '5.0.0', removing, 'key [count]', 'Removes the first members.'],
    pop(true),
  ),
  onKeys(
    'zpopmax',
    firstKey,
    [-2, ['write', 'fast'], '5.0.0', removing, 'key [count]', 'Removes the last members.'],
    pop(false),
  ),
  onMovableKeys(
    'zmpop',
    null,
    countedKeys(1),
    [
      -4,
      ['write'],
      '7.0.0',
      'O(K) + O(M*log N) with K keys and M removed',
      'numkeys key [key ...] <MIN | MAX> [COUNT count]',
      'Removes members from the first of the sorted sets that exists.',
    ],
    popSeveral(parseEnd, popFromFirst),
  ),
  onKeys(
    'bzpopmin',
    keysBeforeTimeout,
    [
      -3,
      ['write', 'blocking', 'fast'],
      '5.0.0',
      'O(log N) with N members',
      'key [key ...] timeout',
      'Removes the first member of the first of the sorted sets that exists, or waits for one.',
    ],
    popWaiting(true),
  ),
  onKeys(
    'bzpopmax',
    keysBeforeTimeout,
    [
      -3,
      ['write', 'blocking', 'fast'],
      '5.0.0',
      'O(log N) with N members',
      'key [key ...] timeout',
      'Removes the last member of the first of the sorted sets that exists, or waits for one.',
    ],
    popWaiting(false),
  ),
  onMovableKeys(
    'bzmpop',
    null,
    countedKeys(2),
    [
      -5,
      ['write', 'blocking'],
      '7.0.0',
      'O(K) + O(M*log N) with K keys and M removed',
      'timeout numkeys key [key ...] <MIN | MAX> [COUNT count]',
      'Removes members from the first of the sorted sets that exists, or waits for one.',
    ],
    popSeveralOrWait('zset', parseEnd, popFromFirst),
  ),
];
