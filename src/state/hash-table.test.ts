import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashTable, hashOf } from './hash-table.ts';

/** A small deterministic source of chance. */
function chance(seed: number): { below(bound: number): number } {
  let state = seed;
  return {
    below: (bound) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 0x1_0000_0000) * bound);
    },
  };
}

describe('HashTable', () => {
  it('behaves as a Map does, and so do its copies', () => {
    const step = fc.record({
      kind: fc.constantFrom('set', 'set', 'set', 'delete', 'delete', 'copy', 'burst', 'purge'),
      key: fc.nat(3000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = new HashTable<number>();
        const model = new Map<string, number>();
        const copies: { copy: HashTable<number>; model: Map<string, number> }[] = [];
        const set = (key: string, value: number): void => {
          expect(table.set(key, value)).toBe(!model.has(key));
          model.set(key, value);
        };
        const remove = (key: string): void => expect(table.delete(key)).toBe(model.delete(key));
        steps.forEach(({ kind, key }, at) => {
          if (kind === 'set') set(`k${key}`, at);
          else if (kind === 'delete') remove(`k${key}`);
          else if (kind === 'copy') copies.push({ copy: table.copy(), model: new Map(model) });
          else if (kind === 'burst') for (let i = 0; i < 700; i++) set(`k${(key + i) % 3000}`, at);
          else for (let i = 0; i < 900; i++) remove(`k${(key + i) % 3000}`);
        });
        copies.push({ copy: table, model });
        for (const { copy, model: expected } of copies) {
          expect(copy.size).toBe(expected.size);
          expect(new Map(copy.entries())).toEqual(expected);
          expect(new Set(copy.keys())).toEqual(new Set(expected.keys()));
          for (const [key, value] of expected) expect(copy.get(key)).toBe(value);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('visits in a scan whatever stays, while the table grows and shrinks', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = chance(seed);
      const table = new HashTable<number>();
      for (let i = 0; i < 4000; i++) table.set(`stays${i}`, i);
      const seen = new Set<string>();
      let cursor = 0;
      let steps = 0;
      do {
        cursor = table.scan(cursor, 10, (key) => seen.add(key));
        const grows = seed % 2 === 0;
        for (let i = 0; i < 300; i++) {
          if (grows === steps < 20) table.set(`comes${random.below(20_000)}`, 0);
          else table.delete(`comes${random.below(20_000)}`);
        }
        steps += 1;
      } while (cursor !== 0);
      for (let i = 0; i < 4000; i++) expect(seen.has(`stays${i}`)).toBe(true);
    }
  });

  it('gives every item the same chance, after most of a large table is gone too', () => {
    const table = new HashTable<number>();
    for (let i = 0; i < 20_000; i++) table.set(`k${i}`, i);
    for (let i = 600; i < 20_000; i++) table.delete(`k${i}`);
    const random = chance(7);
    const hits = new Array<number>(600).fill(0);
    const draws = 120_000;
    for (let i = 0; i < draws; i++) {
      const [, value] = table.random(random);
      hits[value] = (hits[value] as number) + 1;
    }
    // 200 expected each, with a standard deviation of 14.
    expect(Math.min(...hits)).toBeGreaterThan(200 - 6 * 14);
    expect(Math.max(...hits)).toBeLessThan(200 + 6 * 14);
  });

  it('does not let keys with like hashes make its directory large', () => {
    const table = new HashTable<number>();
    for (let i = 0; table.size < 600; i++) if (hashOf(`k${i}`) >>> 22 === 0) table.set(`k${i}`, i);
    let steps = 0;
    let cursor = 0;
    do {
      cursor = table.scan(cursor, 1, () => {});
      steps += 1;
    } while (cursor !== 0);
    expect(steps).toBeLessThan(64);
  });
});
