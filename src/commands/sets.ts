import type { Bytes } from '../bytes/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import { SetValue } from '../state/collections.ts';
import { HashTable } from '../state/hash-table.ts';
import { parseInteger, syntaxError } from './parse.ts';
import { parseSampleCount, sample, sampleWork } from './samples.ts';
import { scanCollection } from './scan-options.ts';
import { allKeys, commandGroup, countedKeys, firstKey, twoKeys } from './spec.ts';
import type { Steps } from './steps.ts';
import { answerInSteps, elementsPerStep, finished, storeInSteps } from './steps.ts';
import { admitsElements } from './store.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onMovableKeys } = commandGroup('set');

function setAt(context: CommandContext, args: readonly Bytes[], at = 1): SetValue | undefined | null {
  return collectionAt(context, args[at] as Bytes, SetValue);
}

function add(context: CommandContext, args: readonly Bytes[]): void {
  const key = args[1] as Bytes;
  let set = setAt(context, args);
  if (set === null) return;
  let added = 0;
  for (let i = 2; i < args.length; i++) {
    const member = args[i] as Bytes;
    if (set?.members.has(member) === true) continue;
    context.effects.setAdd(key, member);
    added += 1;
    set ??= context.get(key)?.value as SetValue;
  }
  context.reply.integer(added);
}

function remove(context: CommandContext, args: readonly Bytes[]): void {
  const set = setAt(context, args);
  if (set === null) return;
  let removed = 0;
  for (let i = 2; set !== undefined && i < args.length; i++) {
    if (!set.members.has(args[i] as Bytes)) continue;
    context.effects.setRemove(args[1] as Bytes, args[i] as Bytes);
    removed += 1;
  }
  context.reply.integer(removed);
}

function move(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects } = context;
  const [, from, to, member] = args as [Bytes, Bytes, Bytes, Bytes];
  const source = setAt(context, args);
  if (source === null) return;
  const target = source === undefined ? undefined : setAt(context, args, 2);
  if (target === null) return;
  if (source?.members.has(member) !== true) {
    reply.integer(0);
    return;
  }
  if (from !== to) {
    effects.setRemove(from, member);
    if (target?.members.has(member) !== true) effects.setAdd(to, member);
  }
  reply.integer(1);
}

function replyMember({ reply }: CommandContext, member: Bytes | undefined): void {
  if (member === undefined) reply.nil();
  else reply.bulk(member);
}

function replySet(reply: ReplyWriter, members: readonly Bytes[]): void {
  reply.set(members.length);
  for (const member of members) reply.bulk(member);
}

function pop(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects, random } = context;
  const key = args[1] as Bytes;
  const count = args.length > 2 ? parseInteger(args[2] as Bytes) : 1n;
  if (args.length > 3 || count === null || count < 0n) {
    reply.error(args.length > 3 ? syntaxError : 'ERR value is out of range, must be positive');
    return;
  }
  const set = setAt(context, args);
  if (set === null) return;
  const popped =
    set === undefined ? [] : finished(sample(set.members, Number(count), random)).map(([name]) => name);
  if (set !== undefined && popped.length === set.size) {
    effects.remove(key);
  } else {
    if (!admitsElements(context, key, popped)) return;
    for (const member of popped) effects.setRemove(key, member);
  }
  if (args.length === 2) replyMember(context, popped[0]);
  else replySet(reply, popped);
}

function randomMember(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, random } = context;
  const count = args.length > 2 ? parseSampleCount(args[2] as Bytes) : 1;
  if (args.length > 3 || typeof count === 'string') {
    reply.error(args.length > 3 ? syntaxError : (count as string));
    return;
  }
  const set = setAt(context, args);
  if (set === null) return;
  if (args.length === 2) {
    replyMember(context, set?.members.random(random)[0]);
    return;
  }
  answerInSteps(
    context,
    [set],
    ([asNow]) => sample(asNow?.members ?? new HashTable<true>(), count, random),
    (writer, drawn) => {
      writer.array(drawn.length);
      for (const [member] of drawn) writer.bulk(member);
    },
    sampleWork(set?.size ?? 0, count),
  );
}

type MaybeSet = SetValue | undefined;

/** The sets at keys, undefined for missing ones; null when one holds another type: then the error was answered. */
function setsAt(context: CommandContext, keys: readonly Bytes[]): MaybeSet[] | null {
  const sets: MaybeSet[] = [];
  for (const key of keys) {
    const set = collectionAt(context, key, SetValue);
    if (set === null) return null;
    sets.push(set);
  }
  return sets;
}

type Combine = (sets: readonly MaybeSet[]) => Steps<Bytes[]>;

function* intersection(sets: readonly MaybeSet[]): Steps<Bytes[]> {
  const found: Bytes[] = [];
  yield* common(sets, (member) => found.push(member));
  return found;
}

/** Visits what all sets have in common, until that is so many; returns how many they were. */
function* common(
  sets: readonly MaybeSet[],
  visit: (member: Bytes) => void,
  limit = Number.POSITIVE_INFINITY,
): Steps<number> {
  const present = sets.filter((set) => set !== undefined);
  if (present.length < sets.length) return 0;
  const [smallest, ...others] = present.sort((a, b) => a.size - b.size) as [SetValue, ...SetValue[]];
  let seen = 0;
  let found = 0;
  for (const member of smallest.members.keys()) {
    if (++seen % elementsPerStep === 0) yield;
    if (!others.every(({ members }) => members.has(member))) continue;
    visit(member);
    if (++found >= limit) break;
  }
  return found;
}

/** A table of all members: the one of the largest set, and what the others add. */
function* united(sets: readonly MaybeSet[]): Steps<HashTable<true>> {
  const present = sets.filter((set) => set !== undefined);
  const [largest, ...others] = present.sort((a, b) => b.size - a.size);
  const all = largest?.members.copy() ?? new HashTable<true>();
  let seen = 0;
  for (const { members } of others) {
    for (const member of members.keys()) {
      if (++seen % elementsPerStep === 0) yield;
      all.set(member, true);
    }
  }
  return all;
}

function* union(sets: readonly MaybeSet[]): Steps<Bytes[]> {
  const found: Bytes[] = [];
  for (const member of (yield* united(sets)).keys()) if (found.push(member) % elementsPerStep === 0) yield;
  return found;
}

function* difference([first, ...others]: readonly MaybeSet[]): Steps<Bytes[]> {
  if (first === undefined || others.includes(first)) return [];
  const present = others.filter((set) => set !== undefined);
  let size = 0;
  for (const other of present) size += other.size;
  // Many small sets: going through them takes fewer steps than asking each for every member.
  const many = 2 * size < first.size * present.length;
  const gone = many ? [yield* united(present)] : present.map((set) => set.members);
  const found: Bytes[] = [];
  let seen = 0;
  for (const member of first.members.keys()) {
    if (++seen % elementsPerStep === 0) yield;
    if (!gone.some((members) => members.has(member))) found.push(member);
  }
  return found;
}

function answer(combine: Combine) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const sets = setsAt(context, args.slice(1));
    if (sets !== null) answerInSteps(context, sets, combine, replySet);
  };
}

function put(context: CommandContext, target: Bytes, members: readonly Bytes[]): void {
  const { reply, effects } = context;
  if (!admitsElements(context, target, members)) return;
  if (context.get(target) !== undefined) effects.remove(target);
  for (const member of members) effects.setAdd(target, member);
  reply.integer(members.length);
}

function store(combine: Combine) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const keys = args.slice(2);
    const read = (now: CommandContext): MaybeSet[] | null => setsAt(now, keys);
    storeInSteps(context, keys, read, combine, (later, members) => put(later, args[1] as Bytes, members));
  };
}

function intersectionSize(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const count = parseInteger(args[1] as Bytes);
  if (count === null || count < 1n) {
    reply.error('ERR numkeys should be greater than 0');
    return;
  }
  if (count > args.length - 2) {
    reply.error("ERR Number of keys can't be greater than number of args");
    return;
  }
  const behind = 2 + Number(count);
  let limit: bigint | null = 0n;
  for (let i = behind; i < args.length; i += 2) {
    const value = args[i + 1];
    if ((args[i] as Bytes).toUpperCase() !== 'LIMIT' || value === undefined) {
      reply.error(syntaxError);
      return;
    }
    limit = parseInteger(value);
    if (limit === null || limit < 0n) {
      reply.error("ERR LIMIT can't be negative");
      return;
    }
  }
  const sets = setsAt(context, args.slice(2, behind));
  if (sets === null) return;
  const most = limit === 0n ? undefined : Number(limit);
  answerInSteps(
    context,
    sets,
    (operands) => common(operands, () => {}, most),
    (writer, found) => writer.integer(found),
  );
}

function scan(context: CommandContext, args: readonly Bytes[]): void {
  scanCollection(
    context,
    args,
    SetValue,
    (set) => set.members,
    (member, _, found) => found.push(member),
  );
}

export const setCommands: readonly CommandSpec[] = [
  onKeys(
    'sadd',
    firstKey,
    [
      -3,
      ['write', 'denyoom', 'fast'],
      '1.0.0',
      'O(N) with N members',
      'key member [member ...]',
      'Adds members to a set.',
    ],
    add,
  ),
  onKeys(
    'srem',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '1.0.0',
      'O(N) with N members',
      'key member [member ...]',
      'Removes members; without members left, the key.',
    ],
    remove,
  ),
  onKeys(
    'smove',
    twoKeys,
    [
      4,
      ['write', 'fast'],
      '1.0.0',
      'O(1)',
      'source destination member',
      'Moves a member from one set to another.',
    ],
    move,
  ),
  onKeys(
    'sismember',
    firstKey,
    [3, ['readonly', 'fast'], '1.0.0', 'O(1)', 'key member', 'Whether a set has a member.'],
    (context, args) => {
      const set = setAt(context, args);
      if (set !== null) context.reply.integer(set?.members.has(args[2] as Bytes) === true ? 1 : 0);
    },
  ),
  onKeys(
    'smismember',
    firstKey,
    [
      -3,
      ['readonly', 'fast'],
      '6.2.0',
      'O(N) with N members asked for',
      'key member [member ...]',
      'Which of several members a set has.',
    ],
    (context, args) => {
      const set = setAt(context, args);
      if (set === null) return;
      context.reply.array(args.length - 2);
      for (const member of args.slice(2)) context.reply.integer(set?.members.has(member) === true ? 1 : 0);
    },
  ),
  onKeys(
    'scard',
    firstKey,
    [2, ['readonly', 'fast'], '1.0.0', 'O(1)', 'key', 'Number of members.'],
    (context, args) => {
      const set = setAt(context, args);
      if (set !== null) context.reply.integer(set?.size ?? 0);
    },
  ),
  onKeys(
    'spop',
    firstKey,
    [
      -2,
      ['write', 'fast'],
      '1.0.0',
      'O(N) with N members popped',
      'key [count]',
      'Removes random members and returns them.',
    ],
    pop,
  ),
  onKeys(
    'srandmember',
    firstKey,
    [-2, ['readonly'], '1.0.0', 'O(N) with N members returned', 'key [count]', 'Random members.'],
    randomMember,
  ),
  onKeys(
    'smembers',
    firstKey,
    [2, ['readonly'], '1.0.0', 'O(N) with N members', 'key', 'All members.'],
    (context, args) => {
      const set = setAt(context, args);
      if (set === null) return;
      context.reply.set(set?.size ?? 0);
      for (const member of set?.members.keys() ?? []) context.reply.bulk(member);
    },
  ),
  onKeys(
    'sinter',
    allKeys,
    [
      -2,
      ['readonly'],
      '1.0.0',
      'O(N*M) with N members of the smallest of M sets',
      'key [key ...]',
      'The members that several sets have in common.',
    ],
    answer(intersection),
  ),
  onMovableKeys(
    'sintercard',
    null,
    countedKeys(1),
    [
      -3,
      ['readonly'],
      '7.0.0',
      'O(N*M) with N members of the smallest of M sets',
      'numkeys key [key ...] [LIMIT limit]',
      'How many members several sets have in common.',
    ],
    intersectionSize,
  ),
  onKeys(
    'sinterstore',
    allKeys,
    [
      -3,
      ['write', 'denyoom'],
      '1.0.0',
      'O(N*M) with N members of the smallest of M sets',
      'destination key [key ...]',
      'Stores the members that several sets have in common.',
    ],
    store(intersection),
  ),
  onKeys(
    'sunion',
    allKeys,
    [
      -2,
      ['readonly'],
      '1.0.0',
      'O(N) with N members of all sets',
      'key [key ...]',
      'The members of several sets.',
    ],
    answer(union),
  ),
  onKeys(
    'sunionstore',
    allKeys,
    [
      -3,
      ['write', 'denyoom'],
      '1.0.0',
      'O(N) with N members of all sets',
      'destination key [key ...]',
      'Stores the members of several sets.',
    ],
    store(union),
  ),
  onKeys(
    'sdiff',
    allKeys,
    [
      -2,
      ['readonly'],
      '1.0.0',
      'O(N) with N members of all sets',
      'key [key ...]',
      'The members of the first set that are in none of the others.',
    ],
    answer(difference),
  ),
  onKeys(
    'sdiffstore',
    allKeys,
    [
      -3,
      ['write', 'denyoom'],
      '1.0.0',
      'O(N) with N members of all sets',
      'destination key [key ...]',
      'Stores the members of the first set that are in none of the others.',
    ],
    store(difference),
  ),
  onKeys(
    'sscan',
    firstKey,
    [
      -3,
      ['readonly'],
      '2.8.0',
      'O(1) for each call',
      'key cursor [MATCH pattern] [COUNT count]',
      'Goes through the members step by step.',
    ],
    scan,
  ),
];
