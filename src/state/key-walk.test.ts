import { expect, test } from 'vitest';
import { Keyspace } from './keyspace.ts';
import { idleMs, useClockAt } from './use-clock.ts';

test('every key comes up once a round, and new ones in the next', () => {
  const keyspace = new Keyspace();
  expect(keyspace.walk()).toBeUndefined();
  const names = new Set<string>();
  for (let i = 0; i < 500; i++) {
    // Many slots with one key, and one with many.
    const key = i % 2 === 0 ? `key${i}` : `{same}${i}`;
    names.add(key);
    keyspace.putString(key, '', 0);
  }
  const seen = new Set<string>();
  for (let i = 0; i < 500; i++) seen.add(keyspace.walk()?.[0] as string);
  expect(seen).toEqual(names);
  for (const key of names) if (key !== 'key0') keyspace.remove(key);
  for (let i = 0; i < 3; i++) expect(keyspace.walk()?.[0]).toBe('key0');
  keyspace.clear();
  expect(keyspace.walk()).toBeUndefined();
});

test('keys that expire are found whatever became of others', () => {
  const keyspace = new Keyspace();
  const random = { below: () => 0 };
  for (let i = 0; i < 200; i++) keyspace.putString(`key${i}`, '', 1000 + i);
  for (let i = 0; i < 199; i++) keyspace.setExpiry(`key${i}`, 0);
  expect(keyspace.someExpiring(random)?.[0]).toBe('key199');
  expect(keyspace.soonestToExpire()).toBe('key199');
  keyspace.remove('key199');
  expect(keyspace.someExpiring(random)).toBeUndefined();
  expect(keyspace.soonestToExpire()).toBeUndefined();
});

test('the use clock goes around and is not upset by a wall clock that goes back', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(idleMs(useClockAt(now), useClockAt(now + 5000))).toBe(5000);
  expect(idleMs(2 ** 30 - 10, 20)).toBe(3000);
  expect(idleMs(useClockAt(now + 60_000), useClockAt(now))).toBe(0);
});
