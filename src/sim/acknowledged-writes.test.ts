import { expect, test } from 'vitest';
import { checkAcknowledgedWrites } from './acknowledged-writes.ts';
import type { Operation } from './history.ts';

const never = Number.POSITIVE_INFINITY;
const op = (kind: Operation['kind'], value: string, invoked: number, returned: number): Operation => ({
  key: 'k',
  kind,
  value,
  client: 0,
  invoked,
  returned,
  result: null,
});

test('the last acknowledged write must be there, or one that could have come after it', () => {
  const writes = [op('set', 'a', 1, 2), op('set', 'b', 3, 4), op('set', 'c', 5, never)];
  expect(checkAcknowledgedWrites('k', writes, 'b')).toBeNull();
  expect(checkAcknowledgedWrites('k', writes, 'c')).toBeNull();
  expect(checkAcknowledgedWrites('k', writes, 'a')).toBe("k holds 'a', and 'b' was acknowledged after it");
  expect(checkAcknowledgedWrites('k', writes, 'z')).toBe("k holds 'z', which nobody wrote");
  expect(checkAcknowledgedWrites('k', writes, null)).toBe("k is gone, and 'a' was acknowledged");
});

test('a key may be gone only if a delete could have come last', () => {
  const writes = [op('set', 'a', 1, 2), op('del', '', 3, 4)];
  expect(checkAcknowledgedWrites('k', writes, null)).toBeNull();
  expect(checkAcknowledgedWrites('k', writes, 'a')).toBe(
    "k holds 'a', and a delete was acknowledged after it",
  );
  expect(checkAcknowledgedWrites('k', [...writes, op('set', 'b', 5, 6)], null)).toContain("'b' was ack");
  expect(checkAcknowledgedWrites('k', [op('set', 'a', 1, never)], null)).toBeNull();
  expect(checkAcknowledgedWrites('k', [], null)).toBeNull();
});

test('a counter lies between its acknowledged increments and all of them', () => {
  const writes = [op('incr', '', 1, 2), op('incr', '', 3, 4), op('incr', '', 5, never)];
  expect(checkAcknowledgedWrites('k', writes, '1')).toBe('k is 1 after 2 acknowledged increments');
  expect(checkAcknowledgedWrites('k', writes, '2')).toBeNull();
  expect(checkAcknowledgedWrites('k', writes, '3')).toBeNull();
  expect(checkAcknowledgedWrites('k', writes, '4')).toBe('k is 4 after 3 increments');
});
