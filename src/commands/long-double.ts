import type { Bytes } from '../bytes/types.ts';

/**
 * INCRBYFLOAT computes with the 80-bit floats of x86, whose sums differ from those of doubles in digits that clients
 * see. Here is as much of that arithmetic as it needs: a number is an integer of at most 64 bits times a power of two.
 */
export interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

export type ParsedFloat = LongDouble | 'infinity' | '-infinity';

const mantissaBits = 64;
/** Numbers from 2^16384 on are infinite. */
const endOfRange = 16384;
/** Half of the least number, 2^-16445: what is not larger than this rounds to zero. */
const leastExponent = -16446;
/** Longest text that Redis reads as a float, bytes. */
const maxTextLength = 5 * 1024 - 1;
/** Digits behind the point in the form in which sums are stored. */
const decimals = 17;

/** A number as C reads it: decimal or hexadecimal, with an exponent or not; null for anything else. */
export function parseLongDouble(text: Bytes): ParsedFloat | null {
  if (text.length > maxTextLength) return null;
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? '-infinity' : 'infinity';
  const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  if (decimal !== null) return fromDigits(decimal, 10n);
  const hexadecimal = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i.exec(text);
  return hexadecimal === null ? null : fromDigits(hexadecimal, 16n);
}

function fromDigits(match: RegExpExecArray, base: 10n | 16n): LongDouble | null {
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const digits = BigInt((base === 16n ? '0x0' : '0') + whole + fraction);
  if (digits === 0n) return zero;
  // Such powers leave the range whatever the digits; their exact value would take up memory for nothing.
  const exponent = Number(power);
  if (Math.abs(exponent) > 20_000) return null;
  const signed = sign === '-' ? -digits : digits;
  const value =
    base === 16n
      ? rounded(signed, 1n, exponent - 4 * fraction.length)
      : decimalValue(signed, exponent - fraction.length);
  return value.mantissa === 0n || isInfinite(value) ? null : value;
}

function decimalValue(digits: bigint, power: number): LongDouble {
  return power >= 0
    ? rounded(digits * 10n ** BigInt(power), 1n, 0)
    : rounded(digits, 10n ** BigInt(-power), 0);
}

const zero: LongDouble = { mantissa: 0n, exponent: 0 };

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** numerator / denominator * 2^exponent, to the nearest number that has 64 bits, to the even one of two. */
function rounded(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  if (numerator === 0n) return zero;
  const size = numerator < 0n ? -numerator : numerator;
  // Two bits more than needed, so that what is cut off can be told from exactly a half.
  const shift = Math.max(mantissaBits + 2 - (bitLength(size) - bitLength(denominator)), 0);
  const scaled = size << BigInt(shift);
  const quotient = scaled / denominator;
  const sticky = quotient * denominator === scaled ? 0n : 1n;
  const excess = bitLength(quotient) - mantissaBits;
  const { mantissa, exponent: cut } = nearest((quotient << 1n) | sticky, excess + 1);
  const result = { mantissa: numerator < 0n ? -mantissa : mantissa, exponent: exponent - shift - 1 + cut };
  return bitLength(mantissa) + result.exponent <= leastExponent ? zero : result;
}

/** Cuts bits off, to the nearest. */
function nearest(value: bigint, bits: number): LongDouble {
  if (bits <= 0) return { mantissa: value, exponent: 0 };
  const half = 1n << BigInt(bits - 1);
  const kept = value >> BigInt(bits);
  const rest = value & ((half << 1n) - 1n);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return { mantissa: up ? kept + 1n : kept, exponent: bits };
}

export function isInfinite({ mantissa, exponent }: LongDouble): boolean {
  return mantissa !== 0n && bitLength(mantissa < 0n ? -mantissa : mantissa) + exponent > endOfRange;
}

export function addLongDoubles(one: LongDouble, other: LongDouble): LongDouble {
  const exponent = Math.min(one.exponent, other.exponent);
  const sum =
    (one.mantissa << BigInt(one.exponent - exponent)) + (other.mantissa << BigInt(other.exponent - exponent));
  return rounded(sum, 1n, exponent);
}

/** Up to 17 digits behind the point, no zeros at their end, no exponent. */
export function formatLongDouble({ mantissa, exponent }: LongDouble): Bytes {
  const size = mantissa < 0n ? -mantissa : mantissa;
  const scaled = size * 10n ** BigInt(decimals);
  const digits = exponent >= 0 ? scaled << BigInt(exponent) : nearestInteger(scaled, -exponent);
  const text = digits.toString().padStart(decimals + 1, '0');
  const fraction = text.slice(-decimals).replace(/0+$/, '');
  const whole = text.slice(0, -decimals);
  const number = fraction === '' ? whole : `${whole}.${fraction}`;
  return mantissa < 0n && number !== '0' ? `-${number}` : number;
}

function nearestInteger(value: bigint, bits: number): bigint {
  return nearest(value, bits).mantissa;
}
