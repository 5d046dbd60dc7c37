import { expect, test } from 'vitest';
import type { Operation } from './history.ts';
import { checkLinearizable } from './linearizability.ts';
import { apply } from './models.ts';

const never = Number.POSITIVE_INFINITY;

/** `from` and `to` are when it was invoked and when it returned. */
function op(
  kind: Operation['kind'],
  from: number,
  to: number,
  result: Operation['result'],
  value = '',
): Operation {
  return { key: 'k', kind, value, client: 0, invoked: from, returned: to, result };
}

const set = (value: string, from: number, to: number): Operation => op('set', from, to, 'OK', value);
const get = (result: string | null, from: number, to: number): Operation => op('get', from, to, result);
const incr = (result: number | null, from: number, to: number): Operation => op('incr', from, to, result);
const del = (result: number | null, from: number, to: number): Operation => op('del', from, to, result);
const verdict = (...operations: Operation[]): string => checkLinearizable(operations).kind;

test('operations one after the other', () => {
  expect(verdict()).toBe('linearizable');
  expect(verdict(get(null, 1, 2), set('a', 3, 4), get('a', 5, 6), set('b', 7, 8), get('b', 9, 10))).toBe(
    'linearizable',
  );
});

test('a read of an old value after a new one was acknowledged is a violation', () => {
  const operations = [set('a', 1, 2), set('b', 3, 4), get('a', 5, 6)];
  expect(verdict(...operations)).toBe('violated');
  expect(checkLinearizable(operations)).toEqual({ kind: 'violated', stuckAt: operations[2] });
});

test('a lost write is a violation', () => {
  expect(verdict(set('a', 1, 2), get(null, 3, 4))).toBe('violated');
});

test('a value that nobody wrote is a violation', () => {
  expect(verdict(set('a', 1, 2), get('z', 3, 4))).toBe('violated');
});

test('a read before its write began is a violation', () => {
  expect(verdict(get('a', 1, 2), set('a', 3, 4))).toBe('violated');
});

test('reads beside a write may see it or not, but not first see it and then not', () => {
  expect(verdict(set('a', 1, 10), get(null, 2, 3), get('a', 4, 5))).toBe('linearizable');
  expect(verdict(set('a', 1, 10), get('a', 2, 3), get(null, 4, 5))).toBe('violated');
});

test('two readers must agree on the order of two concurrent writes', () => {
  const writes = [set('a', 1, 10), set('b', 1, 10)];
  expect(verdict(...writes, get('a', 11, 12), get('b', 13, 14))).toBe('violated');
  expect(verdict(...writes, get('a', 2, 3), get('b', 4, 5))).toBe('linearizable');
  expect(verdict(...writes, get('a', 2, 3), get('b', 4, 5), get('a', 6, 7))).toBe('violated');
});

test('operations that touch at one point in time count as concurrent', () => {
  expect(verdict(set('a', 1, 5), get(null, 5, 6))).toBe('linearizable');
  expect(verdict(set('a', 1, 5), get(null, 6, 7))).toBe('violated');
});

test('a write without an answer may have happened at any later time, or never', () => {
  const unknown = set('a', 1, never);
  expect(verdict(unknown, get(null, 2, 3))).toBe('linearizable');
  expect(verdict(unknown, get(null, 2, 3), get('a', 4, 5))).toBe('linearizable');
  expect(verdict(unknown, set('b', 2, 3), get('b', 4, 5), get('a', 6, 7))).toBe('linearizable');
  expect(verdict(unknown, get('a', 2, 3), get(null, 4, 5))).toBe('violated');
  expect(verdict(set('b', 1, 2), set('a', 6, never), get('a', 3, 4))).toBe('violated');
});

test('a write without an answer happens at most once', () => {
  const operations = [set('a', 1, never), get('a', 2, 3), set('b', 4, 5), get('a', 6, 7)];
  expect(verdict(...operations)).toBe('violated');
});

test('counters: every increment counts once', () => {
  expect(verdict(incr(1, 1, 2), incr(2, 3, 4), get('2', 5, 6))).toBe('linearizable');
  expect(verdict(incr(1, 1, 2), incr(1, 3, 4))).toBe('violated');
  expect(verdict(incr(2, 1, 2))).toBe('violated');
  expect(verdict(incr(2, 1, 5), incr(1, 2, 6))).toBe('linearizable');
  expect(verdict(incr(1, 1, 2), incr(3, 3, 4))).toBe('violated');
});

test('counters: increments without an answer explain what is missing, each once and only after its call', () => {
  expect(verdict(incr(null, 1, never), incr(1, 1, 2), incr(3, 3, 4))).toBe('linearizable');
  expect(verdict(incr(null, 1, never), incr(1, 1, 2), incr(4, 3, 4))).toBe('violated');
  expect(verdict(incr(null, 1, never), incr(null, 2, never), incr(3, 3, 4))).toBe('linearizable');
  expect(verdict(incr(1, 1, 2), incr(3, 3, 4), incr(null, 5, never))).toBe('violated');
});

test('deletes tell whether there was a value', () => {
  expect(verdict(set('a', 1, 2), del(1, 3, 4), get(null, 5, 6), del(0, 7, 8))).toBe('linearizable');
  expect(verdict(set('a', 1, 2), del(0, 3, 4))).toBe('violated');
  expect(verdict(del(1, 3, 4))).toBe('violated');
  expect(verdict(set('a', 1, never), del(1, 3, 4), get(null, 5, 6))).toBe('linearizable');
});

/** All orders of the operations that respect time, tried one by one: slow, and plainly right. */
function bruteForce(left: readonly Operation[], state: string | null): boolean {
  if (left.every(({ returned }) => returned === never)) return true;
  const firstReturn = Math.min(...left.map(({ returned }) => returned));
  return left.some((operation) => {
    if (operation.invoked > firstReturn) return false;
    const { kind, result, returned, value } = operation;
    const known = returned !== never;
    let next: string | null = state;
    let expected: Operation['result'] = 'OK';
    if (kind === 'set') next = value;
    if (kind === 'get') expected = state;
    if (kind === 'del') {
      expected = state === null ? 0 : 1;
      next = null;
    }
    if (kind === 'incr') {
      expected = Number(state ?? '0') + 1;
      next = String(expected);
    }
    if (known && expected !== result) return false;
    return bruteForce(
      left.filter((other) => other !== operation),
      next,
    );
  });
}

test('agrees with trying every order, on thousands of small histories', () => {
  let seed = 7;
  const below = (bound: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % bound;
  };
  const seen = { linearizable: 0, violated: 0, undecided: 0 };
  for (let round = 0; round < 6000; round++) {
    const counter = below(3) === 0;
    const erasable = below(2) === 0;
    const operations = Array.from({ length: 2 + below(5) }, (_, i): Operation => {
      const from = below(10);
      const unknown = below(4) === 0;
      const to = unknown ? never : from + 1 + below(5);
      if (below(2) === 0 && !unknown)
        return get(counter ? [null, '1', '2'][below(3)]! : [null, 'v0', 'v1', 'v2'][below(4)]!, from, to);
      if (counter) return incr(unknown ? null : 1 + below(3), from, to);
      if (erasable && below(3) === 0) return del(unknown ? null : below(2), from, to);
      return set(`v${i}`, from, to);
    });
    const expected = bruteForce(operations, null) ? 'linearizable' : 'violated';
    expect(verdict(...operations), JSON.stringify(operations)).toBe(expected);
    seen[expected] += 1;
  }
  expect(Math.min(seen.linearizable, seen.violated)).toBeGreaterThan(500);
});

/** The same for whatever the models know. */
function bruteForceModels(left: readonly Operation[], state: string | null): boolean {
  if (left.every(({ returned }) => returned === never)) return true;
  const firstReturn = Math.min(...left.map(({ returned }) => returned));
  return left.some((operation) => {
    if (operation.invoked > firstReturn) return false;
    const next = apply(state, operation);
    const rest = left.filter((other) => other !== operation);
    return next !== undefined && bruteForceModels(rest, next);
  });
}

test('agrees with trying every order of what is done to lists, hashes and strings that grow', () => {
  let seed = 5;
  const below = (bound: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % bound;
  };
  const sorts = [
    { read: 'get', changes: ['append', 'append', 'del'], value: (i: number) => `${i};` },
    { read: 'lrange', changes: ['rpush', 'rpush', 'lpop', 'del'], value: (i: number) => `v${i}` },
    { read: 'hgetall', changes: ['hset', 'hset', 'hdel', 'del'], value: (i: number) => `m${i % 2}:${i}` },
    { read: 'get', changes: ['set', 'getset', 'del'], value: (i: number) => `v${i}` },
  ] as const;
  const seen = { linearizable: 0, violated: 0 };
  for (let round = 0; round < 4000; round++) {
    const sort = sorts[below(sorts.length)]!;
    // What truly happens, one operation at a time; what clients see of when, and sometimes a wrong answer.
    let state: string | null = null;
    let at = 0;
    const operations = Array.from({ length: 3 + below(5) }, (_, i): Operation => {
      const reads = below(5) < 2;
      const kind = reads ? sort.read : sort.changes[below(sort.changes.length)]!;
      const value =
        reads || kind === 'del' || kind === 'lpop' ? '' : kind === 'hdel' ? `m${i % 2}` : sort.value(i);
      at += 2;
      const from = at - below(6);
      const unknown = !reads && below(3) === 0;
      const results = ['OK', null, 0, 1, 2, 4, '0;', 'v0', 'm0:0', 'm0:0,m1:1'];
      for (const result of results.concat(
        state === null ? [] : [state.slice(1), state.length + 1, state.length + 2],
      ))
        if (!unknown && apply(state, op(kind, 0, 1, result, value)) !== undefined) {
          const shown = kind !== 'set' && below(12) === 0 ? results[below(results.length)]! : result;
          state = apply(state, op(kind, 0, 1, result, value)) as string | null;
          return op(kind, from, at + 1 + below(5), shown, value);
        }
      if (below(2) === 0) state = apply(state, op(kind, 0, never, null, value)) ?? state;
      return op(kind, from, never, null, value);
    }).filter(({ kind, returned }) => kind !== sort.read || returned !== never);
    const expected = bruteForceModels(operations, null) ? 'linearizable' : 'violated';
    expect(verdict(...operations), JSON.stringify(operations)).toBe(expected);
    seen[expected] += 1;
  }
  expect(Math.min(seen.linearizable, seen.violated)).toBeGreaterThan(300);
});

/** What `clients` see of one key that truly does one thing at a time; some answers are lost. */
function trueHistory(kind: 'set' | 'incr', count: number, clients: number): Operation[] {
  let seed = 11;
  const below = (bound: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % bound;
  };
  const freeAt = new Array<number>(clients).fill(0);
  const planned = Array.from({ length: count }, (_, i) => {
    const client = i % clients;
    const from = (freeAt[client] as number) + 1 + below(3);
    const happens = from + 1 + below(5);
    const to = happens + 1 + below(5);
    freeAt[client] = to;
    const reads = below(2) === 0;
    return { from, happens, to, reads, lost: !reads && below(200) === 0, value: `v${i}` };
  });
  let state: string | null = null;
  return planned
    .sort((a, b) => a.happens - b.happens)
    .map(({ from, to, reads, lost, value }) => {
      if (reads) return get(state, from, to);
      const next: string = kind === 'set' ? value : String(Number(state ?? '0') + 1);
      if (!lost || below(2) === 0) state = next;
      const result = kind === 'set' ? 'OK' : Number(next);
      return op(kind, from, lost ? never : to, lost ? null : result, kind === 'set' ? value : '');
    });
}

test('a hundred thousand operations are checked without a long search', () => {
  for (const kind of ['set', 'incr'] as const) {
    const operations = trueHistory(kind, 100_000, 8);
    // Not `undecided`: the choices that may be tried are bounded.
    expect(checkLinearizable(operations).kind).toBe('linearizable');
    const last = operations.findLast((operation) => operation.kind === 'get') as Operation;
    const wrong = operations.map((operation) => (operation === last ? { ...last, result: '-1' } : operation));
    expect(checkLinearizable(wrong).kind).not.toBe('linearizable');
  }
}, 300_000);
