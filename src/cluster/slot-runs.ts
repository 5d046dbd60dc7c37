/** A number for slots that lie together: the first, the last, and the number. */
export type SlotRuns = readonly (readonly [from: number, to: number, value: number])[];

/** The numbers of those slots that count, as runs. */
export function runsOf(
  values: Uint16Array | Uint32Array,
  counts: (value: number, slot: number) => boolean,
): SlotRuns {
  const runs: [number, number, number][] = [];
  for (const [slot, value] of values.entries()) {
    if (!counts(value, slot)) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[1] === slot - 1 && last[2] === value) last[1] = slot;
    else runs.push([slot, slot, value]);
  }
  return runs;
}

/** Puts the numbers of runs in their places. */
export function valuesIn<V extends Uint16Array | Uint32Array>(runs: SlotRuns, into: V): V {
  for (const [from, to, value] of runs) into.fill(value, from, to + 1);
  return into;
}
