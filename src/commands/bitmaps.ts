import type { Bytes } from '../bytes/types.ts';
import type { BitOperation } from '../state/bit-operations.ts';
import { bitOperations } from '../state/bit-operations.ts';
import { badBitOffset, byteAt, countOnes, findBit, parseBitOffset } from './bit-reading.ts';
import { notAnInteger, parseInteger, syntaxError } from './parse.ts';
import { commandGroup, firstKey } from './spec.ts';
import { stringAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('bitmap');

function setBit(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const [, key, at, wanted] = args as [Bytes, Bytes, Bytes, Bytes];
  const offset = parseBitOffset(at);
  if (offset === null) {
    reply.error(badBitOffset);
    return;
  }
  if (wanted !== '0' && wanted !== '1') {
    reply.error('ERR bit is not an integer or out of range');
    return;
  }
  const value = stringAt(context, key);
  if (value === null) return;
  const index = Math.floor(offset / 8);
  const mask = 0x80 >> (offset & 7);
  const old = byteAt(value ?? '', index);
  const next = wanted === '1' ? old | mask : old & ~mask;
  if (next !== old || index >= (value?.length ?? 0))
    context.effects.setRange(key, index, String.fromCharCode(next));
  reply.integer((old & mask) === 0 ? 0 : 1);
}

function getBit(context: CommandContext, args: readonly Bytes[]): void {
  const offset = parseBitOffset(args[2] as Bytes);
  if (offset === null) {
    context.reply.error(badBitOffset);
    return;
  }
  const value = stringAt(context, args[1] as Bytes);
  if (value === null) return;
  const byte = byteAt(value ?? '', Math.floor(offset / 8));
  context.reply.integer((byte & (0x80 >> (offset & 7))) === 0 ? 0 : 1);
}

/** The bits that bounds mean, the last one included; null when there are none. Bounds count bytes or bits, from the end when below 0. */
function bitRange(
  start: bigint,
  end: bigint,
  length: number,
  inBits: boolean,
): { first: number; last: number } | null {
  const total = BigInt(inBits ? length * 8 : length);
  const clamp = (bound: bigint): bigint => (bound >= 0n ? bound : bound + total < 0n ? 0n : bound + total);
  const from = clamp(start);
  const wanted = clamp(end);
  const to = wanted >= total ? total - 1n : wanted;
  if (from > to) return null;
  return inBits
    ? { first: Number(from), last: Number(to) }
    : { first: Number(from) * 8, last: Number(to) * 8 + 7 };
}

/** What a word says: null when it is neither BIT nor BYTE. */
function parseUnit(word: Bytes | undefined): 'bits' | 'bytes' | null {
  const unit = word?.toUpperCase() ?? 'BYTE';
  return unit === 'BIT' ? 'bits' : unit === 'BYTE' ? 'bytes' : null;
}

function countBits(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const value = stringAt(context, args[1] as Bytes);
  if (value === null) return;
  if (value === undefined) {
    reply.integer(0);
    return;
  }
  if (args.length === 3 || args.length > 5) {
    reply.error(syntaxError);
    return;
  }
  const start = parseInteger(args[2] ?? '0');
  const end = parseInteger(args[3] ?? '-1');
  if (start === null || end === null) {
    reply.error(notAnInteger);
    return;
  }
  if (start < 0n && end < 0n && start > end) {
    reply.integer(0);
    return;
  }
  const unit = parseUnit(args[4]);
  if (unit === null) {
    reply.error(syntaxError);
    return;
  }
  const range = bitRange(start, end, value.length, unit === 'bits');
  if (range === null) {
    reply.integer(0);
    return;
  }
  const { first, last } = range;
  const [from, to] = [Math.floor(first / 8), Math.floor(last / 8)];
  const before = byteAt(value, from) & (0xff00 >> (first & 7)) & 0xff;
  const behind = byteAt(value, to) & (0x7f >> (last & 7));
  const edges = String.fromCharCode(before, behind);
  reply.integer(countOnes(value, from, to + 1) - countOnes(edges, 0, 2));
}

function findPosition(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const wanted = parseInteger(args[2] as Bytes);
  if (wanted === null || (wanted !== 0n && wanted !== 1n)) {
    reply.error(wanted === null ? notAnInteger : 'ERR The bit argument must be 1 or 0.');
    return;
  }
  const value = stringAt(context, args[1] as Bytes);
  if (value === null) return;
  if (value === undefined) {
    reply.integer(wanted === 1n ? -1 : 0);
    return;
  }
  if (args.length > 6) {
    reply.error(syntaxError);
    return;
  }
  const start = parseInteger(args[3] ?? '0');
  const unit = parseUnit(args[5]);
  const end = parseInteger(args[4] ?? '-1');
  if (start === null || unit === null || end === null) {
    reply.error(start !== null && unit === null ? syntaxError : notAnInteger);
    return;
  }
  const range = bitRange(start, end, value.length, unit === 'bits');
  if (range === null) {
    reply.integer(-1);
    return;
  }
  const { first, last } = range;
  const found = findBit(value, wanted === 1n ? 1 : 0, first, last + 1);
  // Without an end, zeros follow the string.
  reply.integer(found === -1 && wanted === 0n && args.length < 5 ? last + 1 : found);
}

function combine(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects } = context;
  const [, word, target, ...sources] = args as [Bytes, Bytes, Bytes, ...Bytes[]];
  const operation = word.toLowerCase() as BitOperation;
  if (!bitOperations.includes(operation)) {
    reply.error(syntaxError);
    return;
  }
  if (operation === 'not' && sources.length !== 1) {
    reply.error('ERR BITOP NOT must be called with a single source key.');
    return;
  }
  let length = 0;
  for (const source of sources) {
    const value = stringAt(context, source);
    if (value === null) return;
    length = Math.max(length, value?.length ?? 0);
  }
  if (context.get(target) !== undefined || length > 0) effects.combineBits(operation, target, sources);
  reply.integer(length);
}

export const bitmapCommands: readonly CommandSpec[] = [
  onKeys(
    'setbit',
    firstKey,
    [4, ['write', 'denyoom'], '2.2.0', 'O(1)', 'key offset value', 'Sets or clears a bit of a string.'],
    setBit,
  ),
  onKeys(
    'getbit',
    firstKey,
    [3, ['readonly', 'fast'], '2.2.0', 'O(1)', 'key offset', 'A bit of a string.'],
    getBit,
  ),
  onKeys(
    'bitcount',
    firstKey,
    [
      -2,
      ['readonly'],
      '2.6.0',
      'O(N) with N bytes looked at',
      'key [start end [BYTE | BIT]]',
      'How many bits of a string are set.',
    ],
    countBits,
  ),
  onKeys(
    'bitpos',
    firstKey,
    [
      -3,
      ['readonly'],
      '2.8.7',
      'O(N) with N bytes looked at',
      'key bit [start [end [BYTE | BIT]]]',
      'The position of the first bit that is set, or clear.',
    ],
    findPosition,
  ),
  onKeys(
    'bitop',
    { first: 2, last: -1, step: 1 },
    [
      -4,
      ['write', 'denyoom'],
      '2.6.0',
      'O(N) with N bytes of the longest string',
      '<AND | OR | XOR | NOT> destkey key [key ...]',
      'Combines strings bit by bit and keeps the result.',
    ],
    combine,
  ),
];
