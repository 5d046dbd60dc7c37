import type { Bytes } from '../bytes/types.ts';
import type { SortedSetValue } from '../state/collections.ts';
import type { Shape } from './geo-distance.ts';
import { aboutInside, distance, doubtMeters, earthRadius, radiansPerDegree } from './geo-distance.ts';
import type { Cell, Position } from './geohash.ts';
import { areaOf, cellOf, finestStep, neighbour, positionOf, scoresOf } from './geohash.ts';

export interface FoundPlace {
  readonly member: Bytes;
  readonly score: number;
  readonly position: Position;
  /** From the middle of what was searched, in meters; off by up to `doubtMeters` before it is `measured`. */
  readonly distance: number;
}

/** Half of the width of the map of the earth, in meters. */
const halfMap = 20037726.37;

/** How fine a grid may be for a cell and its eight neighbours to hold what is so near, as Redis estimates it. */
function stepFor(meters: number, latitude: number): number {
  if (meters === 0) return finestStep;
  let step = -1;
  for (let reach = meters; reach < halfMap; reach *= 2) step += 1;
  // Cells are narrower towards the poles.
  const far = Math.abs(latitude);
  step -= far > 80 ? 2 : far > 66 ? 1 : 0;
  return Math.max(1, Math.min(finestStep, step));
}

interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

/** A box of degrees around a shape, taken where it is widest as Redis sees it. */
function boundsOf(shape: Shape): Bounds {
  const { longitude, latitude } = shape.center;
  const [across, up] = 'radius' in shape ? [shape.radius, shape.radius] : [shape.width / 2, shape.height / 2];
  const north = up / earthRadius / radiansPerDegree;
  const widest = latitude < 0 ? latitude - north : latitude + north;
  const east = across / earthRadius / Math.cos(widest * radiansPerDegree) / radiansPerDegree;
  return {
    west: longitude - east,
    east: longitude + east,
    south: latitude - north,
    north: latitude + north,
  };
}

/** Steps to the east and north, in the order in which Redis goes through cells: it decides the order of what is found. */
const around: readonly (readonly [east: number, north: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

/** Cells that together hold all of a shape, those left out that cannot hold any of it. */
function cellsFor(shape: Shape): Cell[] {
  const { center } = shape;
  const bounds = boundsOf(shape);
  const reach =
    'radius' in shape ? shape.radius : Math.sqrt((shape.width / 2) ** 2 + (shape.height / 2) ** 2);
  let middle = cellOf(center, stepFor(reach, center.latitude));
  if (middle.step > 1 && !reaches(middle, bounds)) middle = cellOf(center, middle.step - 1);
  const { longitude, latitude } = areaOf(middle);
  const useful = ([east, north]: readonly [number, number]): boolean =>
    middle.step < 2 ||
    !(
      (north < 0 && latitude.min < bounds.south) ||
      (north > 0 && latitude.max > bounds.north) ||
      (east < 0 && longitude.min < bounds.west) ||
      (east > 0 && longitude.max > bounds.east)
    );
  return around.filter(useful).map(([east, north]) => neighbour(middle, east, north));
}

/** True when the neighbours of a cell reach the bounds. */
function reaches(cell: Cell, { west, east, south, north }: Bounds): boolean {
  return !(
    areaOf(neighbour(cell, 0, 1)).latitude.max < north ||
    areaOf(neighbour(cell, 0, -1)).latitude.min > south ||
    areaOf(neighbour(cell, 1, 0)).longitude.max < east ||
    areaOf(neighbour(cell, -1, 0)).longitude.min > west
  );
}

/** Places of a sorted set inside a shape, in no order, or the first so many that come across. */
export function search(places: SortedSetValue, shape: Shape, limit: number): FoundPlace[] {
  const found: FoundPlace[] = [];
  let last: Cell | null = null;
  for (const [i, cell] of cellsFor(shape).entries()) {
    // In a coarse grid neighbours on both sides are the same cell.
    if (last !== null && cell.x === last.x && cell.y === last.y) continue;
    if (found.length >= limit) break;
    searchCell(places, cell, shape, limit, found);
    if (i > 0) last = cell;
  }
  return found;
}

function searchCell(
  { order }: SortedSetValue,
  cell: Cell,
  shape: Shape,
  limit: number,
  found: FoundPlace[],
): void {
  const { min, max } = scoresOf(cell);
  const first = order.find(({ score }) => score - min);
  order.search(first, ({ member, score }) => {
    if (score >= max) return true;
    const position = positionOf(score);
    const about = aboutInside(shape, position);
    if (about !== null) found.push({ member, score, position, distance: about });
    return found.length >= limit;
  });
}

/** The same places with their distances to the last digit. */
export function measured({ center }: Shape, found: readonly FoundPlace[]): FoundPlace[] {
  return found.map((place) => ({ ...place, distance: distance(center, place.position) }));
}

/** The nearest or farthest of them in order, measured, at most so many; of those equally far, the first found. */
export function sorted(
  shape: Shape,
  found: readonly FoundPlace[],
  nearest: boolean,
  limit: number,
): FoundPlace[] {
  const candidates = found.length > limit ? outermost(found, nearest, limit) : found;
  const sign = nearest ? 1 : -1;
  return measured(shape, candidates)
    .sort((one, other) => sign * (one.distance - other.distance))
    .slice(0, limit);
}

/** Those that may be among so many nearest or farthest. */
function outermost(found: readonly FoundPlace[], nearest: boolean, count: number): FoundPlace[] {
  const distances = Float64Array.from(found, ({ distance }) => distance).sort();
  const last = distances[nearest ? count - 1 : distances.length - count] as number;
  return found.filter(({ distance }) =>
    nearest ? distance <= last + 2 * doubtMeters : distance >= last - 2 * doubtMeters,
  );
}
