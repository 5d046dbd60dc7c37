import type { Bytes } from '../bytes/types.ts';
import { fixedPoint } from './fixed-point.ts';
import type { Position, Range } from './geohash.ts';
import { latitudes, longitudes } from './geohash.ts';
import { notAFloat } from './parse.ts';
import { parseScore } from './scores.ts';

// Each gives the error line when the arguments make no sense.

export function parsePosition(longitudeText: Bytes, latitudeText: Bytes): Position | string {
  const longitude = parseScore(longitudeText);
  const latitude = parseScore(latitudeText);
  if (longitude === null || latitude === null) return notAFloat;
  if (isIn(longitude, longitudes) && isIn(latitude, latitudes)) return { longitude, latitude };
  return `ERR invalid longitude,latitude pair ${fixedPoint(longitude, 6)},${fixedPoint(latitude, 6)}`;
}

function isIn(value: number, { min, max }: Range): boolean {
  return value >= min && value <= max;
}

const units: Readonly<Record<string, number>> = { M: 1, KM: 1000, FT: 0.3048, MI: 1609.34 };

/** Meters in one of a unit. */
export function parseUnit(text: Bytes): number | string {
  return units[text.toUpperCase()] ?? 'ERR unsupported unit provided. please use M, KM, FT, MI';
}

export interface Lengths {
  /** In meters. */
  readonly meters: readonly number[];
  /** Meters in one of the unit that they were given in. */
  readonly unit: number;
}

export function parseRadius(text: Bytes, unitText: Bytes): Lengths | string {
  const radius = parseScore(text);
  if (radius === null) return 'ERR need numeric radius';
  if (radius < 0) return 'ERR radius cannot be negative';
  return inMeters([radius], unitText);
}

export function parseBox(widthText: Bytes, heightText: Bytes, unitText: Bytes): Lengths | string {
  const width = parseScore(widthText);
  if (width === null) return 'ERR need numeric width';
  const height = parseScore(heightText);
  if (height === null) return 'ERR need numeric height';
  if (width < 0 || height < 0) return 'ERR height or width cannot be negative';
  return inMeters([width, height], unitText);
}

function inMeters(lengths: readonly number[], unitText: Bytes): Lengths | string {
  const unit = parseUnit(unitText);
  return typeof unit === 'string' ? unit : { meters: lengths.map((length) => length * unit), unit };
}
