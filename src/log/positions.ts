import type { LogPosition } from './types.ts';

/** Before the first entry. */
export const origin: LogPosition = { term: 0, lsn: 0 };

/** Orders positions as elections do: by term, then by LSN. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.term - b.term || a.lsn - b.lsn;
}

export function samePosition(a: LogPosition, b: LogPosition): boolean {
  return a.term === b.term && a.lsn === b.lsn;
}

export function laterPosition(a: LogPosition, b: LogPosition): LogPosition {
  return comparePositions(a, b) >= 0 ? a : b;
}
