import { describe, expect, it } from 'vitest';
import { SortedSetValue } from '../state/collections.ts';
import { HashTable } from '../state/hash-table.ts';
import type { Drawn } from './samples.ts';
import { sample } from './samples.ts';
import { finished } from './steps.ts';

function chance(seed: number): { below(bound: number): number; float(): number } {
  let state = seed;
  const float = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x1_0000_0000;
  };
  return { float, below: (bound) => Math.floor(float() * bound) };
}

function sampled<V>(...words: Parameters<typeof sample<V>>): Drawn<V> {
  return finished(sample<V>(...words));
}

function tableOf(size: number): HashTable<number> {
  const table = new HashTable<number>();
  for (let i = 0; i < size; i++) table.set(`k${i}`, i);
  return table;
}

function sortedOf(size: number): SortedSetValue {
  const sorted = new SortedSetValue();
  for (let i = 0; i < size; i++) sorted.put(`k${i}`, i % 7);
  return sorted;
}

const counts = [0, 1, 2, 16, 17, 30, 600, 1500, 1501, 2600, 2999, 3000, 5000];

describe.each([
  ['a hash table', (size: number) => tableOf(size)],
  ['a sorted set', (size: number) => sortedOf(size)],
] as const)('a sample of %s', (_, make) => {
  it.each(counts)('of %i different items', (count) => {
    const table = make(3000);
    const names = sampled<unknown>(table, count, chance(count + 1)).map(([name]) => name);
    expect(names).toHaveLength(Math.min(count, 3000));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^k\d+$/);
  });

  it.each([1, 17, 2000, 9000])(
    'of %i items that may come again, in the order in which they were drawn',
    (count) => {
      const table = make(3000);
      const drawn = sampled<unknown>(table, -count, chance(count));
      expect(drawn).toHaveLength(count);
      // Drawn one by one they come in no order: neighbours stand as often one way round as the other.
      const places = new Map([...table.entries()].map(([name], at) => [name, at]));
      const ascending = drawn.filter(
        ([name], i) => i > 0 && (places.get(name) ?? 0) > (places.get(drawn[i - 1]?.[0] ?? '') ?? 0),
      );
      if (count >= 2000) expect(Math.abs(ascending.length / count - 0.5)).toBeLessThan(0.05);
    },
  );

  it.each([1, 5, 20, 60, 99, -5, -20, -250])('of %i gives every item the same chance', (count) => {
    const table = make(100);
    const random = chance(7);
    const hits = new Map<string, number>();
    const rounds = Math.ceil(40_000 / Math.abs(count));
    for (let i = 0; i < rounds; i++)
      for (const [name] of sampled<unknown>(table, count, random)) hits.set(name, (hits.get(name) ?? 0) + 1);
    // The standard deviation is 20 at most.
    const expected = (rounds * Math.abs(count)) / 100;
    expect(hits.size).toBe(100);
    for (const each of hits.values()) expect(Math.abs(each - expected)).toBeLessThan(6 * 20);
  });
});

it('many items of a large table come in one walk past it', () => {
  const table = tableOf(50_000);
  const drawn = sampled(table, 10_000, chance(3));
  expect(new Map(drawn).size).toBe(10_000);
  for (const [name, value] of drawn) expect(name).toBe(`k${value}`);
  const again = sampled(table, -10_000, chance(3));
  for (const [name, value] of again) expect(name).toBe(`k${value}`);
});

it.each([3, 0, -3, -10_000])('finds nothing for %i in an empty table', (count) => {
  expect(sampled(tableOf(0), count, chance(1))).toEqual([]);
});

it('draws rows of a large table, each item with the same chance and none twice', () => {
  const size = 70_000;
  const table = tableOf(size);
  const random = chance(11);
  const count = 10_000;
  const hits = new Float64Array(size);
  const rounds = 60;
  for (let round = 0; round < rounds; round++) {
    const values = sampled(table, count, random).map(([, value]) => value);
    expect(new Set(values).size).toBe(count);
    for (const value of values) hits[value] = (hits[value] as number) + 1;
  }
  // Each is drawn in one of seven rounds: by chance alone nobody would be left out of sixty, or come in half of them.
  const mean = (rounds * count) / size;
  let square = 0;
  for (const hit of hits) square += (hit - mean) ** 2;
  const variance = rounds * (count / size) * (1 - count / size);
  expect(square / size / variance).toBeGreaterThan(0.9);
  expect(square / size / variance).toBeLessThan(1.1);
});
