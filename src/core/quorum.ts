/** The k-th highest of some numbers, k from 1; -Infinity when there are fewer. Sorts its argument in place. */
export function kthHighest(values: number[], k: number): number {
  // There are as many as voters, and each turn asks: insertion is quickest and allocates nothing.
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    let at = i;
    for (; at > 0 && (values[at - 1] as number) < value; at--) values[at] = values[at - 1] as number;
    values[at] = value;
  }
  return values[k - 1] ?? Number.NEGATIVE_INFINITY;
}
