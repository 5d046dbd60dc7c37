import type { Operation } from './history.ts';

/** States that are tried before the search gives up. */
const statesMax = 400_000;

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** `stuckAt`: the first operation, by time, that no order of the ones before it explains. */
  | { readonly kind: 'violated'; readonly stuckAt: Operation }
  /** The search was given up. */
  | { readonly kind: 'undecided' };

/** A key's value; null when there is none. */
type State = string | null;

/** The state after an operation; undefined when its result does not fit. */
function apply(state: State, operation: Operation): State | undefined {
  const { kind, value, result } = operation;
  const known = operation.returned !== Number.POSITIVE_INFINITY;
  switch (kind) {
    case 'set':
      return value;
    case 'get':
      return !known || result === state ? state : undefined;
    case 'del':
      return !known || result === (state === null ? 0 : 1) ? null : undefined;
    case 'incr': {
      const next = Number(state ?? '0') + 1;
      return !known || result === next ? String(next) : undefined;
    }
  }
}

/** A call or a return in the order of time; a list linked both ways, so that taking one out and putting it back is cheap. */
interface Point {
  readonly operation: Operation;
  readonly index: number;
  readonly isCall: boolean;
  match: Point | null;
  before: Point | null;
  after: Point | null;
}

/**
 * Whether one key's operations could have happened one at a time, each between its call and its return. The search is
 * Wing and Gong's (J. Parallel Distrib. Comput. 17, 1993) with the memory of configurations that Lowe added
 * (Concurrency Computat. Pract. Exper. 29(4), 2017). Operations without a known outcome may happen at any time after
 * their call, or never.
 */
export function checkLinearizable(operations: readonly Operation[]): Verdict {
  const relevant = simplified(operations);
  const head = listOf(relevant);
  let left = relevant.filter(({ returned }) => returned !== Number.POSITIVE_INFINITY).length;
  let state: State = null;
  const done = { known: new DoneSet(relevant.length), unknown: new DoneSet(relevant.length) };
  const doneOf = (point: Point): DoneSet => (point.match === null ? done.unknown : done.known);
  const seen = new Set<string>();
  const chosen: { readonly point: Point; readonly state: State }[] = [];
  let furthest: Point | null = null;
  let at = head.after;
  while (left > 0) {
    if (at?.isCall === true) {
      const next = apply(state, at.operation);
      if (next !== undefined && !hasEarlierTwin(at)) doneOf(at).add(at.index);
      if (next !== undefined && doneOf(at).has(at.index) && isNew(seen, done, next)) {
        if (seen.size > statesMax) return { kind: 'undecided' };
        chosen.push({ point: at, state });
        state = next;
        if (at.match !== null) left -= 1;
        takeOut(at);
        at = head.after;
      } else {
        doneOf(at).delete(at.index);
        at = at.after;
      }
      continue;
    }
    // This operation should have happened by now: another choice must be made before it.
    if (at !== null && (furthest === null || at.operation.returned > furthest.operation.returned))
      furthest = at;
    const last = chosen.pop();
    if (last === undefined) return { kind: 'violated', stuckAt: (furthest as Point).operation };
    state = last.state;
    doneOf(last.point).delete(last.point.index);
    if (last.point.match !== null) left += 1;
    putBack(last.point);
    at = last.point.after;
  }
  return { kind: 'linearizable' };
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

function isNew(
  seen: Set<string>,
  done: { readonly known: DoneSet; readonly unknown: DoneSet },
  state: State,
): boolean {
  const name = `${done.known.name} ${done.unknown.name} ${state === null ? '-' : `=${state}`}`;
  if (seen.has(name)) return false;
  seen.add(name);
  return true;
}

/**
 * Of operations without a known outcome that do the same, the one that was called first may as well be the one that
 * happened first.
 */
function hasEarlierTwin(point: Point): boolean {
  const { operation } = point;
  if (point.match !== null) return false;
  for (let earlier = point.before; earlier !== null; earlier = earlier.before) {
    const twin = earlier.isCall && earlier.match === null && earlier.index >= 0;
    if (twin && earlier.operation.kind === operation.kind && earlier.operation.value === operation.value)
      return true;
  }
  return false;
}

/** Stands for every value that nobody read. */
const unread = '\0unread';

/**
 * The same question with less to try. Values that nobody read need no telling apart. On a key that is only set and
 * read, a `set` without a known outcome and with such a value explains nothing: the rest fits without it whenever it
 * fits with it.
 */
function simplified(operations: readonly Operation[]): readonly Operation[] {
  const read = new Set(operations.filter(({ kind }) => kind === 'get').map(({ result }) => result));
  const isUnread = ({ kind, value }: Operation): boolean => kind === 'set' && !read.has(value);
  const plain = operations.every(({ kind }) => kind === 'set' || kind === 'get');
  return operations
    .filter((operation) => !plain || operation.returned !== Number.POSITIVE_INFINITY || !isUnread(operation))
    .map((operation) => (isUnread(operation) ? { ...operation, value: unread } : operation));
}

function listOf(operations: readonly Operation[]): Point {
  const points: { readonly time: number; readonly point: Point }[] = [];
  let known = 0;
  let unknown = 0;
  for (const operation of [...operations].sort((a, b) => a.invoked - b.invoked)) {
    const answered = operation.returned !== Number.POSITIVE_INFINITY;
    // Those with and without a known outcome are numbered apart.
    const index = answered ? known++ : unknown++;
    const call: Point = { operation, index, isCall: true, match: null, before: null, after: null };
    points.push({ time: operation.invoked, point: call });
    if (!answered) continue;
    const end: Point = { operation, index, isCall: false, match: null, before: null, after: null };
    call.match = end;
    points.push({ time: operation.returned, point: end });
  }
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
  const head: Point = { operation: nobody, index: -1, isCall: true, match: null, before: null, after: null };
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
