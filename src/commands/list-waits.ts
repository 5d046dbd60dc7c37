import type { Bytes } from '../bytes/types.ts';
import { ListValue } from '../state/collections.ts';
import { parseTimeout } from './blocking.ts';
import { move, parseEnd, popFromFirst, takeOne } from './list-pops.ts';
import { syntaxError } from './parse.ts';
import { popSeveralOrWait } from './several-pops.ts';
import { commandGroup, countedKeys, keysBeforeTimeout, twoKeys } from './spec.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onMovableKeys } = commandGroup('list');

function pop(head: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { reply } = context;
    const timeoutMs = parseTimeout(context, args[args.length - 1] as Bytes);
    if (timeoutMs === null) return;
    const keys = args.slice(1, -1);
    for (const key of keys) {
      const list = collectionAt(context, key, ListValue);
      if (list === null) return;
      if (list === undefined) continue;
      reply.array(2);
      reply.bulk(key);
      takeOne(context, key, list, head);
      return;
    }
    if (!context.session.waitForKeys(keys, 'list', timeoutMs)) reply.nilArray();
  };
}

function moveWaiting(
  context: CommandContext,
  args: readonly Bytes[],
  fromHead: boolean,
  toHead: boolean,
): void {
  const [, from, to] = args as [Bytes, Bytes, Bytes];
  const timeoutMs = parseTimeout(context, args[args.length - 1] as Bytes);
  if (timeoutMs === null) return;
  const source = collectionAt(context, from, ListValue);
  if (source === null) return;
  if (source === undefined && context.session.waitForKeys([from], 'list', timeoutMs)) return;
  move(context, from, to, fromHead, toHead);
}

function moveBetween(context: CommandContext, args: readonly Bytes[]): void {
  const fromHead = parseEnd(args[3] as Bytes);
  const toHead = parseEnd(args[4] as Bytes);
  if (fromHead === null || toHead === null) context.reply.error(syntaxError);
  else moveWaiting(context, args, fromHead, toHead);
}

/** What waits for a list when there is none. */
export const blockingListCommands: readonly CommandSpec[] = [
  onKeys(
    'blpop',
    keysBeforeTimeout,
    [
      -3,
      ['write', 'blocking'],
      '2.0.0',
      'O(N) with N keys',
      'key [key ...] timeout',
      'Removes the first element of the first of the lists that exists, or waits for one.',
    ],
    pop(true),
  ),
  onKeys(
    'brpop',
    keysBeforeTimeout,
    [
      -3,
      ['write', 'blocking'],
      '2.0.0',
      'O(N) with N keys',
      'key [key ...] timeout',
      'Removes the last element of the first of the lists that exists, or waits for one.',
    ],
    pop(false),
  ),
  onKeys(
    'brpoplpush',
    twoKeys,
    [
      4,
      ['write', 'denyoom', 'blocking'],
      '2.2.0',
      'O(1)',
      'source destination timeout',
      'Moves the last element of a list to the head of another, or waits for one.',
    ],
    (context, args) => moveWaiting(context, args, false, true),
  ),
  onKeys(
    'blmove',
    twoKeys,
    [
      6,
      ['write', 'denyoom', 'blocking'],
      '6.2.0',
      'O(1)',
      'source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout',
      'Moves an element from an end of a list to an end of another, or waits for one.',
    ],
    moveBetween,
  ),
  onMovableKeys(
    'blmpop',
    null,
    countedKeys(2),
    [
      -5,
      ['write', 'blocking'],
      '7.0.0',
      'O(N+M) with N keys and M elements returned',
      'timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]',
      'Removes elements from the first of the lists that exists, or waits for one.',
    ],
    popSeveralOrWait('list', parseEnd, popFromFirst),
  ),
];
