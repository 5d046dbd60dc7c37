import type { Bytes } from '../bytes/types.ts';
import type { StringValue } from '../state/entry.ts';
import { badBitOffset, byteAt, parseBitOffset } from './bit-reading.ts';
import { notAnInteger, parseInteger, shownInError, syntaxError } from './parse.ts';
import { commandGroup, firstKey } from './spec.ts';
import { isStringOrNone, stringAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('bitmap');
const badType =
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';

type Overflow = 'WRAP' | 'SAT' | 'FAIL';

interface Operation {
  readonly kind: 'GET' | 'SET' | 'INCRBY';
  readonly signed: boolean;
  /** Bits. */
  readonly width: number;
  /** Of the first bit. */
  readonly offset: number;
  /** What is set, or added. */
  readonly operand: bigint;
  readonly overflow: Overflow;
}

/** Operations in order; a string is the error line. */
function parseOperations(args: readonly Bytes[]): Operation[] | string {
  const operations: Operation[] = [];
  let overflow: Overflow = 'WRAP';
  for (let i = 2; i < args.length; ) {
    const kind = (args[i] as Bytes).toUpperCase();
    const left = args.length - i - 1;
    if (kind === 'OVERFLOW' && left >= 1) {
      const word = (args[i + 1] as Bytes).toUpperCase();
      if (word !== 'WRAP' && word !== 'SAT' && word !== 'FAIL') return 'ERR Invalid OVERFLOW type specified';
      overflow = word;
      i += 2;
      continue;
    }
    if (kind !== 'GET' && kind !== 'SET' && kind !== 'INCRBY') return syntaxError;
    if (left < (kind === 'GET' ? 2 : 3)) return syntaxError;
    const type = parseType(args[i + 1] as Bytes);
    if (type === null) return badType;
    const offset = parseBitOffset(args[i + 2] as Bytes, type.width);
    if (offset === null) return badBitOffset;
    const operand = kind === 'GET' ? 0n : parseInteger(args[i + 3] as Bytes);
    if (operand === null) return notAnInteger;
    operations.push({ kind, ...type, offset, operand, overflow });
    i += kind === 'GET' ? 3 : 4;
  }
  return operations;
}

function parseType(text: Bytes): { signed: boolean; width: number } | null {
  const signed = text[0] === 'i';
  if (!signed && text[0] !== 'u') return null;
  const width = parseInteger(shownInError(text).slice(1));
  if (width === null || width < 1n || width > (signed ? 64n : 63n)) return null;
  return { signed, width: Number(width) };
}

function firstByte({ offset }: Operation): number {
  return Math.floor(offset / 8);
}

function lastByte({ offset, width }: Operation): number {
  return Math.floor((offset + width - 1) / 8);
}

/** The bytes that a field lies in, as one number: bits of others on both sides. */
function bytesAround(value: StringValue, operation: Operation): bigint {
  let all = 0n;
  const last = lastByte(operation);
  for (let i = firstByte(operation); i <= last; i++) all = (all << 8n) | BigInt(byteAt(value, i));
  return all;
}

/** Bits between the field's last one and the end of its last byte. */
function bitsBehind({ offset, width }: Operation): bigint {
  return BigInt(7 - ((offset + width - 1) & 7));
}

function readField(value: StringValue, operation: Operation): bigint {
  const field = bytesAround(value, operation) >> bitsBehind(operation);
  return operation.signed ? BigInt.asIntN(operation.width, field) : BigInt.asUintN(operation.width, field);
}

/** The bytes of a field with a new value. */
function fieldBytes(value: StringValue, operation: Operation, field: bigint): Bytes {
  const { width } = operation;
  const behind = bitsBehind(operation);
  const mask = ((1n << BigInt(width)) - 1n) << behind;
  let all = (bytesAround(value, operation) & ~mask) | ((field << behind) & mask);
  const codes: number[] = [];
  for (let i = lastByte(operation); i >= firstByte(operation); i--) {
    codes.unshift(Number(all & 0xffn));
    all >>= 8n;
  }
  return String.fromCharCode(...codes);
}

/** What a field becomes that should become `wanted`; null when it overflows and must not. */
function fitting(wanted: bigint, { signed, width, overflow }: Operation): bigint | null {
  const size = 1n << BigInt(signed ? width - 1 : width);
  const least = signed ? -size : 0n;
  if (wanted >= least && wanted < size) return wanted;
  if (overflow === 'FAIL') return null;
  if (overflow === 'SAT') return wanted < least ? least : size - 1n;
  return signed ? BigInt.asIntN(width, wanted) : BigInt.asUintN(width, wanted);
}

function change(context: CommandContext, key: Bytes, operation: Operation): bigint | null {
  const entry = context.get(key);
  const value = (isStringOrNone(entry) ? entry?.value : undefined) ?? '';
  const old = readField(value, operation);
  const { kind, operand, signed } = operation;
  // A negative number that an unsigned field is set to counts as the large one with the same 64 bits.
  const wanted = kind === 'INCRBY' ? old + operand : signed ? operand : BigInt.asUintN(64, operand);
  const next = fitting(wanted, operation);
  if (next === null) return null;
  if (next !== old) context.effects.setRange(key, firstByte(operation), fieldBytes(value, operation, next));
  return kind === 'INCRBY' ? next : old;
}

function bitfield(readOnly: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { reply } = context;
    const key = args[1] as Bytes;
    const operations = parseOperations(args);
    if (typeof operations === 'string') {
      reply.error(operations);
      return;
    }
    const changing = operations.filter(({ kind }) => kind !== 'GET');
    if (readOnly && changing.length > 0) {
      reply.error('ERR BITFIELD_RO only supports the GET subcommand');
      return;
    }
    const value = stringAt(context, key);
    if (value === null) return;
    // The string reaches to the farthest bit that was to be changed, whether it is or not.
    if (changing.length > 0) {
      const last = changing.reduce((most, each) => Math.max(most, lastByte(each)), 0);
      if (last >= (value?.length ?? 0)) context.effects.setRange(key, last, '\0');
    }
    reply.array(operations.length);
    for (const operation of operations) {
      if (operation.kind === 'GET') {
        const entry = context.get(key);
        reply.integer(readField((isStringOrNone(entry) ? entry?.value : undefined) ?? '', operation));
        continue;
      }
      const answer = change(context, key, operation);
      if (answer === null) reply.nil();
      else reply.integer(answer);
    }
  };
}

const gets = 'GET encoding offset';

export const bitfieldCommands: readonly CommandSpec[] = [
  onKeys(
    'bitfield',
    firstKey,
    [
      -2,
      ['write', 'denyoom'],
      '3.2.0',
      'O(1) for each operation',
      `key [${gets} | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment> ...]`,
      'Reads and changes integers of any width inside a string.',
    ],
    bitfield(false),
  ),
  onKeys(
    'bitfield_ro',
    firstKey,
    [
      -2,
      ['readonly', 'fast'],
      '6.0.0',
      'O(1) for each operation',
      `key [${gets} [${gets} ...]]`,
      'Reads integers of any width inside a string.',
    ],
    bitfield(true),
  ),
];
