import type { KeyVersions } from './key-versions.ts';
import type { LevelRead } from './level-history.ts';
import { describeRead } from './level-history.ts';

/**
 * A read of whatever level but local shows committed state only: what its key had at some LSN that was committed by
 * the time of the answer. Answers what is wrong; null when nothing is.
 */
export function checkCommittedRead(read: LevelRead, versions: KeyVersions): string | null {
  const lsn = versions.shownAt(read.key, read.result, 0);
  if (lsn === null) return `${describeRead(read)}: that was never committed`;
  if (versions.committedMs(lsn) <= read.returnedMs) return null;
  return `${describeRead(read)}: LSN ${lsn}, which says so, was committed at ${versions.committedMs(lsn).toFixed(2)} ms`;
}
