import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Due } from './expiry-index.ts';
import { ExpiryIndex } from './expiry-index.ts';
import { Keyspace } from './keyspace.ts';

const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'move', 'move', 'remove', 'first'),
  which: fc.nat(1000),
  at: fc.nat(30),
});

test('the earliest item stands first, whatever was moved and taken out', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const index = new ExpiryIndex();
      const items: { due: Due; at: number }[] = [];
      let next = 0;
      for (const { kind, which, at } of steps) {
        const place = which % Math.max(items.length, 1);
        const item = items[place];
        if (kind === 'add') items.push({ due: index.add(`key${next++}`, at), at });
        else if (item === undefined) continue;
        else if (kind === 'move') {
          index.move(item.due, at);
          item.at = at;
        } else if (kind === 'remove') {
          index.remove(item.due);
          items.splice(place, 1);
        } else {
          const { first } = index;
          expect(first?.at).toBe(Math.min(...items.map((each) => each.at)));
          index.remove(first as Due);
          items.splice(
            items.findIndex(({ due }) => due === first),
            1,
          );
        }
        expect(index.size).toBe(items.length);
        expect(index.nextAt).toBe(Math.min(...items.map((each) => each.at)));
        const all = new Set(Array.from({ length: index.size }, (_, i) => index.at(i)));
        expect(all).toEqual(new Set(items.map(({ due }) => due)));
      }
    }),
  );
});

test('keys whose expiries change again and again leave nothing behind', () => {
  const keyspace = new Keyspace();
  for (let i = 0; i < 1000; i++) keyspace.putString(`key${i}`, 'v', 5000 + i);
  let asked = 0;
  const last = {
    below: (bound: number): number => {
      asked = bound;
      return bound - 1;
    },
  };
  for (let round = 1; round <= 20; round++)
    for (let i = 0; i < 1000; i++) {
      const key = `key${i}`;
      const at = 5000 + ((i * 7919 + round * 31) % 1000);
      if (round % 4 === 0) keyspace.remove(key);
      if (round % 4 === 1) keyspace.setExpiry(key, 0);
      if (round % 2 === 0) keyspace.putString(key, 'w', at);
      else keyspace.setExpiry(key, at);
    }
  keyspace.someExpiring(last);
  expect(asked).toBe(1000);
  expect(keyspace.expiring).toBe(1000);
  const due = keyspace.nextDue(10_000, 2000);
  expect(new Set(due).size).toBe(1000);
  const times = due.map((key) => keyspace.peek(key)?.expiresAt as number);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  for (const key of due) keyspace.remove(key);
  expect(keyspace.expiring).toBe(0);
  expect(keyspace.soonestToExpire()).toBeUndefined();
});
