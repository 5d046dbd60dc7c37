import type { Bytes } from '../bytes/types.ts';

export const notAnInteger = 'ERR value is not an integer or out of range';
export const notAFloat = 'ERR value is not a valid float';
export const syntaxError = 'ERR syntax error';
/** What a write gets whose effects would not fit into an entry of the log: see `CommandContext.admits`. */
export const tooLargeResult = 'ERR the result is too large for an entry of the log';

const int64Max = 9223372036854775807n;
const int64Min = -9223372036854775808n;

/** A 64-bit integer written the one way Redis accepts (no blanks, plus signs or leading zeros); null for anything else. */
export function parseInteger(text: Bytes): bigint | null {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return null;
  const value = BigInt(text);
  return value > int64Max || value < int64Min ? null : value;
}

/** The same, as the nearest number: for positions and counts, which nobody can tell apart beyond 2^53. */
export function parsePosition(text: Bytes): number | null {
  const value = parseSafeInteger(text) ?? parseInteger(text);
  return value === null ? null : Number(value);
}

/** The same, as a number; null beyond 2^53 too. */
export function parseSafeInteger(text: Bytes): number | null {
  if (!/^(0|-?[1-9]\d{0,15})$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** A C int, or the error line that Redis answers. */
export function parseInt32(text: Bytes): number | string {
  const value = parseInteger(text);
  if (value === null) return notAnInteger;
  const number = Number(value);
  return number === (number | 0)
    ? number
    : 'ERR value is out of range, value must between -2147483648 and 2147483647';
}

/** What C's `%s` shows of a byte string: nothing from the first zero byte on. */
export function shownInError(text: Bytes): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

export function inInt64(value: bigint): boolean {
  return value <= int64Max && value >= int64Min;
}

/** A finite float or infinity as Redis reads it; null for anything else. */
export function parseFloatStrict(text: Bytes): number | null {
  if (/^[+-]?inf(inity)?$/i.test(text))
    return text[0] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Redis's index rules for ranges: negative counts from the end; null when nothing is left. */
export function clampRange(start: number, end: number, length: number): { from: number; to: number } | null {
  const from = Math.max(start < 0 ? start + length : start, 0);
  const to = Math.min(end < 0 ? Math.max(end + length, 0) : end, length - 1);
  if (length === 0 || from > to || from >= length || (start < 0 && end < 0 && start > end)) return null;
  return { from, to };
}
