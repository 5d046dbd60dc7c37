/** What a disk would still hold if power were lost now and took everything that is not durable. */
export interface DurableView {
  readonly node: string;
  readonly hardState: { readonly term: number; readonly vote: string | null } | null;
  readonly baseLsn: number;
  readonly lastLsn: number;
  /** The term of an entry from `baseLsn` to `lastLsn`. */
  termAt(lsn: number): number;
}

/** A vote counts for a candidate only once the voter cannot forget it. Answers what is wrong; null when nothing is. */
export function checkVoteDurable(disk: DurableView, term: number, candidate: string): string | null {
  const { node, hardState } = disk;
  if (hardState !== null && hardState.term > term) return null;
  if (hardState?.term === term && hardState.vote === candidate) return null;
  const held = hardState === null ? 'no vote' : `a vote for ${hardState.vote} in term ${hardState.term}`;
  return `${node} gave its vote in term ${term} to ${candidate}, and its disk holds ${held}`;
}

/**
 * A leader has votes that cannot be forgotten from a majority; its own is one of them only if it is durable. Answers
 * what is wrong; null when nothing is.
 *
 * @param disks of the voters; null for one that nobody can read
 */
export function checkElected(
  leader: string,
  term: number,
  disks: readonly (DurableView | null)[],
): string | null {
  const forgetful = disks.map((disk) => (disk === null ? null : checkVoteDurable(disk, term, leader)));
  const votes = forgetful.filter((problem) => problem === null).length;
  if (2 * votes > disks.length) return null;
  return `${leader} leads term ${term} with too few votes that are durable: ${forgetful.filter((problem) => problem !== null).join('; ')}`;
}

/** What a replica calls durable is on its disk. Answers what is wrong; null when nothing is. */
export function checkEntryDurable(disk: DurableView, lsn: number, term: number): string | null {
  const { node, baseLsn, lastLsn } = disk;
  // What lies below the base is part of a checkpoint.
  if (lsn < baseLsn) return null;
  if (lsn > lastLsn) return `${node} calls LSN ${lsn} durable, and its disk holds entries up to ${lastLsn}`;
  const held = disk.termAt(lsn);
  return held === term
    ? null
    : `${node} calls LSN ${lsn} of term ${term} durable, and its disk holds term ${held}`;
}
