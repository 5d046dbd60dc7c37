import { expect, test } from 'vitest';
import { slotOf } from './slot.ts';

// As `CLUSTER KEYSLOT` of Redis 7.0 answers.
test.each([
  ['', 0],
  ['foo', 12182],
  ['123456789', 12739],
  ['foo{bar}baz', 5061],
  ['bar', 5061],
  ['{}foo', 9500],
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', 4015],
  ['foo{bar', 15278],
])('the slot of %j', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});
