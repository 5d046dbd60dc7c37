/**
 * Places as 52-bit scores, as Redis documents them: longitude and latitude are each cut into 2^26 parts, and the bits of
 * both numbers take turns, longitude first. What is near in a sorted set is then mostly near on earth; the leading bits
 * of a score say in which cell of a coarser grid a place is.
 */
export interface Position {
  /** Degrees, from -180 to 180. */
  readonly longitude: number;
  /** Degrees, from -85.05112878 to 85.05112878. */
  readonly latitude: number;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export const longitudes: Range = { min: -180, max: 180 };
/** Where the square map of EPSG:3857 ends. */
export const latitudes: Range = { min: -85.05112878, max: 85.05112878 };

/** Halvings of each range that make a score. */
export const finestStep = 26;

/** A cell of the grid that `step` halvings of both ranges make; at the upper end of a range, one beyond the last. */
export interface Cell {
  readonly step: number;
  readonly x: number;
  readonly y: number;
}

export function cellOf({ longitude, latitude }: Position, step: number, latitudeRange = latitudes): Cell {
  return { step, x: part(longitude, longitudes, step), y: part(latitude, latitudeRange, step) };
}

function part(value: number, { min, max }: Range, step: number): number {
  return Math.floor(((value - min) / (max - min)) * 2 ** step);
}

/** The cell so many to the east and north: behind the last comes the first. */
export function neighbour({ step, x, y }: Cell, east: number, north: number): Cell {
  return { step, x: moved(x, east, step), y: moved(y, north, step) };
}

function moved(index: number, by: number, step: number): number {
  return by === 0 ? index : (index + by + 2 ** step) % 2 ** step;
}

/** What a cell covers, in degrees. */
export function areaOf({ step, x, y }: Cell): { longitude: Range; latitude: Range } {
  return { longitude: partRange(x, longitudes, step), latitude: partRange(y, latitudes, step) };
}

function partRange(index: number, { min, max }: Range, step: number): Range {
  const size = max - min;
  const next = (index + 1) >>> 0;
  return { min: min + (index / 2 ** step) * size, max: min + (next / 2 ** step) * size };
}

/** Scores of the places in a cell: from `min` to below `max`. */
export function scoresOf({ step, x, y }: Cell): Range {
  const unit = 4 ** (finestStep - step);
  const [north, east] = [spread(y) * unit, 2 * spread(x) * unit];
  return { min: east + north, max: east + (north + unit) };
}

export function scoreOf(position: Position): number {
  return scoresOf(cellOf(position, finestStep)).min;
}

const halfBits = 13;

/** A zero before each bit of a number of up to 27 bits. */
function spread(index: number): number {
  return spreadHalf(index >>> halfBits) * 4 ** halfBits + spreadHalf(index & (2 ** halfBits - 1));
}

function spreadHalf(bits: number): number {
  let spread = bits;
  spread = (spread | (spread << 8)) & 0x00ff00ff;
  spread = (spread | (spread << 4)) & 0x0f0f0f0f;
  spread = (spread | (spread << 2)) & 0x33333333;
  return (spread | (spread << 1)) & 0x55555555;
}

/** Every second bit of a number of 32 bits, beginning with the lowest. */
function gather(bits: number): number {
  let gathered = bits & 0x55555555;
  gathered = (gathered | (gathered >>> 1)) & 0x33333333;
  gathered = (gathered | (gathered >>> 2)) & 0x0f0f0f0f;
  gathered = (gathered | (gathered >>> 4)) & 0x00ff00ff;
  return (gathered | (gathered >>> 8)) & 0x0000ffff;
}

const word = 2 ** 32;

/** The place in the middle of a score's cell. Any score is one, whoever made it: as 64 bits, like Redis sees it. */
export function positionOf(score: number): Position {
  let [high, low] = [Math.floor(score / word), score % word];
  if (!(score >= 0 && score < 2 ** 52)) {
    const bits = asUnsigned(score);
    [high, low] = [Number(bits >> 32n), Number(bits & 0xffffffffn)];
  }
  const x = (gather(high >>> 1) * 2 ** 16 + gather(low >>> 1)) >>> 0;
  const y = (gather(high) * 2 ** 16 + gather(low)) >>> 0;
  const { longitude, latitude } = areaOf({ step: finestStep, x, y });
  return { longitude: middle(longitude, longitudes), latitude: middle(latitude, latitudes) };
}

function middle({ min, max }: Range, within: Range): number {
  return Math.max(within.min, Math.min(within.max, (min + max) / 2));
}

/** What C makes of a double as an unsigned integer of 64 bits, on x86-64. */
function asUnsigned(score: number): bigint {
  if (score >= 2 ** 64) return 0n;
  if (score < -(2 ** 63)) return 1n << 63n;
  return BigInt.asUintN(64, BigInt(Math.trunc(score)));
}

const letters = '0123456789bcdefghjkmnpqrstuvwxyz';
/** Standard geohashes reach the poles. */
const allLatitudes: Range = { min: -90, max: 90 };
const wholeLetters = 10;

/** The geohash that other programs know: 11 letters, the last of which is always 0. */
export function geohashText(position: Position): string {
  const { min: bits } = scoresOf(cellOf(position, finestStep, allLatitudes));
  let text = '';
  for (let i = 1; i <= wholeLetters; i++)
    text += letters[Math.floor(bits / 2 ** (2 * finestStep - 5 * i)) % 32];
  return `${text}0`;
}
