import type { Bytes } from '../bytes/types.ts';
import type { StringValue } from '../state/entry.ts';
import { maxStringBytes } from '../state/long-string.ts';
import { parseInteger } from './parse.ts';

export const badBitOffset = 'ERR bit offset is not an integer or out of range';

/**
 * The position of a bit, null when it is none.
 * @param width with it, `#3` means the third field of so many bits
 */
export function parseBitOffset(text: Bytes, width = 0): number | null {
  const counted = width > 0 && text[0] === '#';
  const value = parseInteger(counted ? text.slice(1) : text);
  if (value === null) return null;
  const offset = counted ? BigInt.asIntN(64, value * BigInt(width)) : value;
  return offset < 0n || offset >> 3n >= maxStringBytes ? null : Number(offset);
}

/** A byte of a string, behind whose end zeros follow. */
export function byteAt(value: StringValue, index: number): number {
  if (index >= value.length) return 0;
  return typeof value === 'string' ? value.charCodeAt(index) : value.byteAt(index);
}

/** How many bits are set in the bytes from `from` to before `to`. */
export function countOnes(value: StringValue, from: number, to: number): number {
  let count = 0;
  if (typeof value === 'string') {
    for (let i = from; i < to; i++) count += ones(value.charCodeAt(i));
    return count;
  }
  for (const piece of value.pieces(from, to)) {
    const head = Math.min((4 - (piece.byteOffset & 3)) & 3, piece.length);
    const words = new Uint32Array(piece.buffer, piece.byteOffset + head, (piece.length - head) >>> 2);
    for (let i = 0; i < head; i++) count += ones(piece[i] as number);
    for (let i = 0; i < words.length; i++) count += ones(words[i] as number);
    for (let i = head + words.length * 4; i < piece.length; i++) count += ones(piece[i] as number);
  }
  return count;
}

/** Bits set in a word of 32 bits: sums of pairs, of fours, of bytes, and then of all. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The first bit of this kind from bit `from` to before bit `to`, -1 when there is none. */
export function findBit(value: StringValue, bit: 0 | 1, from: number, to: number): number {
  /** Bytes without such a bit. */
  const skipped = bit === 1 ? 0x00 : 0xff;
  let index = from >>> 3;
  const end = Math.ceil(to / 8);
  // Bits in front of the range, as if they were of the other kind.
  let byte = index < end ? masked(byteAt(value, index), from & 7, skipped) : skipped;
  if (byte === skipped) {
    index = firstOther(value, skipped, index + 1, end);
    if (index === end) return -1;
    byte = byteAt(value, index);
  }
  const found = index * 8 + Math.clz32(byte ^ skipped) - 24;
  return found < to ? found : -1;
}

function masked(byte: number, count: number, skipped: number): number {
  const front = (0xff00 >> count) & 0xff;
  return skipped === 0 ? byte & ~front : byte | front;
}

/** The first byte that is another one, from `from` to before `to`; `to` when there is none. */
function firstOther(value: StringValue, skipped: number, from: number, to: number): number {
  if (typeof value === 'string') {
    for (let i = from; i < to; i++) if (value.charCodeAt(i) !== skipped) return i;
    return to;
  }
  let at = from;
  for (const piece of value.pieces(from, to)) {
    for (let i = 0; i < piece.length; i++) if (piece[i] !== skipped) return at + i;
    at += piece.length;
  }
  return to;
}
