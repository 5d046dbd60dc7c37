import type { Bytes } from '../bytes/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { Entry } from '../state/entry.ts';
import type { CommandContext } from './types.ts';

/** Work that can be interrupted: it yields about every `elementsPerStep` elements that it handles. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Elements that are handled in one step: some 50 µs of work. */
export const elementsPerStep = 256;

/** Work on no more elements than this is done at once: it takes less than others would notice. */
export const atOnce = 8192;

/** Something that a command reads whole, as it is at this moment. */
interface Operand {
  readonly size: number;
  /** The same, apart from what changes later; at next to no cost. */
  copy(): this;
}

/**
 * Answers with what was made of whole collections, however large. What takes long is done in steps between which other
 * clients are served, on copies of the collections as they are now, while this client waits for its reply; in a
 * transaction it is done at once, as everything there is one step.
 * @param operands undefined for missing keys
 * @param elements how many the work goes over, about; those of all operands unless it says so
 */
export function answerInSteps<O extends Operand, T>(
  context: CommandContext,
  operands: readonly (O | undefined)[],
  work: (operands: readonly (O | undefined)[]) => Steps<T>,
  answer: (reply: ReplyWriter, result: T) => void,
  elements = sizeOfAll(operands),
): void {
  const { session, reply } = context;
  if (elements <= atOnce || !session.mayAnswerLater) answer(reply, finished(work(operands)));
  else session.answerLater(answered(work(asNow(operands)), answer));
}

/** How often a command that stores what it combines begins anew because something else changed what it goes by. */
const mostAttempts = 4;

/**
 * The same for a command that stores what it makes of collections. When one of them has changed meanwhile it begins anew,
 * and after some attempts does all at once: what is stored is always made of what they are then.
 * @param keys where the operands are
 * @param read the operands, undefined for missing keys; null when one is of a wrong type: then the error was answered
 * @param put stores the result, and answers
 */
export function storeInSteps<O extends Operand, T>(
  context: CommandContext,
  keys: readonly Bytes[],
  read: (context: CommandContext) => readonly (O | undefined)[] | null,
  work: (operands: readonly (O | undefined)[]) => Steps<T>,
  put: (context: CommandContext, result: T) => void,
  attempt = 1,
): void {
  const operands = read(context);
  if (operands === null) return;
  const { session } = context;
  if (sizeOfAll(operands) <= atOnce || !session.mayAnswerLater || attempt === mostAttempts) {
    put(context, finished(work(operands)));
    return;
  }
  // Of a state that was rebuilt meanwhile the entries are others, whatever their LSNs.
  const seen = keys.map((key) => context.look(key)).map((entry) => ({ entry, lsn: entry?.lsn }));
  const isAsSeen = (entry: Entry | undefined, i: number): boolean =>
    entry === seen[i]?.entry && entry?.lsn === seen[i]?.lsn;
  const finish = (later: CommandContext, result: T): void => {
    if (keys.map((key) => later.look(key)).every(isAsSeen)) put(later, result);
    else storeInSteps(later, keys, read, work, put, attempt + 1);
  };
  session.runLater(stored(work(asNow(operands)), finish));
}

function* stored<T>(
  work: Steps<T>,
  finish: (context: CommandContext, result: T) => void,
): Steps<(context: CommandContext) => void> {
  const result = yield* work;
  return (context) => finish(context, result);
}

/** The operands, apart from what changes later; the same one stays the same. */
function asNow<O extends Operand>(operands: readonly (O | undefined)[]): (O | undefined)[] {
  const copies = new Map<O, O>();
  for (const operand of operands)
    if (operand !== undefined && !copies.has(operand)) copies.set(operand, operand.copy());
  return operands.map((operand) => (operand === undefined ? undefined : copies.get(operand)));
}

function sizeOfAll(operands: readonly (Operand | undefined)[]): number {
  let elements = 0;
  for (const operand of operands) elements += operand?.size ?? 0;
  return elements;
}

/** What comes of the work, with nothing in between. */
export function finished<T>(work: Steps<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

function* answered<T>(
  work: Steps<T>,
  answer: (reply: ReplyWriter, result: T) => void,
): Steps<(reply: ReplyWriter) => void> {
  const result = yield* work;
  return (reply) => answer(reply, result);
}

/** The same items in order: short runs are sorted, and then merged two by two. */
export function* inOrder<T>(items: readonly T[], compare: (a: T, b: T) => number): Steps<T[]> {
  let from: T[] = [];
  for (let at = 0; at < items.length; at += elementsPerStep) {
    for (const item of items.slice(at, at + elementsPerStep).sort(compare)) from.push(item);
    yield;
  }
  for (let run = elementsPerStep; run < from.length; run *= 2) {
    const to: T[] = [];
    for (let left = 0; left < from.length; left += 2 * run) yield* merge(from, left, run, compare, to);
    from = to;
  }
  return from;
}

/** Appends to `to` two runs that lie behind each other in `from`, the second one as far as there is one. */
function* merge<T>(
  from: readonly T[],
  start: number,
  run: number,
  compare: (a: T, b: T) => number,
  to: T[],
): Steps<void> {
  const middle = Math.min(start + run, from.length);
  const end = Math.min(start + 2 * run, from.length);
  let left = start;
  let right = middle;
  while (left < middle || right < end) {
    // Of two that are alike the first stays first.
    const takesLeft = right >= end || (left < middle && compare(from[left] as T, from[right] as T) <= 0);
    to.push(from[takesLeft ? left++ : right++] as T);
    if (to.length % elementsPerStep === 0) yield;
  }
}
