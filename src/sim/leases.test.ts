import { expect, test } from 'vitest';
import { checkLeases } from './leases.ts';

const old = { node: 'a', term: 2, untilMs: 150, nowMs: 100 };

test('a commit beside a lease that lasts is found', () => {
  expect(checkLeases({ node: 'b', term: 3 }, [old])).toBe(
    'b commits in term 3 while the lease of a from term 2 lasts 50.0 ms more',
  );
});

test('leases that are over, or of the same or a later leader, forbid nothing', () => {
  expect(checkLeases({ node: 'b', term: 3 }, [{ ...old, nowMs: 150 }])).toBeNull();
  expect(checkLeases({ node: 'b', term: 3 }, [{ ...old, untilMs: Number.NEGATIVE_INFINITY }])).toBeNull();
  expect(checkLeases({ node: 'a', term: 3 }, [{ ...old, term: 3 }])).toBeNull();
  expect(checkLeases({ node: 'b', term: 3 }, [{ ...old, term: 4 }])).toBeNull();
});
