import type { Bytes } from '../bytes/types.ts';
import { ListValue } from '../state/collections.ts';
import { notAnInteger, parseInteger, parsePosition, syntaxError } from './parse.ts';
import { commandGroup, firstKey } from './spec.ts';
import { admitsChanges } from './store.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('list');

function listAt(context: CommandContext, args: readonly Bytes[]): ListValue | undefined | null {
  return collectionAt(context, args[1] as Bytes, ListValue);
}

/** LPUSH, RPUSH, and those that push to a list that exists only. */
function push(head: boolean, onlyExisting: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { effects, reply } = context;
    const key = args[1] as Bytes;
    const list = listAt(context, args);
    if (list === null) return;
    if (list === undefined && onlyExisting) {
      reply.integer(0);
      return;
    }
    const before = list?.size ?? 0;
    for (let i = 2; i < args.length; i++) {
      if (head) effects.listInsert(key, 0, args[i] as Bytes);
      else effects.listAppend(key, args[i] as Bytes);
    }
    reply.integer(before + args.length - 2);
  };
}

function insert(context: CommandContext, args: readonly Bytes[]): void {
  const [, key, where, pivot, item] = args as [Bytes, Bytes, Bytes, Bytes, Bytes];
  const { reply } = context;
  const side = where.toLowerCase();
  if (side !== 'before' && side !== 'after') {
    reply.error(syntaxError);
    return;
  }
  const list = listAt(context, args);
  if (list === null) return;
  if (list === undefined) {
    reply.integer(0);
    return;
  }
  const at = list.items.search(0, (each) => each === pivot);
  if (at >= 0) context.effects.listInsert(key, side === 'before' ? at : at + 1, item);
  reply.integer(at < 0 ? -1 : list.size);
}

function indexOf(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const list = listAt(context, args);
  if (list === null) return;
  if (list === undefined) {
    reply.nil();
    return;
  }
  const index = parsePosition(args[2] as Bytes);
  if (index === null) {
    reply.error(notAnInteger);
    return;
  }
  const at = index < 0 ? index + list.size : index;
  if (at < 0 || at >= list.size) reply.nil();
  else reply.bulk(list.items.get(at));
}

function set(context: CommandContext, args: readonly Bytes[]): void {
  const [, key, position, item] = args as [Bytes, Bytes, Bytes, Bytes];
  const { reply } = context;
  const list = listAt(context, args);
  if (list === null) return;
  if (list === undefined) {
    reply.error('ERR no such key');
    return;
  }
  const index = parsePosition(position);
  if (index === null) {
    reply.error(notAnInteger);
    return;
  }
  const at = index < 0 ? index + list.size : index;
  if (at < 0 || at >= list.size) {
    reply.error('ERR index out of range');
    return;
  }
  context.effects.listSet(key, at, item);
  reply.ok();
}

/** Start and stop as LRANGE and LTRIM take them; null when they are no integers: then the error was answered. */
function parseRange({ reply }: CommandContext, args: readonly Bytes[]): [number, number] | null {
  const start = parsePosition(args[2] as Bytes);
  const stop = parsePosition(args[3] as Bytes);
  if (start !== null && stop !== null) return [start, stop];
  reply.error(notAnInteger);
  return null;
}

/** First position and length of what a range means in a list of `size` items. */
function resolve([start, stop]: [number, number], size: number): { from: number; length: number } {
  const from = Math.max(start < 0 ? start + size : start, 0);
  const to = Math.min(stop < 0 ? stop + size : stop, size - 1);
  return { from, length: Math.max(to - from + 1, 0) };
}

function range(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const wanted = parseRange(context, args);
  if (wanted === null) return;
  const list = listAt(context, args);
  if (list === null) return;
  const { from, length } = resolve(wanted, list?.size ?? 0);
  reply.array(length);
  const last = from + length - 1;
  if (length === 0) return;
  list?.items.search(from, (item, at) => {
    reply.bulk(item);
    return at === last;
  });
}

function trim(context: CommandContext, args: readonly Bytes[]): void {
  const { effects } = context;
  const key = args[1] as Bytes;
  const wanted = parseRange(context, args);
  if (wanted === null) return;
  const list = listAt(context, args);
  if (list === null) return;
  if (list !== undefined) {
    const { size } = list;
    const { from, length } = resolve(wanted, size);
    const behind = from + length;
    if (length === 0) effects.remove(key);
    else {
      if (behind < size) effects.listRemove(key, behind, size - behind);
      if (from > 0) effects.listRemove(key, 0, from);
      if (length === size) context.markChanged(key);
    }
  }
  context.reply.ok();
}

function remove(context: CommandContext, args: readonly Bytes[]): void {
  const [, key, , item] = args as [Bytes, Bytes, Bytes, Bytes];
  const { reply } = context;
  const count = parsePosition(args[2] as Bytes);
  if (count === null) {
    reply.error(notAnInteger);
    return;
  }
  const list = listAt(context, args);
  if (list === null) return;
  const found: number[] = [];
  const wanted = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  const note = (each: Bytes, at: number): boolean => {
    if (each === item) found.push(at);
    return found.length === wanted;
  };
  if (count < 0) list?.items.searchBack(list.size - 1, note);
  else list?.items.search(0, note);
  if (count >= 0) found.reverse();
  // From the last to the first, so that positions stay true; neighbours go together.
  const runs: { readonly from: number; readonly length: number }[] = [];
  for (let i = 0; i < found.length; ) {
    const last = found[i] as number;
    let length = 1;
    while (found[i + length] === last - length) length += 1;
    runs.push({ from: last - length + 1, length });
    i += length;
  }
  if (runs.length > 1 && !admitsChanges(context, key, runs.length)) return;
  for (const { from, length } of runs) context.effects.listRemove(key, from, length);
  reply.integer(found.length);
}

interface PositionOptions {
  rank: number;
  /** -1: not given. */
  count: number;
  /** 0: all. */
  most: number;
}

/** The options of LPOS; a string is the error line. */
function parsePositionOptions(args: readonly Bytes[]): PositionOptions | string {
  const options = { rank: 1, count: -1, most: 0 };
  for (let i = 3; i < args.length; i += 2) {
    const word = (args[i] as Bytes).toUpperCase();
    const text = args[i + 1];
    if (text === undefined || !['RANK', 'COUNT', 'MAXLEN'].includes(word)) return syntaxError;
    const value = parsePosition(text);
    if (word === 'RANK') {
      if (value === null) return notAnInteger;
      if (value === 0)
        return "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list";
      if (parseInteger(text) === leastInteger)
        return 'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807';
      options.rank = value;
    } else if (value === null || value < 0) return `ERR ${word} can't be negative`;
    else if (word === 'COUNT') options.count = value;
    else options.most = value;
  }
  return options;
}

const leastInteger = -9223372036854775808n;

function positions(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const item = args[2] as Bytes;
  const options = parsePositionOptions(args);
  if (typeof options === 'string') {
    reply.error(options);
    return;
  }
  const list = listAt(context, args);
  if (list === null) return;
  const { rank, count, most } = options;
  const wanted = count === -1 ? 1 : count === 0 ? Number.POSITIVE_INFINITY : count;
  const found: number[] = [];
  let skip = Math.abs(rank) - 1;
  let left = most === 0 ? Number.POSITIVE_INFINITY : most;
  const note = (each: Bytes, at: number): boolean => {
    if (each === item && --skip < 0) found.push(at);
    return found.length === wanted || --left === 0;
  };
  if (rank < 0) list?.items.searchBack(list.size - 1, note);
  else list?.items.search(0, note);
  if (count !== -1) {
    reply.array(found.length);
    for (const at of found) reply.integer(at);
  } else if (found[0] === undefined) reply.nil();
  else reply.integer(found[0]);
}

export const listCommands: readonly CommandSpec[] = [
  onKeys(
    'lpush',
    firstKey,
    [
      -3,
      ['write', 'denyoom', 'fast'],
      '1.0.0',
      'O(N) with N elements',
      'key element [element ...]',
      'Puts elements before the head of a list.',
    ],
    push(true, false),
  ),
  onKeys(
    'rpush',
    firstKey,
    [
      -3,
      ['write', 'denyoom', 'fast'],
      '1.0.0',
      'O(N) with N elements',
      'key element [element ...]',
      'Puts elements behind the tail of a list.',
    ],
    push(false, false),
  ),
  onKeys(
    'lpushx',
    firstKey,
    [
      -3,
      ['write', 'denyoom', 'fast'],
      '2.2.0',
      'O(N) with N elements',
      'key element [element ...]',
      'Puts elements before the head of a list that exists.',
    ],
    push(true, true),
  ),
  onKeys(
    'rpushx',
    firstKey,
    [
      -3,
      ['write', 'denyoom', 'fast'],
      '2.2.0',
      'O(N) with N elements',
      'key element [element ...]',
      'Puts elements behind the tail of a list that exists.',
    ],
    push(false, true),
  ),
  onKeys(
    'linsert',
    firstKey,
    [
      5,
      ['write', 'denyoom'],
      '2.2.0',
      'O(N) with N elements before the pivot',
      'key <BEFORE | AFTER> pivot element',
      'Puts an element before or behind another one.',
    ],
    insert,
  ),
  onKeys(
    'llen',
    firstKey,
    [2, ['readonly', 'fast'], '1.0.0', 'O(1)', 'key', 'Number of elements.'],
    (context, args) => {
      const list = listAt(context, args);
      if (list !== null) context.reply.integer(list?.size ?? 0);
    },
  ),
  onKeys(
    'lindex',
    firstKey,
    [3, ['readonly'], '1.0.0', 'O(log N) with N elements', 'key index', 'The element at a position.'],
    indexOf,
  ),
  onKeys(
    'lset',
    firstKey,
    [
      4,
      ['write', 'denyoom'],
      '1.0.0',
      'O(log N) with N elements',
      'key index element',
      'Replaces the element at a position.',
    ],
    set,
  ),
  onKeys(
    'lrange',
    firstKey,
    [
      4,
      ['readonly'],
      '1.0.0',
      'O(log N + M) with N elements and M of them returned',
      'key start stop',
      'The elements of a range of positions.',
    ],
    range,
  ),
  onKeys(
    'ltrim',
    firstKey,
    [
      4,
      ['write'],
      '1.0.0',
      'O(log N + M) with N elements and M of them removed',
      'key start stop',
      'Removes all elements outside of a range of positions.',
    ],
    trim,
  ),
  onKeys(
    'lrem',
    firstKey,
    [
      4,
      ['write'],
      '1.0.0',
      'O(N) with N elements',
      'key count element',
      'Removes elements that equal a given one.',
    ],
    remove,
  ),
  onKeys(
    'lpos',
    firstKey,
    [
      -3,
      ['readonly'],
      '6.0.6',
      'O(N) with N elements looked at',
      'key element [RANK rank] [COUNT num-matches] [MAXLEN len]',
      'Positions of elements that equal a given one.',
    ],
    positions,
  ),
];
