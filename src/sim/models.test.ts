import { expect, test } from 'vitest';
import type { Operation } from './history.ts';
import { checkLinearizable } from './linearizability.ts';
import type { OperationKind } from './models.ts';
import { changesNothing } from './models.ts';

/** Operations one after the other; `unknown` ones have no answer. */
function verdict(
  ...operations: readonly (readonly [OperationKind, string, Operation['result'] | 'unknown'])[]
): string {
  return checkLinearizable(
    operations.map(([kind, value, result], i) => {
      const unknown = result === 'unknown';
      const returned = unknown ? Number.POSITIVE_INFINITY : 2 * i + 2;
      return {
        key: 'k',
        kind,
        value,
        client: 0,
        invoked: 2 * i + 1,
        returned,
        result: unknown ? null : result,
      };
    }),
  ).kind;
}

test('a value that expired never comes back', () => {
  const set = ['setpx', 'a', 'OK'] as const;
  const expired = ['expired', '', 'unknown'] as const;
  expect(verdict(set, expired, ['get', '', 'a'], ['get', '', null])).toBe('linearizable');
  expect(verdict(set, expired, ['get', '', null], ['get', '', 'a'])).toBe('violated');
  expect(verdict(set, ['get', '', null])).toBe('violated');
  expect(verdict(set, expired, ['set', 'b', 'OK'], ['get', '', null])).toBe('violated');
  expect(verdict(set, expired, ['persist', '', 1], ['get', '', null])).toBe('violated');
  expect(verdict(['set', 'a', 'OK'], ['pexpire', '', 1], expired, ['get', '', null])).toBe('linearizable');
  expect(verdict(['pexpire', '', 0], expired, ['get', '', null], ['persist', '', 0])).toBe('linearizable');
  // Two times to live allow two ends, not three.
  const again = [set, ['get', '', null]] as const;
  expect(verdict(expired, ...again, expired, ...again)).toBe('linearizable');
  expect(verdict(expired, ...again, ...again)).toBe('violated');
});

test('appended text shows each piece once and in order', () => {
  expect(verdict(['append', 'a;', 2], ['append', 'b;', 4], ['get', '', 'a;b;'])).toBe('linearizable');
  expect(verdict(['append', 'a;', 2], ['append', 'b;', 4], ['get', '', 'b;a;'])).toBe('violated');
  expect(verdict(['append', 'a;', 2], ['append', 'b;', 2])).toBe('violated');
  expect(verdict(['append', 'a;', 'unknown'], ['append', 'b;', 4], ['get', '', 'a;b;'])).toBe('linearizable');
  expect(verdict(['append', 'a;', 'unknown'], ['get', '', 'a;a;'])).toBe('violated');
});

test('collections', () => {
  expect(verdict(['rpush', 'a', 1], ['rpush', 'b', 2], ['lpop', '', 'a'], ['lrange', '', 'b'])).toBe(
    'linearizable',
  );
  expect(verdict(['rpush', 'a', 1], ['lpop', '', 'a'], ['lpop', '', 'a'])).toBe('violated');
  expect(verdict(['lpop', '', null], ['rpush', 'a', 1], ['lrange', '', null])).toBe('violated');
  expect(verdict(['sadd', 'b', 1], ['sadd', 'a', 1], ['smembers', '', 'a,b'], ['srem', 'b', 1])).toBe(
    'linearizable',
  );
  expect(verdict(['sadd', 'b', 1], ['sadd', 'b', 1])).toBe('violated');
  expect(verdict(['hset', 'm:1', 1], ['hset', 'm:2', 0], ['hgetall', '', 'm:2'])).toBe('linearizable');
  expect(verdict(['hset', 'm:1', 1], ['hdel', 'm', 1], ['hgetall', '', 'm:1'])).toBe('violated');
  expect(verdict(['zadd', 'm:1', 1], ['zrem', 'm', 1], ['zrange', '', null])).toBe('linearizable');
  expect(verdict(['getset', 'b', null], ['getset', 'c', 'b'], ['get', '', 'b'])).toBe('violated');
});

test('what became of an operation without an answer is not known', () => {
  const pop = { key: 'k', kind: 'lpop', value: '', client: 0, invoked: 1, result: null } as const;
  expect(changesNothing({ ...pop, returned: 2 })).toBe(true);
  expect(changesNothing({ ...pop, returned: Number.POSITIVE_INFINITY })).toBe(false);
});
