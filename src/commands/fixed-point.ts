/**
 * So many digits behind the point, one at least, from the exact value of a double, as C's printf: to the nearest, to the even one of
 * two, where JavaScript goes away from zero.
 */
export function fixedPoint(value: number, digits: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (size >= 2 ** 53) return `${sign}${BigInt(size)}.${'0'.repeat(digits)}`;
  // What ends with a half of the last digit has exactly one bit more behind the point than it has digits.
  const inHalves = size * 2 ** (digits + 1);
  if (inHalves % 2 === 1) {
    const down = size.toFixed(digits + 1).slice(0, -1);
    if (Number(down.at(-1)) % 2 === 0) return sign + down;
  }
  return sign + size.toFixed(digits);
}

const coordinateDigits = 17;

/** A coordinate as Redis prints it: 17 digits behind the point, no zeros at their end. */
export function formatCoordinate(value: number): string {
  const text = fixedPoint(value, coordinateDigits).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}

const distanceUnits = 10_000;

/** A distance as Redis prints it: scaled first, then rounded, to the even one of two. */
export function formatDistance(distance: number): string {
  const scaled = distance * distanceUnits;
  const below = Math.floor(scaled);
  const up = scaled - below > 0.5 || (scaled - below === 0.5 && below % 2 === 1);
  const digits = String(up ? below + 1 : below).padStart(5, '0');
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}
