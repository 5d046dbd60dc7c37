import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember } from '../state/collections.ts';
import { compareScored, SetValue, SortedSetValue } from '../state/collections.ts';
import { HashTable } from '../state/hash-table.ts';
import { notAnInteger, parseInteger, parsePosition, syntaxError } from './parse.ts';
import { parseScore } from './scores.ts';
import { replyScored, storeItems } from './sorted-set-items.ts';
import { commandGroup, countedKeys, firstKey, targetAndCountedKeys } from './spec.ts';
import type { Steps } from './steps.ts';
import { answerInSteps, elementsPerStep, inOrder, storeInSteps } from './steps.ts';
import { wrongType } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onMovableKeys } = commandGroup('sorted-set');

type Run = NonNullable<CommandSpec['run']>;

/** Sets take part with a score of 1 for every member. Undefined is a missing key. */
type Operand = SetValue | SortedSetValue | undefined;

function scoreIn(operand: Operand, member: Bytes): number | undefined {
  if (operand instanceof SortedSetValue) return operand.scoreOf(member);
  return operand?.members.has(member) === true ? 1 : undefined;
}

/** All members with their scores, in no order that means anything. */
function* scored(operand: Operand): Generator<readonly [member: Bytes, score: number], void, undefined> {
  if (operand instanceof SetValue) for (const member of operand.members.keys()) yield [member, 1];
  else for (const { member, score } of operand?.unordered() ?? []) yield [member, score];
}

/** What is at keys; null when one holds something else: then the error was answered. */
function operandsAt(context: CommandContext, keys: readonly Bytes[]): Operand[] | null {
  const operands: Operand[] = [];
  for (const key of keys) {
    const value = context.get(key)?.value;
    if (value !== undefined && !(value instanceof SetValue || value instanceof SortedSetValue)) {
      context.reply.error(wrongType);
      return null;
    }
    operands.push(value);
  }
  return operands;
}

type Aggregate = (one: number, other: number) => number;

/** Infinities that cancel each other out, or that nothing was made of, count as 0. */
function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

/** Not the minimum or maximum: what is no number loses, and of two zeros the first counts. */
function chosen(replaces: boolean, one: number, other: number): number {
  return replaces ? other : one;
}

const aggregates: Readonly<Record<string, Aggregate>> = {
  SUM: (one, other) => orZero(one + other),
  MIN: (one, other) => chosen(other < one, one, other),
  MAX: (one, other) => chosen(other > one, one, other),
};

interface Options {
  weights: readonly number[];
  aggregate: Aggregate;
  withScores: boolean;
  /** Infinite for all. */
  limit: number;
}

type Word = 'WEIGHTS' | 'AGGREGATE' | 'WITHSCORES' | 'LIMIT';

/** Options behind so many keys, of those that the command has; a string is the error line. */
function parseOptions(words: readonly Bytes[], keys: number, known: readonly Word[]): Options | string {
  const options: Options = {
    weights: Array<number>(keys).fill(1),
    aggregate: aggregates['SUM'] as Aggregate,
    withScores: false,
    limit: Number.POSITIVE_INFINITY,
  };
  for (let at = 0; at < words.length; ) {
    const word = (words[at] as Bytes).toUpperCase() as Word;
    const values = known.includes(word) ? optionValues(word, keys) : Number.POSITIVE_INFINITY;
    if (at + values >= words.length) return syntaxError;
    const wrong = takeOption(options, word, words.slice(at + 1, at + 1 + values));
    if (wrong !== null) return wrong;
    at += 1 + values;
  }
  return options;
}

function optionValues(word: Word, keys: number): number {
  return word === 'WITHSCORES' ? 0 : word === 'WEIGHTS' ? keys : 1;
}

function takeOption(options: Options, word: Word, values: readonly Bytes[]): string | null {
  switch (word) {
    case 'WEIGHTS': {
      const weights: number[] = [];
      for (const value of values) {
        const weight = parseScore(value);
        if (weight === null) return 'ERR weight value is not a float';
        weights.push(weight);
      }
      options.weights = weights;
      return null;
    }
    case 'AGGREGATE': {
      const aggregate = aggregates[(values[0] as Bytes).toUpperCase()];
      if (aggregate === undefined) return syntaxError;
      options.aggregate = aggregate;
      return null;
    }
    case 'LIMIT': {
      const limit = parsePosition(values[0] as Bytes);
      if (limit === null || limit < 0) return "ERR LIMIT can't be negative";
      options.limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
      return null;
    }
    default:
      options.withScores = true;
      return null;
  }
}

type Combine = (operands: readonly Operand[], options: Options) => Steps<ScoredMember[]>;

/** Operands with their weights, the smallest first: so Redis adds scores up, whose last digits show the order. */
function bySize(operands: readonly Operand[], weights: readonly number[]): [Operand, number][] {
  const pairs = operands.map((operand, i): [Operand, number] => [operand, weights[i] as number]);
  return pairs.sort(([one], [other]) => (one?.size ?? 0) - (other?.size ?? 0));
}

function* union(operands: readonly Operand[], { weights, aggregate }: Options): Steps<ScoredMember[]> {
  const scores = new HashTable<number>();
  let seen = 0;
  for (const [operand, weight] of bySize(operands, weights)) {
    for (const [member, own] of scored(operand)) {
      if (++seen % elementsPerStep === 0) yield;
      const score = orZero(own * weight);
      const before = scores.get(member);
      scores.set(member, before === undefined ? score : aggregate(before, score));
    }
  }
  const found: ScoredMember[] = [];
  for (const [member, score] of scores.entries())
    if (found.push({ member, score }) % elementsPerStep === 0) yield;
  return found;
}

function* intersection(operands: readonly Operand[], options: Options): Steps<ScoredMember[]> {
  const found: ScoredMember[] = [];
  yield* common(operands, options, (member, score) => found.push({ member, score }));
  return found;
}

/** Visits what all operands have in common, until that is so many; returns how many they were. */
function* common(
  operands: readonly Operand[],
  { weights, aggregate, limit }: Options,
  visit: (member: Bytes, score: number) => void,
): Steps<number> {
  const [[smallest, firstWeight], ...others] = bySize(operands, weights) as [
    [Operand, number],
    ...[Operand, number][],
  ];
  let seen = 0;
  let found = 0;
  next: for (const [member, own] of scored(smallest)) {
    if (++seen % elementsPerStep === 0) yield;
    let score = orZero(own * firstWeight);
    for (const [other, weight] of others) {
      const theirs = scoreIn(other, member);
      if (theirs === undefined) continue next;
      score = aggregate(score, theirs * weight);
    }
    visit(member, score);
    if (++found >= limit) break;
  }
  return found;
}

function* difference([first, ...others]: readonly Operand[]): Steps<ScoredMember[]> {
  const found: ScoredMember[] = [];
  if (first === undefined || others.includes(first)) return found;
  let size = 0;
  for (const other of others) size += other?.size ?? 0;
  // Many small ones: going through them takes fewer steps than asking each for every member.
  const gone = 2 * size < first.size * others.length ? new HashTable<true>() : null;
  let seen = 0;
  if (gone !== null) {
    for (const other of others) {
      for (const [member] of scored(other)) {
        if (++seen % elementsPerStep === 0) yield;
        gone.set(member, true);
      }
    }
  }
  const isGone = (member: Bytes): boolean =>
    gone === null ? others.some((other) => scoreIn(other, member) !== undefined) : gone.has(member);
  for (const [member, score] of scored(first)) {
    if (++seen % elementsPerStep === 0) yield;
    if (!isGone(member)) found.push({ member, score });
  }
  return found;
}

/** What a command combines, and how. */
interface Question {
  readonly keys: readonly Bytes[];
  readonly operands: readonly Operand[];
  readonly options: Options;
}

/**
 * Reads `numkeys key [key ...]` from argument `at` on and the options behind; null when something is wrong: then the
 * error was answered.
 */
function questionOf(
  context: CommandContext,
  args: readonly Bytes[],
  at: number,
  name: string,
  known: readonly Word[],
): Question | null {
  const { reply } = context;
  const count = parseInteger(args[at] as Bytes);
  const end = at + 1 + Number(count);
  if (count === null || count < 1n || end > args.length) {
    if (count === null) reply.error(notAnInteger);
    else if (count < 1n) reply.error(`ERR at least 1 input key is needed for '${name}' command`);
    else reply.error(syntaxError);
    return null;
  }
  const keys = args.slice(at + 1, end);
  const operands = operandsAt(context, keys);
  if (operands === null) return null;
  const options = parseOptions(args.slice(end), operands.length, known);
  if (typeof options === 'string') {
    reply.error(options);
    return null;
  }
  return { keys, operands, options };
}

function* combined(combine: Combine, operands: readonly Operand[], options: Options): Steps<ScoredMember[]> {
  return yield* inOrder(yield* combine(operands, options), compareScored);
}

function answer(name: string, known: readonly Word[], combine: Combine): Run {
  return (context, args) => {
    const question = questionOf(context, args, 1, name, [...known, 'WITHSCORES']);
    if (question === null) return;
    const { operands, options } = question;
    answerInSteps(
      context,
      operands,
      (asNow) => combined(combine, asNow, options),
      (reply, items) => replyScored(reply, items, options.withScores),
    );
  };
}

function store(name: string, known: readonly Word[], combine: Combine): Run {
  return (context, args) => {
    const question = questionOf(context, args, 2, name, known);
    if (question === null) return;
    const { keys, options } = question;
    storeInSteps(
      context,
      keys,
      (now) => operandsAt(now, keys),
      (asNow) => combined(combine, asNow, options),
      (later, items) => storeItems(later, args[1] as Bytes, items),
    );
  };
}

function intersectionSize(context: CommandContext, args: readonly Bytes[]): void {
  const question = questionOf(context, args, 1, 'zintercard', ['LIMIT']);
  if (question === null) return;
  const { operands, options } = question;
  answerInSteps(
    context,
    operands,
    (asNow) => common(asNow, options, () => {}),
    (reply, found) => reply.integer(found),
  );
}

const weighing: readonly Word[] = ['WEIGHTS', 'AGGREGATE'];
const options = ' [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]';

/** Pairs of a command that answers and one that stores. */
function pair(
  name: string,
  combine: Combine,
  known: readonly Word[],
  since: string,
  complexity: string,
  what: string,
): readonly CommandSpec[] {
  const synopsis = `numkeys key [key ...]${known.length > 0 ? options : ''}`;
  return [
    onMovableKeys(
      name,
      null,
      countedKeys(1),
      [-3, ['readonly'], '6.2.0', complexity, `${synopsis} [WITHSCORES]`, `${what}.`],
      answer(name, known, combine),
    ),
    onMovableKeys(
      `${name}store`,
      firstKey,
      targetAndCountedKeys,
      [
        -4,
        ['write', 'denyoom'],
        since,
        complexity,
        `destination ${synopsis}`,
        `Stores ${what.toLowerCase()}.`,
      ],
      store(`${name}store`, known, combine),
    ),
  ];
}

const ofInter = 'O(N*K)+O(M*log M) with N members of the smallest of K sorted sets, M members of the result';

export const sortedSetAlgebraCommands: readonly CommandSpec[] = [
  ...pair(
    'zunion',
    union,
    weighing,
    '2.0.0',
    'O(N)+O(M*log M) with N members of all sorted sets, M members of the result',
    'The members of several sorted sets, with scores that are made of theirs',
  ),
  ...pair(
    'zinter',
    intersection,
    weighing,
    '2.0.0',
    ofInter,
    'The members that several sorted sets have in common, with scores that are made of theirs',
  ),
  ...pair(
    'zdiff',
    difference,
    [],
    '6.2.0',
    'O(N + M*log M) with N members of all sorted sets, M members of the result',
    'The members of the first sorted set that are in none of the others',
  ),
  onMovableKeys(
    'zintercard',
    null,
    countedKeys(1),
    [
      -3,
      ['readonly'],
      '7.0.0',
      'O(N*K) with N members of the smallest of K sorted sets',
      'numkeys key [key ...] [LIMIT limit]',
      'How many members several sorted sets have in common.',
    ],
    intersectionSize,
  ),
];
