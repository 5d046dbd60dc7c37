import type { Operation } from './history.ts';

/**
 * What a key holds: null for nothing, else '=' and its value, or '~' and its value when the value may expire.
 * Collections are written out in one way only, so that equal ones are equal strings.
 */
export type State = string | null;

/** What an operation does to a state, and what it answers. */
interface Outcome {
  readonly state: State;
  readonly result: Operation['result'];
}

const separator = ',';

function contentOf(state: State): string | null {
  return state === null ? null : state.slice(1);
}

/** The same key with another value: whether it may expire stays as it is. */
function holding(state: State, value: string): State {
  return (state === null ? '=' : (state[0] as string)) + value;
}

function withItems(state: State, items: readonly string[]): State {
  return items.length === 0 ? null : holding(state, items.join(separator));
}

function itemsOf(state: State): string[] {
  return contentOf(state)?.split(separator) ?? [];
}

type Model = (state: State, value: string) => Outcome;

const read: Model = (state) => ({ state, result: contentOf(state) });

const strings: Readonly<Record<'set' | 'setpx' | 'get' | 'del' | 'incr' | 'append' | 'getset', Model>> = {
  set: (_state, value) => ({ state: `=${value}`, result: 'OK' }),
  setpx: (_state, value) => ({ state: `~${value}`, result: 'OK' }),
  get: read,
  del: (state) => ({ state: null, result: state === null ? 0 : 1 }),
  incr: (state) => {
    const next = Number(contentOf(state) ?? '0') + 1;
    return { state: holding(state, String(next)), result: next };
  },
  append: (state, value) => {
    const longer = (contentOf(state) ?? '') + value;
    return { state: holding(state, longer), result: longer.length };
  },
  getset: (state, value) => ({ state: `=${value}`, result: contentOf(state) }),
};

const times: Readonly<Record<'pexpire' | 'persist' | 'expired', Model>> = {
  pexpire: (state) => ({
    state: state === null ? null : `~${state.slice(1)}`,
    result: state === null ? 0 : 1,
  }),
  persist: (state) => {
    const may = state?.[0] === '~';
    return { state: may ? `=${state.slice(1)}` : state, result: may ? 1 : 0 };
  },
  // Not a client's doing: the value goes by itself, at some time that nobody is told.
  expired: (state) => ({ state: state?.[0] === '~' ? null : state, result: null }),
};

const lists: Readonly<Record<'rpush' | 'lpop' | 'lrange', Model>> = {
  rpush: (state, value) => {
    const items = [...itemsOf(state), value];
    return { state: withItems(state, items), result: items.length };
  },
  lpop: (state) => {
    const [first = null, ...rest] = itemsOf(state);
    return { state: withItems(state, rest), result: first };
  },
  lrange: read,
};

const sets: Readonly<Record<'sadd' | 'srem' | 'smembers', Model>> = {
  sadd: (state, value) => {
    const items = itemsOf(state);
    if (items.includes(value)) return { state, result: 0 };
    return { state: withItems(state, [...items, value].sort()), result: 1 };
  },
  srem: (state, value) => {
    const items = itemsOf(state);
    const left = items.filter((item) => item !== value);
    return { state: withItems(state, left), result: items.length - left.length };
  },
  smembers: read,
};

/** Items are `name:value`; replaces or adds one, in the order of the names. */
function put(state: State, pair: string): Outcome {
  const name = pair.slice(0, pair.indexOf(':') + 1);
  const items = itemsOf(state);
  const others = items.filter((item) => !item.startsWith(name));
  return {
    state: withItems(state, [...others, pair].sort()),
    result: others.length === items.length ? 1 : 0,
  };
}

function takeOut(state: State, name: string): Outcome {
  const items = itemsOf(state);
  const left = items.filter((item) => !item.startsWith(`${name}:`));
  return { state: withItems(state, left), result: items.length - left.length };
}

const pairs: Readonly<Record<'hset' | 'hdel' | 'hgetall' | 'zadd' | 'zrem' | 'zrange', Model>> = {
  hset: put,
  hdel: takeOut,
  hgetall: read,
  zadd: put,
  zrem: takeOut,
  zrange: read,
};

const models = { ...strings, ...times, ...lists, ...sets, ...pairs };

/** What clients ask; `expired` is what nobody asked. */
export type OperationKind = keyof typeof models;

const reading: ReadonlySet<OperationKind> = new Set(['get', 'lrange', 'smembers', 'hgetall', 'zrange']);

export function isRead(kind: OperationKind): boolean {
  return reading.has(kind);
}

const selective: ReadonlySet<OperationKind> = new Set([
  'del',
  'pexpire',
  'persist',
  'sadd',
  'srem',
  'hdel',
  'zrem',
]);

/** True when its result says that it changed nothing, whatever the state was. */
export function changesNothing({ kind, result, returned }: Operation): boolean {
  if (returned === Number.POSITIVE_INFINITY) return false;
  return isRead(kind) || (result === 0 && selective.has(kind)) || (result === null && kind === 'lpop');
}

/** The state after an operation; undefined when its result does not fit. */
export function apply(state: State, operation: Operation): State | undefined {
  const { kind, value, returned } = operation;
  const outcome = models[kind](state, value);
  // What may have expired but has not is told apart from what has: an expiry that changes nothing is none.
  if (kind === 'expired' && outcome.state === state) return undefined;
  const known = returned !== Number.POSITIVE_INFINITY;
  return known && outcome.result !== operation.result ? undefined : outcome.state;
}
