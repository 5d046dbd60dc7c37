import type { Bytes } from '../bytes/types.ts';

export const slotCount = 16384;

/** Slots from the first to the last one, both included. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}

/** The slots of some ranges, in their order. */
export function* slotsIn(ranges: readonly SlotRange[]): Generator<number, void, undefined> {
  for (const { from, to } of ranges) for (let slot = from; slot <= to; slot++) yield slot;
}

/** How many slots some ranges have. */
export function slotsCounted(ranges: readonly SlotRange[]): number {
  return ranges.reduce((count, { from, to }) => count + to - from + 1, 0);
}

/** Slots in ascending order as ranges. */
export function rangesOf(slots: Iterable<number>): SlotRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const slot of slots) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === slot - 1) last.to = slot;
    else ranges.push({ from: slot, to: slot });
  }
  return ranges;
}

/** CRC16/XMODEM, the checksum that the Redis Cluster specification names. */
const table = new Uint16Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1;
  table[i] = crc & 0xffff;
}

const openBrace = 123;

/** The key that was asked for last: one command asks several times for the slot of its key. */
let lastKey: Bytes = '';
let lastSlot = 0;

/** The slot of a key; of the part between the first `{` and the next `}` when that is not empty. */
export function slotOf(key: Bytes): number {
  if (key === lastKey) return lastSlot;
  lastSlot = computeSlot(key);
  lastKey = key;
  return lastSlot;
}

function computeSlot(key: Bytes): number {
  let crc = 0;
  for (let i = 0; i < key.length; i++) {
    const byte = key.charCodeAt(i);
    if (byte === openBrace) return taggedSlot(key, i);
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] as number)) & 0xffff;
  }
  return crc & (slotCount - 1);
}

/** The slot of a key whose first brace opens at `open`. */
function taggedSlot(key: Bytes, open: number): number {
  const close = key.indexOf('}', open + 1);
  const tagged = close > open + 1;
  const to = tagged ? close : key.length;
  let crc = 0;
  for (let i = tagged ? open + 1 : 0; i < to; i++)
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ key.charCodeAt(i)) & 0xff] as number)) & 0xffff;
  return crc & (slotCount - 1);
}
