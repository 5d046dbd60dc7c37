import { checkAcknowledgedWrites } from './acknowledged-writes.ts';
import { checkBoundedLsnRead, checkBoundedRead } from './bounded-reads.ts';
import { checkCommittedRead } from './eventual-reads.ts';
import { driftRates } from './fault-plan.ts';
import type { History, Operation } from './history.ts';
import type { KeyVersions } from './key-versions.ts';
import type { LevelHistory, SessionStep } from './level-history.ts';
import { checkLinearizable } from './linearizability.ts';
import { Asked, checkLocalRead } from './local-reads.ts';
import { changesNothing } from './models.ts';
import { checkSession } from './session-steps.ts';
import { usualRates } from './sim-node.ts';

/** No clock counts less of a real second in one, unless it is wild. */
const slowestClock = driftRates.least * usualRates.least;

/** The operations on each key, and what it held at the end. Answers how many keys could not be decided. */
export function judgeHistory(
  history: History,
  finals: ReadonlyMap<string, string | null>,
  /** Leases proved what they should. */
  provable: boolean,
  violated: (what: string) => void,
): number {
  let undecided = 0;
  const perKey = history.perKey();
  for (const [key, value] of finals) {
    const problem = checkAcknowledgedWrites(key, perKey.get(key) ?? [], value);
    if (problem !== null) violated(problem);
  }
  for (const [key, all] of perKey) {
    // Where leases may overlap, what rests on them may be old: reads, and writes that found nothing to do.
    const operations = provable ? all : all.filter((one) => one.confirmed === true || !changesNothing(one));
    const verdict = checkLinearizable(operations);
    if (verdict.kind === 'undecided') undecided += 1;
    if (verdict.kind !== 'violated') continue;
    const { client, kind, value, result, invoked, returned } = verdict.stuckAt;
    violated(
      `${key} is not linearizable: client ${client}, ${kind} ${value} → ${result}, from ${invoked} to ${returned}`,
    );
  }
  return undecided;
}

/** What reads at the other levels showed. Each client of them stays with the keys of one shard. Answers what is wrong. */
export function judgeLevels(
  levels: LevelHistory,
  perKey: ReadonlyMap<string, readonly Operation[]>,
  versionsOf: (key: string) => KeyVersions,
  provable: boolean,
): string | null {
  const askedOf = new Map<string, Asked>();
  const asked = (key: string): Asked => {
    const known = askedOf.get(key) ?? new Asked(perKey.get(key) ?? []);
    askedOf.set(key, known);
    return known;
  };
  for (const read of levels.reads) {
    const { kind } = read.level;
    if (kind === 'local') {
      const problem = checkLocalRead(read, asked(read.key));
      if (problem !== null) return problem;
      continue;
    }
    const versions = versionsOf(read.key);
    let problem = checkCommittedRead(read, versions);
    if (kind === 'bounded' && provable) problem ??= checkBoundedRead(read, versions, slowestClock);
    if (kind === 'bounded lsn') problem ??= checkBoundedLsnRead(read, versions);
    if (problem !== null) return problem;
  }
  for (const [client, steps] of levels.sessions) {
    const key = keyOf(steps);
    const problem = key === null ? null : checkSession(client, steps, versionsOf(key));
    if (problem !== null) return problem;
  }
  return null;
}

/** Any key that the session used. */
function keyOf(steps: readonly SessionStep[]): string | null {
  for (const step of steps) {
    if (step.kind === 'read') return step.read.key;
    if (step.kind === 'wrote') return step.key;
  }
  return null;
}
