import type { KeyVersions } from './key-versions.ts';
import type { LevelRead } from './level-history.ts';
import { describeRead } from './level-history.ts';

/**
 * `bounded ms`: every write that was committed longer than that before the read was sent is seen. The bound is one of
 * the replica's own clock, which `slowest` says how much of a real second it counts in one. Answers what is wrong; null
 * when nothing is.
 */
export function checkBoundedRead(read: LevelRead, versions: KeyVersions, slowest: number): string | null {
  const sinceMs = read.sentMs - read.level.bound / slowest;
  const least = versions.committedBy(sinceMs);
  if (versions.shownAt(read.key, read.result, least) !== null) return null;
  return `${describeRead(read)}: too old, LSN ${least} was committed at ${versions.committedMs(least).toFixed(2)} ms`;
}

/** `bounded lsn`: everything through that LSN is seen. Answers what is wrong; null when nothing is. */
export function checkBoundedLsnRead(read: LevelRead, versions: KeyVersions): string | null {
  if (versions.shownAt(read.key, read.result, read.level.bound) !== null) return null;
  return `${describeRead(read)}: no state from there on shows that`;
}
