import type { Operation } from './history.ts';
import type { State } from './models.ts';
import { apply, changesNothing, isRead } from './models.ts';

/** Choices that are tried before the search gives up, for each operation and at least. */
const choicesPerOperation = 5;
const choicesMin = 60_000;

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** `stuckAt`: the first operation, by time, that no order of the ones before it explains. */
  | { readonly kind: 'violated'; readonly stuckAt: Operation }
  /** The search was given up. */
  | { readonly kind: 'undecided' };

/** A call or a return in the order of time; a list linked both ways, so that taking one out and putting it back is cheap. */
interface Point {
  readonly operation: Operation;
  readonly index: number;
  readonly isCall: boolean;
  /** When it must have happened, if its value is to have been seen when it was. */
  readonly dueBy: number;
  match: Point | null;
  before: Point | null;
  after: Point | null;
}

/**
 * Whether one key's operations could have happened one at a time, each between its call and its return. The search is
 * Wing and Gong's (J. Parallel Distrib. Comput. 17, 1993) with the memory of configurations that Lowe added
 * (Concurrency Computat. Pract. Exper. 29(4), 2017). Operations without a known outcome may happen at any time after
 * their call, or never. An operation that may happen now and changes nothing is no choice: if it fits later, it fits now.
 */
export function checkLinearizable(operations: readonly Operation[]): Verdict {
  return new Search(simplified(operations)).run();
}

/** Operations without a known outcome that do the same: whichever was called first may as well happen first. */
interface Twins {
  readonly number: number;
  readonly operations: Operation[];
}

interface Step {
  /** What happened: a call with an answer, or one of the twins. */
  readonly what: Point | Twins;
  /** The state before it. */
  readonly state: State;
  /** Its place among the choices that there were, or that it was none. */
  readonly rank: number;
}

/** It could as well happen at once. */
const noChoice = -1;
/** It could as well happen with the next choice. */
const withTheNext = -2;

class Search {
  readonly #head: Point;
  readonly #twins: readonly Twins[];
  readonly #done: DoneSet;
  /** Of each state with what was done: which twins had happened how often, as far as none of these needs more than another. */
  readonly #seen = new Map<string, Uint16Array[]>();
  #choices = 0;
  readonly #numbers = new Map<State, number>();
  readonly #steps: Step[] = [];
  readonly #choicesMax: number;
  /** The key is only set and read. */
  readonly #plain: boolean;
  #left: number;
  #state: State = null;
  #furthest: Point | null = null;
  /** How often each of the twins has happened. */
  readonly #used: Uint16Array;
  /** A copy of that; null when there is none yet. */
  #usedNow: Uint16Array | null = null;

  constructor(operations: readonly Operation[]) {
    const answered = operations.filter(({ returned }) => returned !== Number.POSITIVE_INFINITY);
    this.#head = listOf(answered);
    this.#twins = twinsOf(operations.filter(({ returned }) => returned === Number.POSITIVE_INFINITY));
    this.#used = new Uint16Array(this.#twins.length);
    this.#left = answered.length;
    this.#done = new DoneSet(answered.length);
    this.#choicesMax = Math.max(choicesMin, choicesPerOperation * operations.length);
    this.#plain = isPlain(operations);
  }

  run(): Verdict {
    this.#takeWhatChangesNothing();
    let rank = 0;
    while (this.#left > 0) {
      if (this.#choices > this.#choicesMax) return { kind: 'undecided' };
      if (this.#choose(rank)) {
        this.#takeWhatChangesNothing();
        rank = 0;
        continue;
      }
      const last = this.#undo();
      if (last === null) return { kind: 'violated', stuckAt: (this.#furthest as Point).operation };
      rank = last.rank + 1;
    }
    return { kind: 'linearizable' };
  }

  #takeWhatChangesNothing(): void {
    for (let at = this.#head.after; at?.isCall === true; at = at.after) {
      const { operation } = at;
      if (!changesNothing(operation) || apply(this.#state, operation) === undefined) continue;
      this.#take({ what: at, state: this.#state, rank: noChoice }, this.#state);
      at = this.#head;
    }
  }

  /** Lets something happen that fits and was not tried before, from a place among the choices on. */
  #choose(from: number): boolean {
    const answered = this.#answered();
    for (let rank = from; rank < answered.length; rank++) {
      const what = answered[rank] as Point;
      const next = apply(this.#state, what.operation);
      if (next !== undefined && this.#try(what, next, rank)) return true;
    }
    // Those without an answer are tried last: most of them explain nothing.
    let end = this.#head.after;
    while (end?.isCall === true) end = end.after;
    for (let number = Math.max(0, from - answered.length); number < this.#twins.length; number++) {
      const what = this.#twins[number] as Twins;
      const operation = what.operations[this.#used[number] as number];
      if (operation === undefined || (end !== null && operation.invoked > end.operation.returned)) continue;
      const next = apply(this.#state, operation);
      // One that changes nothing may as well never happen.
      if (next === undefined || next === this.#state) continue;
      if (this.#try(what, next, answered.length + number)) return true;
    }
    return false;
  }

  /** Calls with an answer that may happen next: first those whose value was soonest seen. */
  #answered(): Point[] {
    const calls: Point[] = [];
    let at = this.#head.after;
    for (; at?.isCall === true; at = at.after) calls.push(at);
    // This operation must have happened by now.
    if (at !== null && (this.#furthest === null || at.operation.returned > this.#furthest.operation.returned))
      this.#furthest = at;
    return calls.sort((a, b) => a.dueBy - b.dueBy);
  }

  #try(what: Point | Twins, next: State, rank: number): boolean {
    if (this.#plain) this.#takeWhatIsUnread(what);
    this.#take({ what, state: this.#state, rank }, next);
    if (this.#isNew()) return true;
    this.#undo();
    return false;
  }

  /** On a key that is only set and read, values that nobody read may as well be set just before the next one is. */
  #takeWhatIsUnread(next: Point | Twins): void {
    for (let at = this.#head.after; at?.isCall === true; at = at.after) {
      if (at === next || at.operation.value !== unread) continue;
      this.#take({ what: at, state: this.#state, rank: withTheNext }, this.#state);
      at = this.#head;
    }
  }

  #isNew(): boolean {
    let number = this.#numbers.get(this.#state);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(this.#state, number);
    }
    const name = `${number} ${this.#done.name}`;
    const seen = this.#seen.get(name) ?? [];
    // What has not happened may still happen, or never: the fewer did, the more is possible.
    const now = this.#usedNow ?? this.#used.slice();
    this.#usedNow = now;
    if (seen.some((used) => used === now || isWithin(used, now))) return false;
    seen.push(now);
    this.#seen.set(name, seen);
    this.#choices += 1;
    return true;
  }

  #take(step: Step, next: State): void {
    this.#steps.push(step);
    this.#state = next;
    if ('number' in step.what) {
      this.#count(step.what, 1);
      return;
    }
    this.#done.add(step.what.index);
    this.#left -= 1;
    takeOut(step.what);
  }

  #putBack({ what, state }: Step): void {
    this.#state = state;
    if ('number' in what) {
      this.#count(what, -1);
      return;
    }
    putBack(what);
    this.#done.delete(what.index);
    this.#left += 1;
  }

  #count({ number }: Twins, more: number): void {
    this.#used[number] = (this.#used[number] as number) + more;
    this.#usedNow = null;
  }

  /** Back to before the last choice: what it was; null when there was none. */
  #undo(): Step | null {
    for (let last = this.#steps.pop(); last !== undefined; last = this.#steps.pop()) {
      this.#putBack(last);
      if (last.rank < 0) continue;
      for (; this.#steps.at(-1)?.rank === withTheNext; this.#steps.pop())
        this.#putBack(this.#steps.at(-1) as Step);
      return last;
    }
    return null;
  }
}

/** Whether none of the twins has happened more often in the first than in the second. */
function isWithin(used: Uint16Array, most: Uint16Array): boolean {
  for (let twins = 0; twins < used.length; twins++)
    if ((used[twins] as number) > (most[twins] as number)) return false;
  return true;
}

function twinsOf(operations: readonly Operation[]): Twins[] {
  const all = new Map<string, Twins>();
  for (const operation of [...operations].sort((a, b) => a.invoked - b.invoked)) {
    const name = `${operation.kind} ${operation.value}`;
    const twins = all.get(name) ?? { number: all.size, operations: [] };
    twins.operations.push(operation);
    all.set(name, twins);
  }
  return [...all.values()];
}

/** A set of indices most of which lie below all that are missing, so that its name is short. */
class DoneSet {
  readonly #has: Uint8Array;
  #count = 0;
  /** Every index below is in the set. */
  #prefix = 0;

  constructor(size: number) {
    this.#has = new Uint8Array(size);
  }

  has(index: number): boolean {
    return this.#has[index] === 1;
  }

  add(index: number): void {
    this.#has[index] = 1;
    this.#count += 1;
    while (this.#has[this.#prefix] === 1) this.#prefix += 1;
  }

  /** An index that is not in the set is left alone. */
  delete(index: number): void {
    if (this.#has[index] === 0) return;
    this.#has[index] = 0;
    this.#count -= 1;
    this.#prefix = Math.min(this.#prefix, index);
  }

  get name(): string {
    let name = String(this.#prefix);
    let beyond = this.#count - this.#prefix;
    for (let index = this.#prefix + 1; beyond > 0; index++) {
      if (this.#has[index] === 0) continue;
      name += `,${index}`;
      beyond -= 1;
    }
    return name;
  }
}

/** Stands for every value that nobody read. */
const unread = '\0unread';

/** True when a key is only set and read. */
function isPlain(operations: readonly Operation[]): boolean {
  return operations.every(({ kind }) => kind === 'set' || kind === 'get');
}

/**
 * The same question with less to try. Values that nobody was shown need no telling apart. On a key that is only set and
 * read, a `set` without a known outcome and with such a value explains nothing: the rest fits without it whenever it
 * fits with it.
 */
function simplified(operations: readonly Operation[]): readonly Operation[] {
  const shown = shownIn(operations);
  const plain = isPlain(operations);
  const simple: Operation[] = [];
  for (const operation of operations) {
    const value = shown.has(operation.value) ? operation.value : unshown(operation);
    const explains = value !== unread || operation.returned !== Number.POSITIVE_INFINITY;
    if (!plain || explains) simple.push(value === operation.value ? operation : { ...operation, value });
  }
  return simple;
}

/** Everything that some result shows, as it was written. */
function shownIn(operations: readonly Operation[]): Set<string> {
  const appended = operations.some(({ kind }) => kind === 'append');
  const shown = new Set<string>();
  for (const { kind, result } of operations) {
    if (typeof result !== 'string') continue;
    if (appended) for (const part of result.split(';')) shown.add(`${part};`);
    else if (kind === 'get' || kind === 'getset' || kind === 'lpop') shown.add(result);
    else if (isRead(kind)) for (const item of result.split(',')) shown.add(item);
  }
  return shown;
}

/** What is written in place of a value that no result shows: alike for all that only their values tell apart. */
function unshown({ kind, value }: Operation): string {
  switch (kind) {
    case 'set':
    case 'setpx':
    case 'getset':
    case 'rpush':
      return unread;
    case 'append':
      return '\0'.repeat(value.length);
    case 'hset':
    case 'zadd':
      return value.slice(0, value.indexOf(':') + 1) + unread;
    default:
      return value;
  }
}

function listOf(operations: readonly Operation[]): Point {
  const seenBy = new Map<Operation['result'], number>();
  for (const { kind, result, returned } of operations)
    if (isRead(kind)) seenBy.set(result, Math.min(returned, seenBy.get(result) ?? returned));
  const points: { readonly time: number; readonly point: Point }[] = [];
  const byCall = [...operations].sort((a, b) => a.invoked - b.invoked);
  byCall.forEach((operation, index) => {
    const { invoked, returned, value } = operation;
    const dueBy = Math.min(returned, seenBy.get(value) ?? returned);
    const rest = { operation, index, dueBy, before: null, after: null };
    const end: Point = { ...rest, isCall: false, match: null };
    const call: Point = { ...rest, isCall: true, match: end };
    points.push({ time: invoked, point: call }, { time: returned, point: end });
  });
  // A call at the very time of a return counts as before it: the two are taken as concurrent.
  points.sort((a, b) => a.time - b.time || Number(b.point.isCall) - Number(a.point.isCall));
  const nobody = {
    key: '',
    kind: 'get',
    value: '',
    client: -1,
    invoked: 0,
    returned: 0,
    result: null,
  } as const;
  const rest = { operation: nobody, index: -1, dueBy: 0, match: null, before: null, after: null };
  const head: Point = { ...rest, isCall: true };
  let last = head;
  for (const { point } of points) {
    last.after = point;
    point.before = last;
    last = point;
  }
  return head;
}

function takeOut(call: Point): void {
  for (const point of [call, call.match]) {
    if (point === null) continue;
    if (point.before !== null) point.before.after = point.after;
    if (point.after !== null) point.after.before = point.before;
  }
}

function putBack(call: Point): void {
  for (const point of [call.match, call]) {
    if (point === null) continue;
    if (point.before !== null) point.before.after = point;
    if (point.after !== null) point.after.before = point;
  }
}
