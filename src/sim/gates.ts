/** What a reply was made to wait for. */
export interface GateView {
  readonly node: string;
  readonly what: string;
  /** It answers a command that always writes. */
  readonly writes: boolean;
  /** It waits for proof that its node led when it read. */
  readonly provesLeadership: boolean;
  readonly gateLsn: number;
  /** The last entry when the command had run. */
  readonly lastLsn: number;
  /** The latest writes to the keys that it names, as far as they are not committed. */
  readonly writtenAt: readonly number[];
}

/**
 * A write waits for its own entry; a read for whatever was last written to what it read, and for proof of leadership.
 * Answers what is wrong; null when nothing is.
 */
export function checkGate(gate: GateView): string | null {
  const { node, what, writes, provesLeadership, gateLsn, lastLsn, writtenAt } = gate;
  if (!provesLeadership)
    return gateLsn === lastLsn ? null : `${node}: ${what} wrote LSN ${lastLsn} and waits for LSN ${gateLsn}`;
  if (writes) return `${node}: ${what} waits as if it had written nothing`;
  const newest = Math.max(0, ...writtenAt);
  return gateLsn >= newest
    ? null
    : `${node}: ${what} saw what LSN ${newest} wrote and waits for LSN ${gateLsn}`;
}
