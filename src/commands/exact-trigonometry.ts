/**
 * Sine, cosine and arcsine to the nearest double. Those of JavaScript may be off in the last digit, and engines differ
 * in it; clients of Redis see that digit where a distance is stored as a score, and two leaders must not differ.
 *
 * A pair is the unevaluated sum of two doubles, which holds about 106 bits. How to add and multiply them exactly is
 * T. J. Dekker's, "A floating-point technique for extending the available precision", 1971.
 */
interface Pair {
  readonly high: number;
  readonly low: number;
}

/** 2^27 + 1: cuts a double into two halves, whose products are exact. */
const splitter = 134217729;

function exactSum(a: number, b: number): Pair {
  const high = a + b;
  const back = high - a;
  return { high, low: a - (high - back) + (b - back) };
}

function exactProduct(a: number, b: number): Pair {
  const high = a * b;
  const aWide = a * splitter;
  const aHigh = aWide - (aWide - a);
  const aLow = a - aHigh;
  const bWide = b * splitter;
  const bHigh = bWide - (bWide - b);
  const bLow = b - bHigh;
  return { high, low: aLow * bLow - (high - aHigh * bHigh - aLow * bHigh - aHigh * bLow) };
}

/** For |high| at least as large as |low|. */
function normal(high: number, low: number): Pair {
  const sum = high + low;
  return { high: sum, low: low - (sum - high) };
}

function plus(a: Pair, b: Pair): Pair {
  const highs = exactSum(a.high, b.high);
  const lows = exactSum(a.low, b.low);
  const near = normal(highs.high, highs.low + lows.high);
  return normal(near.high, near.low + lows.low);
}

function times(a: Pair, b: Pair): Pair {
  const { high, low } = exactProduct(a.high, b.high);
  return normal(high, low + (a.high * b.low + a.low * b.high));
}

function dividedBy(a: Pair, b: Pair): Pair {
  const first = a.high / b.high;
  const rest = plus(a, negative(times(b, { high: first, low: 0 })));
  const second = rest.high / b.high;
  const end = plus(rest, negative(times(b, { high: second, low: 0 })));
  return plus(exactSum(first, second), { high: end.high / b.high, low: 0 });
}

function negative({ high, low }: Pair): Pair {
  return { high: -high, low: -low };
}

const one: Pair = { high: 1, low: 0 };

/** Powers up to this make the series of sine and cosine exact enough up to a quarter of pi. */
const highestPower = 30;

/** 1, 1/2!, 1/4! … or 1, 1/3!, 1/5! …, with signs in turn. */
function seriesFrom(first: 0 | 1): Pair[] {
  const terms: Pair[] = [one];
  let term: Pair = one;
  for (let power = first + 2; power <= highestPower; power += 2) {
    term = negative(dividedBy(term, { high: power * (power - 1), low: 0 }));
    terms.push(term);
  }
  return terms;
}

const cosineTerms = seriesFrom(0);
const sineTerms = seriesFrom(1);

function series(terms: readonly Pair[], square: Pair): Pair {
  let sum = terms[terms.length - 1] as Pair;
  for (let i = terms.length - 2; i >= 0; i--) sum = plus(terms[i] as Pair, times(sum, square));
  return sum;
}

/** Half of pi as a sum of three doubles. */
const halfPi = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33] as const;

/** Cosine (of a quarter turn more: sine) of an angle, |angle| at most a little above pi, as a pair. */
function cosineAfter(quarters: number, angle: number): Pair {
  const turns = Math.round(angle / halfPi[0]);
  const near = exactSum(angle, -turns * halfPi[0]);
  const rest = turns === 0 ? near : plus(near, exactSum(-turns * halfPi[1], -turns * halfPi[2]));
  const square = times(rest, rest);
  const quadrant = (((turns + quarters) % 4) + 4) % 4;
  const value = quadrant % 2 === 0 ? series(cosineTerms, square) : times(rest, series(sineTerms, square));
  return quadrant === 1 || quadrant === 2 ? negative(value) : value;
}

/** For angles from -pi to pi. */
export function sine(angle: number): number {
  return angle === 0 ? angle : cosineAfter(3, angle).high;
}

/** For angles from -pi to pi. */
export function cosine(angle: number): number {
  return cosineAfter(0, angle).high;
}

/** Arcsine of a pair from 0 to a half. */
function arcsineOf(value: Pair): Pair {
  const guess = Math.asin(value.high);
  // One step of Newton's method doubles the digits that are right.
  const off = plus(value, negative(cosineAfter(3, guess)));
  return plus({ high: guess, low: 0 }, dividedBy(off, cosineAfter(0, guess)));
}

/** For values from 0 to 1. */
export function arcsine(value: number): number {
  if (value === 0 || value > 1) return value === 0 ? 0 : Number.NaN;
  if (value <= 0.5) return arcsineOf({ high: value, low: 0 }).high;
  // Near 1 the curve is steep: go by half of the angle that is left to a right one.
  const left = (1 - value) / 2;
  const root = Math.sqrt(left);
  const { high, low } = exactProduct(root, root);
  const exactRoot = root === 0 ? { high: 0, low: 0 } : normal(root, (left - high - low) / (2 * root));
  const angle = arcsineOf(exactRoot);
  return plus({ high: halfPi[0], low: halfPi[1] }, { high: -2 * angle.high, low: -2 * angle.low }).high;
}
