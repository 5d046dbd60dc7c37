import { rangesOf, type SlotRange, slotCount } from '../state/slot.ts';
import type { Metadata } from './metadata.ts';

/** Slots that are to go from one shard to another. */
export interface SlotShift {
  readonly from: number;
  readonly to: number;
  readonly slots: readonly SlotRange[];
  /** What they weigh together. */
  readonly bytes: number;
}

/** What a slot weighs beside its keys, so that those without any are spread, too. */
const slotBytes = 1024;
/** Shards that are off the average by less than this share of it are even enough. */
const tolerance = 0.05;

/**
 * Slots that go from shards above the average to those below it, as far as there are slots that fit: none takes a shard
 * to the other side of the average, so what went is not sent back. Slots that are on their way count where they go.
 * @param bytesIn what the keys of a slot take
 */
export function evenSlots(
  { shards, wanted, owners }: Pick<Metadata, 'shards' | 'wanted' | 'owners'>,
  bytesIn: (slot: number) => number,
): SlotShift[] {
  const weight = (slot: number): number => slotBytes + bytesIn(slot);
  const sums = new Map([...shards.keys()].map((shard) => [shard, 0]));
  const staying = new Map<number, number[]>();
  for (let slot = slotCount - 1; slot >= 0; slot--) {
    const shard = wanted[slot] as number;
    sums.set(shard, (sums.get(shard) ?? 0) + weight(slot));
    if (owners[slot] !== shard) continue;
    const slots = staying.get(shard) ?? [];
    slots.push(slot);
    staying.set(shard, slots);
  }
  const average = [...sums.values()].reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, sums.size);
  const goal = wanted.slice();
  const ascending = [...sums.keys()].sort((a, b) => (sums.get(a) ?? 0) - (sums.get(b) ?? 0));
  for (const from of [...ascending].reverse())
    for (const to of ascending) {
      let surplus = (sums.get(from) ?? 0) - average;
      let room = average - (sums.get(to) ?? 0);
      if (surplus <= 0 || room <= 0 || Math.max(surplus, room) <= tolerance * average) continue;
      for (const slot of staying.get(from) ?? []) {
        if (goal[slot] !== from || weight(slot) > Math.min(surplus, room)) continue;
        goal[slot] = to;
        surplus -= weight(slot);
        room -= weight(slot);
      }
      sums.set(from, average + surplus);
      sums.set(to, average - room);
    }
  return shiftsOf(owners, wanted, goal, weight);
}

function shiftsOf(
  owners: Uint16Array,
  wanted: Uint16Array,
  goal: Uint16Array,
  weight: (slot: number) => number,
): SlotShift[] {
  const found = new Map<string, { from: number; to: number; slots: number[]; bytes: number }>();
  for (let slot = 0; slot < slotCount; slot++) {
    const [from, to] = [owners[slot] as number, goal[slot] as number];
    if (to === wanted[slot]) continue;
    const shift = found.get(`${from} ${to}`) ?? { from, to, slots: [], bytes: 0 };
    shift.slots.push(slot);
    shift.bytes += weight(slot);
    found.set(`${from} ${to}`, shift);
  }
  return [...found.values()].map((shift) => ({ ...shift, slots: rangesOf(shift.slots) }));
}
