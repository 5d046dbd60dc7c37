import type { Bytes } from '../bytes/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import { HashValue, ListValue, SetValue, SortedSetValue } from '../state/collections.ts';
import type { Value } from '../state/entry.ts';
import type { Pattern, SortOptions } from './sort-options.ts';
import { parseSortOptions, storeArgument } from './sort-options.ts';
import { commandGroup, firstKey } from './spec.ts';
import type { Steps } from './steps.ts';
import { answerInSteps, elementsPerStep, finished, inOrder, storeInSteps } from './steps.ts';
import { admitsElements } from './store.ts';
import { isStringOrNone, wrongType } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onMovableKeys } = commandGroup('generic');

type Sortable = ListValue | SetValue | SortedSetValue;

function isSortable(value: Value): value is Sortable {
  return value instanceof ListValue || value instanceof SetValue || value instanceof SortedSetValue;
}

/** An element with what it is sorted by; a text of null comes before all texts. */
interface Weighed {
  readonly element: Bytes;
  readonly score: number;
  readonly text: Bytes | null;
}

/** All elements: of lists and sorted sets in their order, of sets in any. */
function* elementsOf(value: Sortable): Generator<Bytes, void, undefined> {
  if (value instanceof ListValue) yield* value.items.from();
  else if (value instanceof SetValue) yield* value.members.keys();
  else for (const { member } of value.order.from()) yield member;
}

/** The elements that LIMIT names of those that are not sorted: no others are looked at, where they have an order. */
function standing(value: Sortable, options: SortOptions): readonly Bytes[] {
  if (value instanceof SetValue) {
    const { offset, count } = options;
    const found: Bytes[] = [];
    const end = count < 0 ? value.size : Math.max(offset, 0) + count;
    if (end > 0) for (const member of value.members.keys()) if (found.push(member) >= end) break;
    return limited(found, options);
  }
  const sequence = value instanceof ListValue ? value.items : value.order;
  const offset = Math.max(options.offset, 0);
  const count = Math.min(options.count < 0 ? sequence.size : options.count, sequence.size - offset);
  const found: Bytes[] = [];
  if (count <= 0) return found;
  const items = options.descending ? sequence.backFrom(sequence.size - 1 - offset) : sequence.from(offset);
  for (const item of items) {
    found.push(typeof item === 'string' ? item : item.member);
    if (found.length === count) break;
  }
  return found;
}

/** Most bytes of long strings that patterns lead to: one command copies no more of them. */
const longBytes = 64 << 20;
const tooLong = 'ERR the strings that the patterns lead to are too long';

/** Bytes of long strings that were copied so far. */
interface Copied {
  bytes: number;
}

class TooLong extends Error {}

/** What stands where a pattern leads for an element; null for nothing. */
function lookUp(context: CommandContext, pattern: Pattern, element: Bytes, copied: Copied): Bytes | null {
  if (pattern.kind === 'element') return element;
  if (pattern.kind === 'nothing') return null;
  const entry = context.glance(pattern.before + element + pattern.after);
  if (entry === undefined) return null;
  const { value } = entry;
  if (pattern.field !== null)
    return value instanceof HashValue ? (value.fields.get(pattern.field) ?? null) : null;
  if (!isStringOrNone(entry)) return null;
  if (typeof value === 'string') return value;
  copied.bytes += entry.value.length;
  if (copied.bytes > longBytes) throw new TooLong();
  return entry.value.slice(0, entry.value.length);
}

/** A number as C's strtod reads all of a text; NaN for what is none. */
function parseScore(text: Bytes): number {
  const end = text.indexOf('\0');
  const words = (end < 0 ? text : text.slice(0, end)).replace(/^[ \t\n\v\f\r]+/, '');
  if (end === 0 || text === '') return 0;
  if (/^[+-]?inf(inity)?$/i.test(words))
    return words[0] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const hex = /^([+-]?)0x([0-9a-f]+)$/i.exec(words);
  if (hex !== null) return Number(`0x${hex[2]}`) * (hex[1] === '-' ? -1 : 1);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(words)) return Number.NaN;
  const value = Number(words);
  // What a double cannot hold is an error too.
  const tooSmall = value === 0 && /^[^e]*[1-9]/i.test(words);
  return Number.isFinite(value) && !tooSmall ? value : Number.NaN;
}

/** The elements that LIMIT names of those in order; null when one has a weight that is no number. */
function* sorted(
  context: CommandContext,
  value: Sortable,
  options: SortOptions,
  copied: Copied,
): Steps<readonly Bytes[] | null> {
  const { alpha, by, descending } = options;
  const weighed: Weighed[] = [];
  for (const element of elementsOf(value)) {
    const text = by === null ? element : lookUp(context, by, element, copied);
    const score = alpha || text === null ? 0 : parseScore(text);
    if (Number.isNaN(score)) return null;
    if (weighed.push({ element, score, text }) % elementsPerStep === 0) yield;
  }
  const sign = descending ? -1 : 1;
  const all = yield* inOrder(weighed, (a, b) => {
    if (alpha) return sign * compareTexts(a.text, b.text);
    return sign * (a.score < b.score ? -1 : a.score > b.score ? 1 : compareTexts(a.element, b.element));
  });
  return limited(all, options).map(({ element }) => element);
}

/** Byte by byte, whatever the locale; nothing comes first. */
function compareTexts(a: Bytes | null, b: Bytes | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}

/** The part of the elements that LIMIT names. */
function limited<T>(elements: readonly T[], { offset, count }: SortOptions): readonly T[] {
  const from = Math.max(offset, 0);
  return elements.slice(from, count < 0 ? elements.length : from + count);
}

function storeResult(context: CommandContext, target: Bytes, result: readonly (Bytes | null)[]): void {
  const { effects, reply } = context;
  const items = result.map((item) => item ?? '');
  if (!admitsElements(context, target, items)) return;
  if (context.get(target) !== undefined) effects.remove(target);
  for (const item of items) effects.listAppend(target, item);
  reply.integer(items.length);
}

/** What SORT answers or stores; null when an element has a weight that is no number. */
type Sorted = readonly (Bytes | null)[] | null;

/** Sorts what is at a key, if anything is. Throws `TooLong`. */
function* resultOf(
  context: CommandContext,
  value: Sortable | undefined,
  options: SortOptions,
): Steps<Sorted> {
  if (value === undefined) return [];
  const copied = { bytes: 0 };
  const { get, store } = options;
  // What is stored must not depend on the order in which a set happens to be held.
  const anyOrder = options.unsorted && store !== null && value instanceof SetValue;
  const how = anyOrder ? { ...options, alpha: true, by: null } : options;
  const chosen =
    options.unsorted && !anyOrder ? standing(value, options) : yield* sorted(context, value, how, copied);
  if (chosen === null || get.length === 0) return chosen;
  return chosen.flatMap((element) => get.map((pattern) => lookUp(context, pattern, element, copied)));
}

function replyItems(reply: ReplyWriter, items: Sorted): void {
  if (items === null) {
    reply.error(noScore);
    return;
  }
  reply.array(items.length);
  for (const item of items) {
    if (item === null) reply.nil();
    else reply.bulk(item);
  }
}

const noScore = "ERR One or more scores can't be converted into double";

/** Patterns lead to other keys, which are looked at now; without any, what is sorted is a matter of one collection. */
function sortNow(context: CommandContext, value: Sortable | undefined, options: SortOptions): void {
  const { reply } = context;
  let result: Sorted;
  try {
    result = finished(resultOf(context, value, options));
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    reply.error(tooLong);
    return;
  }
  answerOrStore(context, result, options);
}

function answerOrStore(context: CommandContext, result: Sorted, { store }: SortOptions): void {
  if (result === null || store === null) replyItems(context.reply, result);
  else storeResult(context, store, result);
}

/** What is at a key; null when it cannot be sorted: then the error was answered. */
function sortableAt(context: CommandContext, key: Bytes): Sortable | undefined | null {
  const value = context.get(key)?.value;
  if (value === undefined || isSortable(value)) return value;
  context.reply.error(wrongType);
  return null;
}

function sort(mayStore: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const options = parseSortOptions(args, mayStore);
    if (typeof options === 'string') {
      context.reply.error(options);
      return;
    }
    const key = args[1] as Bytes;
    const value = sortableAt(context, key);
    if (value === null) return;
    const { by, get, store } = options;
    if (by !== null || get.some(({ kind }) => kind === 'key')) {
      sortNow(context, value, options);
      return;
    }
    const work = ([asNow]: readonly (Sortable | undefined)[]): Steps<Sorted> =>
      resultOf(context, asNow, options);
    if (store === null) {
      answerInSteps<Sortable, Sorted>(context, [value], work, replyItems);
      return;
    }
    const read = (now: CommandContext): (Sortable | undefined)[] | null => {
      const found = sortableAt(now, key);
      return found === null ? null : [found];
    };
    storeInSteps<Sortable, Sorted>(context, [key], read, work, (later, result) =>
      answerOrStore(later, result, options),
    );
  };
}

const patterns = '[BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]';
const complexity = 'O(N+M*log(M)) with N elements in the key and M returned';

export const sortCommands: readonly CommandSpec[] = [
  onMovableKeys(
    'sort',
    firstKey,
    (args, indices) => {
      indices.push(1);
      const store = storeArgument(args);
      if (store !== null) indices.push(store);
      return true;
    },
    [
      -2,
      ['write', 'denyoom'],
      '1.0.0',
      complexity,
      `key ${patterns} [STORE destination]`,
      'Sorts the elements of a list, a set or a sorted set, and returns or stores them.',
    ],
    sort(true),
  ),
  onKeys(
    'sort_ro',
    firstKey,
    [
      -2,
      ['readonly', 'movablekeys'],
      '7.0.0',
      complexity,
      `key ${patterns}`,
      'Returns the elements of a list, a set or a sorted set in order.',
    ],
    sort(false),
  ),
];
