import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SortedSetValue } from '../state/collections.ts';
import type { Shape } from './geo-distance.ts';
import { aboutInside, distance } from './geo-distance.ts';
import { measured, search, sorted } from './geo-search.ts';
import { positionOf, scoreOf } from './geohash.ts';

const noLimit = Number.POSITIVE_INFINITY;

/** Not too near to the poles, where Redis's choice of cells may leave something out. */
const position = fc.record({
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
  latitude: fc.double({ min: -70, max: 70, noNaN: true }),
});
const meters = fc.double({ min: 0, max: 2e6, noNaN: true });
const shape: fc.Arbitrary<Shape> = fc.oneof(
  fc.record({ center: position, radius: meters }),
  fc.record({ center: position, width: meters, height: meters }),
);

/** Some anywhere, some near the middle of the shape. */
function placed(
  positions: readonly { longitude: number; latitude: number }[],
  { center }: Shape,
): SortedSetValue {
  const places = new SortedSetValue();
  for (const [i, { longitude, latitude }] of positions.entries()) {
    const near = { longitude: center.longitude + longitude / 10, latitude: center.latitude + latitude / 10 };
    const inside = Math.abs(near.longitude) <= 180 && Math.abs(near.latitude) <= 70;
    places.put(`place ${i}`, scoreOf(i % 2 === 0 && inside ? near : { longitude, latitude }));
  }
  return places;
}

describe('a search by cells', () => {
  it('finds what going through all places finds, in order of exact distance', () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(position, { maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        (where, positions, count) => {
          const places = placed(positions, where);
          const found = search(places, where, noLimit);
          const all = [...places.order.from()].filter(
            ({ score }) => aboutInside(where, positionOf(score)) !== null,
          );
          const names = (items: readonly { member: string }[]): string[] =>
            items.map(({ member }) => member).sort();
          expect(names(found)).toEqual(names(all));
          const inOrder = measured(where, found).sort((one, other) => one.distance - other.distance);
          expect(sorted(where, found, true, count)).toEqual(inOrder.slice(0, count));
          const farthest = measured(where, found).sort((one, other) => other.distance - one.distance);
          expect(sorted(where, found, false, count)).toEqual(farthest.slice(0, count));
          expect(search(places, where, count)).toEqual(found.slice(0, count));
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });

  it('measures the same way there and back', () => {
    fc.assert(
      fc.property(position, position, (one, other) => {
        expect(distance(one, other)).toBe(distance(other, one));
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('a score', () => {
  it('stands for a place within a meter', () => {
    fc.assert(
      fc.property(position, (place) => {
        const back = positionOf(scoreOf(place));
        expect(distance(place, back)).toBeLessThan(1);
        expect(scoreOf(back)).toBe(scoreOf(place));
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});
