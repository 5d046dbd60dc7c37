import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slotCount, slotsCounted, slotsIn } from '../state/slot.ts';
import { evenSlots, type SlotShift } from './balance-slots.ts';

const shards = (count: number) =>
  new Map(Array.from({ length: count }, (_, i) => [i + 1, { members: ['n1'], preferred: null }]));

function spread(count: number, ownerOf: (slot: number) => number) {
  const owners = Uint16Array.from({ length: slotCount }, (_, slot) => ownerOf(slot));
  return { shards: shards(count), owners, wanted: owners.slice() };
}

function after(before: ReturnType<typeof spread>, shifts: readonly SlotShift[]): ReturnType<typeof spread> {
  const owners = before.owners.slice();
  for (const { to, slots } of shifts) for (const slot of slotsIn(slots)) owners[slot] = to;
  return { ...before, owners, wanted: owners.slice() };
}

const nothing = (): number => 0;

test('a shard without slots is given as many as the others have', () => {
  const shifts = evenSlots(
    spread(3, (slot) => (slot < slotCount / 2 ? 1 : 2)),
    nothing,
  );
  expect(shifts.map(({ from, to }) => `${from} ${to}`)).toEqual(['1 3', '2 3']);
  const moved = shifts.reduce((sum, { slots }) => sum + slotsCounted(slots), 0);
  expect(Math.abs(moved - slotCount / 3)).toBeLessThan(slotCount / 20);
});

test('bytes count, not slots', () => {
  const before = spread(2, (slot) => (slot < slotCount / 2 ? 1 : 2));
  const heavy = (slot: number): number => (slot < 1000 ? 1 << 20 : 0);
  const [shift, none] = evenSlots(before, heavy);
  expect(none).toBeUndefined();
  expect(shift).toMatchObject({ from: 1, to: 2 });
  const movedBytes = [...slotsIn(shift?.slots ?? [])].filter((slot) => slot < 1000).length;
  expect(Math.abs(movedBytes - 500)).toBeLessThan(10);
});

test('one heavy slot goes nowhere, and what is even or on its way stays', () => {
  const even = spread(2, (slot) => (slot < slotCount / 2 ? 1 : 2));
  expect(evenSlots(even, nothing)).toEqual([]);
  const heavy = evenSlots(even, (slot) => (slot === 7 ? 2 ** 40 : 0));
  expect(heavy.every(({ slots }) => [...slotsIn(slots)].every((slot) => slot !== 7))).toBe(true);
  const all = spread(2, () => 1);
  const half = Uint16Array.from({ length: slotCount }, (_, slot) => 1 + (slot % 2));
  expect(evenSlots({ ...all, wanted: half }, nothing)).toEqual([]);
});

test('what is moved once is not moved again', () => {
  const drawn = fc.record({
    count: fc.integer({ min: 1, max: 6 }),
    cuts: fc.array(fc.nat(slotCount), { minLength: 5, maxLength: 5 }),
    heavy: fc.array(fc.tuple(fc.nat(slotCount - 1), fc.nat(1 << 28)), { maxLength: 30 }),
  });
  fc.assert(
    fc.property(drawn, ({ count, cuts, heavy }) => {
      const before = spread(count, (slot) => 1 + (cuts.filter((cut) => cut <= slot).length % count));
      const bytes = new Map(heavy);
      const bytesIn = (slot: number): number => bytes.get(slot) ?? 0;
      const shifts = evenSlots(before, bytesIn);
      const slots = shifts.flatMap((shift) => [...slotsIn(shift.slots)]);
      expect(new Set(slots).size).toBe(slots.length);
      for (const { from, to, slots: ranges } of shifts) {
        expect(to).not.toBe(from);
        expect([...slotsIn(ranges)].every((slot) => before.owners[slot] === from)).toBe(true);
      }
      expect(evenSlots(after(before, shifts), bytesIn)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
