import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedSetValue } from './collections.ts';

type Change =
  | readonly ['put', string, number]
  | readonly ['remove', string]
  | readonly ['range', number, number];

const member = fc.nat(400).map((n) => `m${n}`);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('put' as const), member, fc.integer({ min: -5, max: 5 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), member) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('range' as const), fc.nat(400), fc.integer({ min: 0, max: 400 })),
  },
);

function ordered(model: ReadonlyMap<string, number>): [string, number][] {
  return [...model].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

function apply(value: SortedSetValue, model: Map<string, number>, [what, ...rest]: Change): void {
  const [first, second] = rest;
  if (what === 'put') {
    value.put(first as string, second as number);
    model.set(first as string, second as number);
  } else if (what === 'remove') {
    value.remove(first as string);
    model.delete(first as string);
  } else {
    const from = first as number;
    const gone = ordered(model).slice(from, from + (second as number));
    value.removeRange(from, Math.min(second as number, value.size - from));
    for (const [name] of gone) model.delete(name);
  }
}

/** Everything that may be asked of a sorted set, against a plain map. */
function check(value: SortedSetValue, model: ReadonlyMap<string, number>): void {
  const wanted = ordered(model);
  expect(value.size).toBe(wanted.length);
  expect(Array.from(value.entries(), ([name, { score }]) => [name, score])).toEqual(wanted);
  const unordered = Array.from(value.unordered(), ({ member: name, score }) => [name, score] as const);
  expect(unordered).toHaveLength(wanted.length);
  expect(ordered(new Map(unordered))).toEqual(wanted);
  const scanned = new Map<string, number>();
  let cursor = 0;
  do cursor = value.scan(cursor, 50, (name, { score }) => scanned.set(name, score));
  while (cursor !== 0);
  expect(ordered(scanned)).toEqual(wanted);
  for (let n = 0; n <= 400; n++) {
    const name = `m${n}`;
    expect(value.scoreOf(name)).toBe(model.get(name));
    const rank = wanted.findIndex(([each]) => each === name);
    expect(value.rankOf(name)).toBe(rank < 0 ? undefined : rank);
  }
  expect(value.memoryBytes).toBe(wanted.reduce((sum, [name]) => sum + 110 + name.length, 0));
}

describe('a sorted set', () => {
  it('is what a plain map says, whatever ranges went before and came back', () => {
    const filled = Array.from({ length: 400 }, (_, n): Change => ['put', `m${n}`, n % 11]);
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(change, { maxLength: 20 }),
        (before, behind) => {
          const value = new SortedSetValue();
          const model = new Map<string, number>();
          for (const each of [...filled, ...before]) apply(value, model, each);
          check(value, model);
          // A copy goes its own way from here on.
          const twin = value.copy();
          const twinModel = new Map(model);
          for (const each of behind) apply(value, model, each);
          for (const each of filled.slice(0, 30)) apply(twin, twinModel, each);
          check(value, model);
          check(twin, twinModel);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('draws members that are left, all of them', () => {
    const value = new SortedSetValue();
    for (let n = 0; n < 300; n++) value.put(`m${n}`, n);
    value.removeRange(5, 290);
    let next = 0;
    const drawn = new Set<string>();
    for (let i = 0; i < 10; i++) drawn.add(value.random({ below: (bound) => next++ % bound })[0]);
    expect([...drawn].sort()).toEqual(['m0', 'm1', 'm2', 'm295', 'm296', 'm297', 'm298', 'm299', 'm3', 'm4']);
  });
});
