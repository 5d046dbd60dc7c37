import type { ReplyWriter } from '../resp/types.ts';
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
  if (elements <= atOnce || !session.mayAnswerLater) {
    answer(reply, finished(work(operands)));
    return;
  }
  const copies = new Map<O, O>();
  for (const operand of operands)
    if (operand !== undefined && !copies.has(operand)) copies.set(operand, operand.copy());
  const asNow = operands.map((operand) => (operand === undefined ? undefined : copies.get(operand)));
  session.answerLater(answered(work(asNow), answer));
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
