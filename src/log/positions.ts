import type { LogPosition } from './types.ts';

/** Orders positions as elections do: by term, then by LSN. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.term - b.term || a.lsn - b.lsn;
}
