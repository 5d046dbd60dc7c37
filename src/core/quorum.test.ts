import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kthHighest } from './quorum.ts';

test('the k-th highest is what sorting gives, and nobody is the k-th of fewer', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 9 }), { maxLength: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (values, k) => {
        const sorted = [...values].sort((a, b) => b - a);
        expect(kthHighest([...values], k)).toBe(sorted[k - 1] ?? Number.NEGATIVE_INFINITY);
      },
    ),
  );
});
