/** One replica's log, without its entries. */
export interface LogView {
  readonly node: string;
  /** LSN of the entry before the first one held. */
  readonly baseLsn: number;
  readonly lastLsn: number;
  /** The term of an entry from `baseLsn` to `lastLsn`. */
  termAt(lsn: number): number;
  /** The first LSN above the base from which on entries have the term of this one, which is above the base. */
  runStart(lsn: number): number;
}

/**
 * Logs that hold an entry of the same LSN and term agree in everything before it (Raft, section 5.3), as far as both
 * hold it. Answers what is wrong; null when nothing is.
 */
export function checkLogMatching(a: LogView, b: LogView): string | null {
  const from = Math.max(a.baseLsn, b.baseLsn);
  let agreed = false;
  // Within a run of both logs nothing changes: one look at each is enough.
  const below = (lsn: number): number =>
    lsn <= from + 1 ? lsn - 1 : Math.max(from, Math.max(a.runStart(lsn), b.runStart(lsn)) - 1);
  for (let lsn = Math.min(a.lastLsn, b.lastLsn); lsn >= from; lsn = below(lsn)) {
    const same = a.termAt(lsn) === b.termAt(lsn);
    if (agreed && !same) {
      return `${a.node} and ${b.node} agree at LSN ${lsn + 1} but hold terms ${a.termAt(lsn)} and ${b.termAt(lsn)} at LSN ${lsn}`;
    }
    agreed = same;
  }
  return null;
}
