import { afterEach, describe, expect, it, vi } from 'vitest';
import { ListValue } from './collections.ts';
import { Keyspace } from './keyspace.ts';

const sliceBytes = 64 << 10;
/** Keys and elements in one slice. */
const partsPerSlice = 2048;

/** A small random number for each call. */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % bound;
  };
}

/** One change to some key, or to a new one. */
function change(keyspace: Keyspace, key: string, what: number): void {
  if (what === 0) keyspace.putString(key, 'changed', 0);
  else if (what === 1) keyspace.remove(key);
  else if (what === 2) keyspace.setExpiry(key, 5_000_000_000_000);
  else if (what === 3) keyspace.rename(key, `${key}:renamed`);
  else {
    // Taken out, and at once put in again behind all others.
    keyspace.remove(key);
    keyspace.listAppend(key, 'again');
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a checkpoint of a slot with very many keys', () => {
  const keys = 5000;
  const name = (i: number): string => `{slot}${i}`;

  function fill(keyspace: Keyspace): void {
    for (let i = 0; i < keys; i++) {
      if (i % 3 === 0) keyspace.listAppend(name(i), `item ${i}`);
      else keyspace.putString(name(i), `value ${i}`, i % 2 === 0 ? 4_000_000_000_000 : 0);
    }
  }

  it.each([1, 2, 3, 4, 5, 6])(
    'holds the state of its moment, whatever changes meanwhile, seed %i',
    (seed) => {
      const below = dice(seed);
      const keyspace = new Keyspace();
      fill(keyspace);
      const wanted = keyspace.digest();
      const slices = keyspace.beginCheckpoint();
      const loader = new Keyspace();
      const { load, finish } = loader.restore();
      // Small slices, so that much changes while a slot is under way.
      for (let slice = slices.next(2000); slice !== null; slice = slices.next(2000)) {
        load(slice);
        for (let i = 0; i < 25; i++) change(keyspace, name(below(keys + 500)), below(5));
      }
      finish(1);
      expect(slices.keys).toBe(keys);
      expect(slices.digest).toBe(wanted);
      expect(loader.digest()).toBe(wanted);
    },
  );

  it('holds what was there when all keys of the slot go and others come', () => {
    const keyspace = new Keyspace();
    fill(keyspace);
    const wanted = keyspace.digest();
    const slices = keyspace.beginCheckpoint();
    const loader = new Keyspace();
    const { load } = loader.restore();
    for (let slice = slices.next(2000), round = 0; slice !== null; slice = slices.next(2000), round++) {
      load(slice);
      if (round !== 3) continue;
      for (let i = 0; i < keys; i++) keyspace.remove(name(i));
      for (let i = 0; i < keys; i += 2) keyspace.putString(name(i), 'another', 0);
    }
    expect(slices.digest).toBe(wanted);
    expect(loader.digest()).toBe(wanted);
  });

  it('looks at few of them in one slice', () => {
    const keyspace = new Keyspace();
    for (let i = 0; i < 3 * keys; i++) keyspace.listAppend(name(i), 'x');
    const copies = vi.spyOn(ListValue.prototype, 'copy');
    const slices = keyspace.beginCheckpoint();
    let most = 0;
    for (let slice = slices.next(sliceBytes); slice !== null; slice = slices.next(sliceBytes)) {
      most = Math.max(most, copies.mock.calls.length);
      copies.mockClear();
    }
    expect(slices.keys).toBe(3 * keys);
    expect(most).toBeLessThanOrEqual(partsPerSlice);
  });
});

it('a slice holds no more than some thousand keys and elements, however small they are', () => {
  const keyspace = new Keyspace();
  for (let i = 0; i < 10_000; i++) {
    keyspace.putString(`k${i}`, '', 0);
    keyspace.listAppend('list', '');
    keyspace.setAdd('set', `${i}`);
    keyspace.hashSet('hash', `${i}`, '');
    keyspace.sortedSetPut('zset', `${i}`, 0);
  }
  const wanted = keyspace.digest();
  const slices = keyspace.beginCheckpoint();
  const { load, finish } = new Keyspace().restore();
  let count = 0;
  for (let slice = slices.next(1 << 20); slice !== null; slice = slices.next(1 << 20)) {
    expect(slice.length).toBeLessThan(partsPerSlice * 40);
    load(slice);
    count += 1;
  }
  expect(finish(1)).toBe(wanted);
  expect(count).toBeGreaterThan(50_000 / partsPerSlice);
  expect(count).toBeLessThan(50_000 / partsPerSlice + 6);
});
