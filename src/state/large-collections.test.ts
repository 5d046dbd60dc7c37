import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HashTable } from './hash-table.ts';
import { Keyspace } from './keyspace.ts';
import { Sequence } from './sequence.ts';
import type { CheckpointSlices } from './types.ts';

/**
 * What one turn does with a large collection must not grow with it. Times depend on the machine, so what is counted here
 * is work: elements that are walked over, bytes of a slice. `npm run bench:peers -- --only large-collections` tells times.
 */
const elements = 100_000;
const sliceBytes = 64 << 10;
/** Keys and elements in one slice. */
const partsPerSlice = 2048;
const types = ['list', 'set', 'hash', 'zset'] as const;

function fill(keyspace: Keyspace): void {
  for (let i = 0; i < elements; i++) {
    keyspace.listAppend('{k}list', `element:${i}`);
    keyspace.setAdd('{k}set', `element:${i}`);
    keyspace.hashSet('{k}hash', `field:${i}`, `value:${i}`);
    keyspace.sortedSetPut('{k}zset', `member:${i}`, (i * 7919) % elements);
  }
}

/** Counts the elements that are walked over from here on. */
function countWalked(): () => number {
  let walked = 0;
  for (const name of ['from', 'backFrom'] as const) {
    const original = Sequence.prototype[name];
    vi.spyOn(Sequence.prototype, name).mockImplementation(function* (
      this: Sequence<unknown>,
      index?: number,
    ) {
      for (const item of original.call(this, index)) {
        walked += 1;
        yield item;
      }
    });
  }
  for (const name of ['search', 'searchBack'] as const) {
    const original = Sequence.prototype[name];
    vi.spyOn(Sequence.prototype, name).mockImplementation(function (this: Sequence<unknown>, index, visit) {
      return original.call(this, index, (item, at) => {
        walked += 1;
        return visit(item, at);
      });
    });
  }
  for (const name of ['entries', 'keys'] as const) {
    const original = HashTable.prototype[name] as (this: HashTable<unknown>) => Generator<unknown>;
    vi.spyOn(HashTable.prototype, name).mockImplementation(function* (this: HashTable<unknown>) {
      for (const item of original.call(this)) {
        walked += 1;
        yield item as never;
      }
    });
  }
  return () => walked;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('collections of a hundred thousand elements', () => {
  const keyspace = new Keyspace();

  beforeAll(() => fill(keyspace));

  it('are copied, renamed, changed and deleted without a walk over them', () => {
    const walked = countWalked();
    for (const type of types) {
      keyspace.copy(`{k}${type}`, `{k}${type}2`);
      keyspace.rename(`{k}${type}2`, `{k}${type}3`);
    }
    keyspace.listInsert('{k}list3', elements / 2, 'x');
    keyspace.listSet('{k}list3', 1000, 'x');
    keyspace.listRemove('{k}list3', 7, 1);
    keyspace.setAdd('{k}set3', 'x');
    keyspace.setRemove('{k}set3', 'element:5');
    keyspace.hashSet('{k}hash3', 'x', 'y');
    keyspace.hashRemove('{k}hash3', 'field:5');
    keyspace.sortedSetPut('{k}zset3', 'x', 3);
    keyspace.sortedSetRemove('{k}zset3', 'member:5');
    for (const type of types) keyspace.putString(`{k}${type}4`, 'v', 0);
    for (const type of types) {
      keyspace.rename(`{k}${type}4`, `{k}${type}3`);
      keyspace.copy(`{k}${type}`, `{k}${type}2`);
      keyspace.setExpiry(`{k}${type}2`, 1);
      keyspace.putString(`{k}${type}2`, 'v', 0);
      keyspace.copy(`{k}${type}`, `{k}${type}5`);
      keyspace.remove(`{k}${type}5`);
    }
    expect(walked()).toBeLessThanOrEqual(1);
    expect(keyspace.size).toBe(12);
  });

  it('are written to a checkpoint in slices, and change meanwhile, at the same cost', () => {
    const walked = countWalked();
    const slices = keyspace.beginCheckpoint();
    expect(walked()).toBe(0);
    const most = { bytes: 0, walked: 0 };
    let count = 0;
    for (
      let before = 0, next = takeSlice(slices);
      next > 0;
      before = walked(), next = takeSlice(slices), count++
    ) {
      most.bytes = Math.max(most.bytes, next);
      most.walked = Math.max(most.walked, walked() - before);
      const unchanged = walked();
      keyspace.listInsert('{k}list', count, 'new');
      keyspace.hashSet('{k}hash', `field:${count}`, 'new');
      keyspace.setRemove('{k}set', `element:${count}`);
      keyspace.sortedSetPut('{k}zset', `member:${count}`, count);
      expect(walked()).toBe(unchanged);
    }
    expect(count).toBeGreaterThan(80);
    expect(most.bytes).toBeLessThan(sliceBytes + 100);
    expect(most.walked).toBeLessThanOrEqual(partsPerSlice + 1);
  });

  it('lose long ranges at a cost that members which are left do not pay', () => {
    for (const type of ['list', 'zset']) keyspace.copy(`{k}${type}`, `{k}${type}:range`);
    const forget = vi.spyOn(HashTable.prototype, 'delete');
    const walked = countWalked();
    keyspace.listRemove('{k}list:range', 1000, elements / 2);
    keyspace.sortedSetRemoveRange('{k}zset:range', 1000, elements / 2);
    expect(walked()).toBe(0);
    expect(forget.mock.calls.length).toBeLessThanOrEqual(16);
    forget.mockClear();
    keyspace.sortedSetPut('{k}zset:range', 'another', 1);
    expect(forget.mock.calls.length).toBeLessThanOrEqual(16);
    for (const type of ['list', 'zset']) keyspace.remove(`{k}${type}:range`);
  });

  it('go with all keys at no cost', () => {
    const walked = countWalked();
    keyspace.clear();
    expect(walked()).toBe(0);
    expect(keyspace.memoryBytes).toBe(0);
  });
});

/** Bytes of the next slice, 0 behind the last one. */
function takeSlice(slices: CheckpointSlices): number {
  return slices.next(sliceBytes)?.length ?? 0;
}
