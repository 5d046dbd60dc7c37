/** The k-th highest of some numbers, k from 1; -Infinity when there are fewer. Sorts its argument in place. */
export function kthHighest(values: number[], k: number): number {
  values.sort((a, b) => b - a);
  return values[k - 1] ?? Number.NEGATIVE_INFINITY;
}
