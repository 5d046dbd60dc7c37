/** What a leader believes of its lease: until when, by its own clock, and what that clock says now. */
export interface LeaseView {
  readonly node: string;
  readonly term: number;
  readonly untilMs: number;
  readonly nowMs: number;
}

/**
 * While a leader's lease lasts nobody else commits anything: what it reads is current. Answers what is wrong; null when
 * nothing is.
 *
 * @param committing who has just committed an entry of its own term
 */
export function checkLeases(
  committing: { readonly node: string; readonly term: number },
  leases: readonly LeaseView[],
): string | null {
  for (const { node, term, untilMs, nowMs } of leases) {
    if (node === committing.node || term >= committing.term || untilMs <= nowMs) continue;
    return `${committing.node} commits in term ${committing.term} while the lease of ${node} from term ${term} lasts ${(untilMs - nowMs).toFixed(1)} ms more`;
  }
  return null;
}
