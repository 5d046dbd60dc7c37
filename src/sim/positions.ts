/** The positions of one replica in one life of its process. */
export interface PositionsView {
  readonly node: string;
  readonly leads: boolean;
  readonly term: number;
  readonly appended: number;
  readonly flushed: number;
  readonly commit: number;
  readonly applied: number;
  /** Its state may hold what is not committed: it leads, led, or is being built anew. */
  readonly ahead: boolean;
}

/**
 * appended ≥ flushed, appended ≥ commit ≥ applied; the state of a leader is ahead. Answers what is wrong; null when nothing is.
 */
export function checkPositions(now: PositionsView): string | null {
  const { node, appended, flushed, commit, applied, ahead } = now;
  const facts = `appended ${appended}, flushed ${flushed}, commit ${commit}, applied ${applied}`;
  if (flushed > appended) return `${node} flushed what it has not: ${facts}`;
  if (commit > appended) return `${node} commits what it has not: ${facts}`;
  return applied > commit && !ahead ? `${node} applied what is not committed: ${facts}` : null;
}

/**
 * Within one life of a process its term and its commit never fall. What a follower hears to be committed counts as far
 * as it is durable there; a leader that stepped down may have known more.
 */
export function checkProgress(before: PositionsView, now: PositionsView): string | null {
  if (now.term < before.term) return `the term of ${now.node} fell from ${before.term} to ${now.term}`;
  if (now.commit < before.commit)
    return `the commit of ${now.node} fell from ${before.commit} to ${now.commit}`;
  const rose = now.commit > before.commit && !before.leads && !now.leads;
  if (rose && now.commit > now.flushed)
    return `${now.node} follows and commits LSN ${now.commit}, durable there up to ${now.flushed}`;
  return null;
}
