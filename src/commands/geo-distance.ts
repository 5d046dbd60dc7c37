import { arcsine, cosine, sine } from './exact-trigonometry.ts';
import type { Position } from './geohash.ts';

/** Mean radius of the earth, in meters, as Redis has it. */
export const earthRadius = 6372797.560856;
export const radiansPerDegree = Math.PI / 180;

interface Trigonometry {
  readonly sine: (angle: number) => number;
  readonly cosine: (angle: number) => number;
  readonly arcsine: (value: number) => number;
}

const exact: Trigonometry = { sine, cosine, arcsine };
const fast: Trigonometry = { sine: Math.sin, cosine: Math.cos, arcsine: Math.asin };

/** Meters along a meridian. */
function alongMeridian(one: Position, other: Position): number {
  return earthRadius * Math.abs(other.latitude * radiansPerDegree - one.latitude * radiansPerDegree);
}

/** Meters between two places on a great circle, by the haversine formula. */
function haversine(from: Position, to: Position, { sine, cosine, arcsine }: Trigonometry): number {
  const east = sine((to.longitude * radiansPerDegree - from.longitude * radiansPerDegree) / 2);
  if (east === 0) return alongMeridian(from, to);
  const [low, high] = [from.latitude * radiansPerDegree, to.latitude * radiansPerDegree];
  const north = sine((high - low) / 2);
  const square = north * north + cosine(low) * cosine(high) * east * east;
  return 2 * earthRadius * arcsine(Math.sqrt(square));
}

/** Meters between two places, to the last digit. */
export function distance(from: Position, to: Position): number {
  return haversine(from, to, exact);
}

/**
 * What the fast functions may be off by, in meters. It is far less, but for places on opposite sides of the earth, where
 * the arcsine is steep: up to a fifth.
 */
export const doubtMeters = 1;

/** About the distance when it is at most so many meters, else null; the exact functions decide where it is close. */
function within(from: Position, to: Position, meters: number): number | null {
  const about = haversine(from, to, fast);
  const outside = Math.abs(about - meters) > doubtMeters ? about > meters : distance(from, to) > meters;
  return outside ? null : about;
}

/** Where to search. Lengths are in meters. */
export type Shape = { readonly center: Position } & (
  | { readonly radius: number }
  | { readonly width: number; readonly height: number }
);

/** About the distance of a place from the middle of a shape; null when it lies outside. */
export function aboutInside(shape: Shape, place: Position): number | null {
  const { center } = shape;
  if ('radius' in shape) return within(center, place, shape.radius);
  if (alongMeridian(place, center) > shape.height / 2) return null;
  const across = { longitude: center.longitude, latitude: place.latitude };
  return within(place, across, shape.width / 2) === null ? null : haversine(center, place, fast);
}
