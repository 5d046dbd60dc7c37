import type { Bytes } from '../bytes/types.ts';

export const slotCount = 16384;

/** CRC16/XMODEM, the checksum that the Redis Cluster specification names. */
const table = new Uint16Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1;
  table[i] = crc & 0xffff;
}

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
  let from = 0;
  let to = key.length;
  const open = key.indexOf('{');
  if (open >= 0) {
    const close = key.indexOf('}', open + 1);
    if (close > open + 1) {
      from = open + 1;
      to = close;
    }
  }
  let crc = 0;
  for (let i = from; i < to; i++) {
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ key.charCodeAt(i)) & 0xff] as number)) & 0xffff;
  }
  return crc & (slotCount - 1);
}
