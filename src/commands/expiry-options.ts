import type { Bytes } from '../bytes/types.ts';
import { inInt64, notAnInteger, parseInteger } from './parse.ts';

/** Latest expiry that can be stored, ms since the epoch, in the year 287396. What Redis would keep longer ends then too. */
const latest = Number.MAX_SAFE_INTEGER;

export type ExpiryUnit = 'EX' | 'PX' | 'EXAT' | 'PXAT';

/**
 * The absolute time that an expiry argument means, in ms since the epoch, or the error line that Redis answers.
 * @param positive whether 0 and less are errors (SET) or a time in the past (EXPIRE)
 */
export function expiryTime(
  text: Bytes,
  unit: ExpiryUnit,
  now: number,
  command: string,
  positive: boolean,
): number | string {
  const value = parseInteger(text);
  if (value === null) return notAnInteger;
  const invalid = `ERR invalid expire time in '${command}' command`;
  if (positive && value <= 0n) return invalid;
  const ms = unit === 'EX' || unit === 'EXAT' ? value * 1000n : value;
  const at = unit === 'EX' || unit === 'PX' ? ms + BigInt(Math.floor(now)) : ms;
  return inInt64(ms) && inInt64(at) ? Math.min(Number(at), latest) : invalid;
}

/** An expiry in the past that is stored as 1 rather than as 0, which means "never". */
export function storable(at: number): number {
  return Math.max(at, 1);
}
