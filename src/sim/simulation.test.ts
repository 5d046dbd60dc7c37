import { expect, test } from 'vitest';
import { simulate } from './simulation.ts';

test('the same seed twice gives the same run', () => {
  expect(simulate(3).hash).toBe(simulate(3).hash);
  expect(simulate(3).hash).not.toBe(simulate(4).hash);
});
