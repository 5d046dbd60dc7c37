import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sequence } from './sequence.ts';

const step = fc.record({
  kind: fc.constantFrom('push', 'unshift', 'insert', 'set', 'remove', 'range', 'copy', 'many', 'many'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  count: fc.integer({ min: 1, max: 1200 }),
});

const weigh = (item: number): number => item % 101;

describe('Sequence', () => {
  it('behaves as an array does, and so do its copies', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const sequence = new Sequence<number>(weigh);
        const model: number[] = [];
        const copies: { copy: Sequence<number>; model: number[] }[] = [];
        let next = 0;
        const insert = (at: number): void => {
          sequence.insert(at, next);
          model.splice(at, 0, next++);
        };
        for (const { kind, at, count } of steps) {
          const place = Math.floor(at * model.length);
          if (kind === 'push') insert(model.length);
          else if (kind === 'unshift') insert(0);
          else if (kind === 'insert') insert(Math.floor(at * (model.length + 1)));
          else if (kind === 'copy') copies.push({ copy: sequence.copy(), model: model.slice() });
          else if (kind === 'many') {
            for (let i = 0; i < count; i++)
              insert(at < 0.2 ? 0 : at < 0.5 ? model.length : Math.floor(at * model.length));
          } else if (model.length === 0) continue;
          else if (kind === 'set') {
            sequence.set(place, next);
            model[place] = next++;
          } else {
            const taken = kind === 'remove' ? 1 : Math.min(count, model.length - place);
            sequence.remove(place, taken);
            model.splice(place, taken);
          }
        }
        copies.push({ copy: sequence, model });
        for (const { copy, model: expected } of copies) {
          expect(copy.size).toBe(expected.length);
          expect(copy.last).toBe(expected.at(-1));
          expect(copy.weight).toBe(expected.reduce((sum, item) => sum + weigh(item), 0));
          expect([...copy.from()]).toEqual(expected);
          expect([...copy.backFrom()]).toEqual([...expected].reverse());
          for (let i = 0; i < expected.length; i += 1 + (i % 7)) {
            expect(copy.get(i)).toBe(expected[i]);
            expect(copy.from(i).next().value).toBe(expected[i]);
            expect(copy.backFrom(i).next().value).toBe(expected[i]);
            const wanted = expected[(i * 7) % expected.length] as number;
            expect(copy.search(i, (item) => item === wanted)).toBe(expected.indexOf(wanted, i));
            expect(copy.searchBack(i, (item) => item === wanted)).toBe(expected.lastIndexOf(wanted, i));
            expect(copy.search(i, (item, at) => at === i && item === expected[i])).toBe(i);
            expect(copy.searchBack(i, (item, at) => at === i && item === expected[i])).toBe(i);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('finds places in order', () => {
    const sequence = new Sequence<number>(weigh);
    const model: number[] = [];
    let state = 1;
    for (let i = 0; i < 20_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const value = state % 50_000;
      const at = sequence.find((item) => item - value);
      expect(at === model.length || (model[at] as number) >= value).toBe(true);
      expect(at === 0 || (model[at - 1] as number) < value).toBe(true);
      sequence.insert(at, value);
      model.splice(at, 0, value);
    }
    expect([...sequence.from()]).toEqual([...model].sort((a, b) => a - b));
  });

  it('refuses positions that are not there', () => {
    const sequence = new Sequence<number>(weigh);
    expect(() => sequence.get(0)).toThrow(RangeError);
    expect(() => sequence.insert(1, 1)).toThrow(RangeError);
    sequence.push(1);
    expect(() => sequence.remove(0, 2)).toThrow(RangeError);
    expect(() => sequence.set(1, 1)).toThrow(RangeError);
    expect([...sequence.from(1)]).toEqual([]);
    expect(sequence.search(1, () => true)).toBe(-1);
    expect(sequence.searchBack(-1, () => true)).toBe(-1);
  });
});
