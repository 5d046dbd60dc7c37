/** The middle value; of an even number of values, the upper one of the two in the middle, so that it is one that was measured. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Median of those that are known; null when none is. */
export function medianKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}

/**
 * Median of the ratios of values that were measured in the same round: what changes on the machine from round to round
 * changes both. Null when no round has both.
 */
export function medianRatio(
  own: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
): number | null {
  const ratios: number[] = [];
  for (const [round, value] of own) {
    const against = other.get(round);
    if (against !== undefined && against > 0) ratios.push(value / against);
  }
  return ratios.length === 0 ? null : median(ratios);
}
