import type { Bytes } from '../bytes/types.ts';

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const infinite = /^([+-]?)inf(?:inity)?$/i;
const hexadecimal = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;

/** A number as C's strtod reads a whole text, infinite and zero where it leaves the range; null for what is none. */
function readDouble(text: Bytes): number | null {
  if (decimal.test(text)) return Number(text);
  const named = infinite.exec(text);
  if (named !== null) return named[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const hex = hexadecimal.exec(text);
  if (hex === null) return null;
  const [, sign, whole = '', fraction = '', power = '0'] = hex;
  if (whole === '' && fraction === '') return null;
  const size = fromBits(BigInt(`0x0${whole}${fraction}`), Number(power) - 4 * fraction.length);
  return sign === '-' ? -size : size;
}

/** mantissa * 2^exponent, to the nearest double, to the even one of two. */
function fromBits(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  const bits =
    mantissa.toString(16).length * 4 -
    Math.clz32(Number.parseInt(mantissa.toString(16)[0] as string, 16)) +
    28;
  if (exponent + bits > 1100) return Number.POSITIVE_INFINITY;
  if (exponent + bits < -1100) return 0;
  const least = Math.max(exponent + bits - 53, -1074);
  const cut = least - exponent;
  if (cut <= 0) return Number(mantissa) * 2 ** exponent;
  const half = 1n << BigInt(cut - 1);
  const kept = mantissa >> BigInt(cut);
  const rest = mantissa & ((half << 1n) - 1n);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return Number(up ? kept + 1n : kept) * 2 ** least;
}

/** A score or weight; null for what is no number, or beyond the range of doubles. */
export function parseScore(text: Bytes): number | null {
  const value = readDouble(text);
  if (value === null) return null;
  const overflows = !Number.isFinite(value) && !infinite.test(text);
  const underflows = value === 0 && /[1-9a-f]/i.test(text.replace(/^[+-]?0x/i, '').replace(/[ep].*$/i, ''));
  return overflows || (underflows && !/^[+-]?[0.]*$/.test(text)) ? null : value;
}

/** A bound of a range of scores, without its bracket: blanks may stand before it, and nothing at all is 0. */
export function parseBound(text: Bytes): number | null {
  const end = text.indexOf('\0');
  const shown = (end < 0 ? text : text.slice(0, end)).replace(/^[ \t-\r]+/, '');
  return text === '' || end === 0 ? 0 : readDouble(shown);
}

const largestWhole = 2 ** 62;

/** A score as Redis prints it: the shortest digits that read back as the same number. */
export function formatScore(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? 'inf' : '-inf';
  if (score === 0) return Object.is(score, -0) ? '-0' : '0';
  if (Number.isInteger(score) && Math.abs(score) <= largestWhole) return BigInt(score).toString();
  const [shown = '', power = '0'] = Math.abs(score).toExponential().split('e');
  const digits = shown.replace('.', '');
  const scale = Number(power);
  return (score < 0 ? '-' : '') + placed(digits, scale - digits.length + 1, scale);
}

/** Digits times 10^exponent; `scale` is the power of ten of the first digit. */
function placed(digits: string, exponent: number, scale: number): string {
  const size = Math.abs(scale);
  if (exponent >= 0 && size < digits.length + 7) return digits + '0'.repeat(exponent);
  if (exponent < 0 && (exponent > -7 || size < 4)) {
    const whole = digits.length + exponent;
    return whole <= 0
      ? `0.${'0'.repeat(-whole)}${digits}`
      : `${digits.slice(0, whole)}.${digits.slice(whole)}`;
  }
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits[0]}${fraction}e${scale < 0 ? '-' : '+'}${size}`;
}
