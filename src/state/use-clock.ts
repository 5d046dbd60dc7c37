/** Uses of keys are told apart by so much, ms. */
const unitMs = 100;
/** After so many units the clock begins anew (3.4 years), so that every reading is a small integer. */
const range = 2 ** 30;

/** What an entry that is used at this time (ms since the epoch) notes. */
export function useClockAt(ms: number): number {
  return Math.floor(ms / unitMs) % range;
}

/** Time from a use to now, in ms, by two readings; 0 when the clock went back between them. */
export function idleMs(usedAt: number, now: number): number {
  const units = (now - usedAt + range) % range;
  return units < range / 2 ? units * unitMs : 0;
}

/** The reading so many ms before another, or as long before as can be told. */
export function usedBefore(now: number, ms: number): number {
  return (now - Math.min(Math.floor(ms / unitMs), range / 2 - 1) + range) % range;
}
