import { expect, test } from 'vitest';
import type { Operation } from './history.ts';
import { readOf } from './level-test-kit.ts';
import { Asked, checkLocalRead } from './local-reads.ts';

const op = (kind: Operation['kind'], value: string, invoked: number): Operation => ({
  key: 'k',
  kind,
  value,
  client: 0,
  invoked,
  returned: Number.POSITIVE_INFINITY,
  result: null,
});
const check = (result: string | null, ...operations: Operation[]) =>
  checkLocalRead(readOf(result, 0, 10, { kind: 'local', bound: 0 }), new Asked(operations));

test('what somebody had asked for may be seen, whatever became of it', () => {
  expect(check(null)).toBeNull();
  expect(check('a', op('set', 'a', 3), op('del', '', 4))).toBeNull();
  expect(check('2', op('incr', '', 3), op('incr', '', 4), op('incr', '', 11))).toBeNull();
});

test('what nobody had asked for is found', () => {
  expect(check('b', op('set', 'a', 3))).toBe(
    'client 7 read k → b at local, from 0.00 to 10.00 ms: no leader can have executed that',
  );
  expect(check('a', op('set', 'a', 11))).toContain('no leader');
  expect(check('3', op('incr', '', 3), op('incr', '', 4), op('incr', '', 11))).toContain('no leader');
});
