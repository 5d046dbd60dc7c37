import type { CommittedEntries } from './committed-entries.ts';
import type { LogView } from './log-matching.ts';

/**
 * Every later leader holds what was committed before it was elected (leader completeness; Raft, section 5.4). Answers
 * what is wrong; null when nothing is.
 */
export function checkLeaderCompleteness(
  leader: Omit<LogView, 'runStart'>,
  committed: CommittedEntries,
): string | null {
  const { lastLsn } = committed;
  if (leader.lastLsn < lastLsn)
    return `${leader.node} leads with a log up to LSN ${leader.lastLsn}, and LSN ${lastLsn} was committed`;
  for (let lsn = lastLsn; lsn >= Math.max(leader.baseLsn, 1); lsn--) {
    const term = committed.termAt(lsn);
    if (term === null || term === leader.termAt(lsn)) continue;
    return `${leader.node} leads with term ${leader.termAt(lsn)} at LSN ${lsn}, which was committed in term ${term}`;
  }
  return null;
}
