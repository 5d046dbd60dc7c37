import { expect, test } from 'vitest';
import { Keyspace } from '../state/keyspace.ts';
import { slotOf } from '../state/slot.ts';
import { AllKeyspaces } from './all-keyspaces.ts';

/** Keys spread by their slot over three shards of four; the last one stays empty. */
function spread(count: number): { all: AllKeyspaces; parts: Keyspace[] } {
  const parts = [new Keyspace(), new Keyspace(), new Keyspace(), new Keyspace()];
  for (let i = 0; i < count; i++)
    (parts[slotOf(`k${i}`) % 3] as Keyspace).putString(`k${i}`, 'v', i === 0 ? 9 : 0);
  return { all: new AllKeyspaces(parts), parts };
}

test('the keys of several shards are seen as one keyspace', () => {
  const { all } = spread(500);
  expect(all.size).toBe(500);
  expect(all.expiring).toBe(1);
  expect(new Set(all.keys()).size).toBe(500);
  expect(all.peek('k7')?.value).toBe('v');
  expect(all.peek('none')).toBeUndefined();
  expect(all.countInSlot(slotOf('k7'))).toBeGreaterThan(0);
  expect(all.keysInSlot(slotOf('k7'), 10)).toContain('k7');
});

test('a scan visits every key of every shard, in steps of any size, past shards that are empty', () => {
  for (const count of [1, 7, 100, 1000]) {
    const { all } = spread(300);
    const seen = new Set<string>();
    let cursor = 0;
    do {
      cursor = all.scan(cursor, count, (key) => seen.add(key));
    } while (cursor !== 0);
    expect(seen.size).toBe(300);
  }
});

test('a random key comes from any shard that has one', () => {
  const { all, parts } = spread(30);
  let state = 1;
  const random = {
    float: () => 0,
    below: (bound: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % bound;
    },
  };
  const from = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const key = all.randomKey(random) as string;
    from.add(parts.findIndex((part) => part.peek(key) !== undefined));
  }
  expect([...from].sort()).toEqual([0, 1, 2]);
  expect(new AllKeyspaces([new Keyspace()]).randomKey(random)).toBeUndefined();
});
