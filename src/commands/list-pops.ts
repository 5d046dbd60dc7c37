import type { Bytes } from '../bytes/types.ts';
import { ListValue } from '../state/collections.ts';
import { parsePosition, syntaxError } from './parse.ts';
import type { SeveralPops } from './several-pops.ts';
import { popSeveral } from './several-pops.ts';
import { commandGroup, countedKeys, firstKey, twoKeys } from './spec.ts';
import { admitsElements } from './store.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onMovableKeys } = commandGroup('list');

/** Answers so many elements as an array, from an end inwards, and removes them. */
function take(context: CommandContext, key: Bytes, list: ListValue, head: boolean, wanted: number): void {
  const { reply, effects } = context;
  const { items, size } = list;
  const count = Math.min(wanted, size);
  reply.array(count);
  let left = count;
  const answer = (item: Bytes): boolean => {
    reply.bulk(item);
    return --left === 0;
  };
  if (head) items.search(0, answer);
  else items.searchBack(size - 1, answer);
  if (count === size) effects.remove(key);
  else effects.listRemove(key, head ? 0 : size - count, count);
}

/** Answers the element at an end and removes it. */
export function takeOne(
  { reply, effects }: CommandContext,
  key: Bytes,
  list: ListValue,
  head: boolean,
): void {
  const at = head ? 0 : list.size - 1;
  reply.bulk(list.items.get(at));
  effects.listRemove(key, at, 1);
}

function pop(name: string, head: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { reply } = context;
    const key = args[1] as Bytes;
    if (args.length > 3) {
      reply.error(`ERR wrong number of arguments for '${name}' command`);
      return;
    }
    const count = args.length === 3 ? parsePosition(args[2] as Bytes) : 1;
    if (count === null || count < 0) {
      reply.error('ERR value is out of range, must be positive');
      return;
    }
    const list = collectionAt(context, key, ListValue);
    if (list === null) return;
    if (list === undefined) {
      if (args.length === 3) reply.nilArray();
      else reply.nil();
    } else if (count === 0) reply.array(0);
    else if (args.length === 3) take(context, key, list, head, count);
    else takeOne(context, key, list, head);
  };
}

/** True for LEFT, false for RIGHT; null for anything else. */
export function parseEnd(text: Bytes): boolean | null {
  const word = text.toLowerCase();
  return word === 'left' ? true : word === 'right' ? false : null;
}

/** Moves the element at an end of one list to an end of another, or of the same. */
export function move(
  context: CommandContext,
  from: Bytes,
  to: Bytes,
  fromHead: boolean,
  toHead: boolean,
): void {
  const { reply, effects } = context;
  const source = collectionAt(context, from, ListValue);
  if (source === null) return;
  if (source === undefined) {
    reply.nil();
    return;
  }
  if (collectionAt(context, to, ListValue) === null) return;
  const { size } = source;
  const item = source.items.get(fromHead ? 0 : size - 1);
  // Many in one transaction would log far more than was sent.
  if (!admitsElements(context, to, [from, item])) return;
  // The other order would delete a list of one element that moves within it, and its expiry with it.
  if (toHead) effects.listInsert(to, 0, item);
  else effects.listAppend(to, item);
  const shifted = from === to && toHead ? 1 : 0;
  effects.listRemove(from, (fromHead ? 0 : size - 1) + shifted, 1);
  reply.bulk(item);
}

function moveBetween(context: CommandContext, args: readonly Bytes[]): void {
  const fromHead = parseEnd(args[3] as Bytes);
  const toHead = parseEnd(args[4] as Bytes);
  if (fromHead === null || toHead === null) context.reply.error(syntaxError);
  else move(context, args[1] as Bytes, args[2] as Bytes, fromHead, toHead);
}

/** Pops from the first of the lists that exists; false when none does, and nothing was answered. */
export function popFromFirst(context: CommandContext, { keys, head, count }: SeveralPops): boolean {
  for (const key of keys) {
    const list = collectionAt(context, key, ListValue);
    if (list === null) return true;
    if (list === undefined) continue;
    context.reply.array(2);
    context.reply.bulk(key);
    take(context, key, list, head, count);
    return true;
  }
  return false;
}

export const listPopCommands: readonly CommandSpec[] = [
  onKeys(
    'lpop',
    firstKey,
    [
      -2,
      ['write', 'fast'],
      '1.0.0',
      'O(N) with N elements returned',
      'key [count]',
      'Removes elements from the head of a list and returns them.',
    ],
    pop('lpop', true),
  ),
  onKeys(
    'rpop',
    firstKey,
    [
      -2,
      ['write', 'fast'],
      '1.0.0',
      'O(N) with N elements returned',
      'key [count]',
      'Removes elements from the tail of a list and returns them.',
    ],
    pop('rpop', false),
  ),
  onKeys(
    'rpoplpush',
    twoKeys,
    [
      3,
      ['write', 'denyoom'],
      '1.2.0',
      'O(1)',
      'source destination',
      'Moves the last element of a list to the head of another.',
    ],
    (context, args) => move(context, args[1] as Bytes, args[2] as Bytes, false, true),
  ),
  onKeys(
    'lmove',
    twoKeys,
    [
      5,
      ['write', 'denyoom'],
      '6.2.0',
      'O(1)',
      'source destination <LEFT | RIGHT> <LEFT | RIGHT>',
      'Moves an element from an end of a list to an end of another.',
    ],
    moveBetween,
  ),
  onMovableKeys(
    'lmpop',
    null,
    countedKeys(1),
    [
      -4,
      ['write'],
      '7.0.0',
      'O(N+M) with N keys and M elements returned',
      'numkeys key [key ...] <LEFT | RIGHT> [COUNT count]',
      'Removes elements from the first of the lists that exists and returns them.',
    ],
    popSeveral(parseEnd, popFromFirst),
  ),
];
