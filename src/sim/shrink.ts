import type { ChosenFault } from './chosen-faults.ts';

/** Faults of a plan, and when they end. */
export interface Candidate {
  readonly faults: readonly ChosenFault[];
  readonly untilMs: number;
}

/**
 * Looks for fewer and shorter faults that still make a run fail: drops halves, quarters and so on down to single ones
 * (Zeller and Hildebrandt's ddmin, IEEE Trans. Softw. Eng. 28(2), 2002), then shortens what is left.
 *
 * @param fails runs the candidate; null when it does not fail, else the virtual time of the failure
 * @param runsMax how often it may be called
 */
export function shrink(
  from: Candidate,
  fails: (candidate: Candidate) => number | null,
  runsMax: number,
): Candidate {
  let best = from;
  let runs = 0;
  const attempt = (candidate: Candidate): boolean => {
    if (runs >= runsMax) return false;
    runs += 1;
    const failedMs = fails(candidate);
    if (failedMs === null) return false;
    // What would begin after the failure needs no run to be dropped.
    best = { ...candidate, untilMs: Math.min(candidate.untilMs, Math.ceil(failedMs)) };
    return true;
  };
  if (!attempt(from)) return from;
  dropFaults(() => best, attempt);
  for (const { number } of best.faults) shorten(number, () => best, attempt);
  return best;
}

function dropFaults(best: () => Candidate, attempt: (candidate: Candidate) => boolean): void {
  for (let pieces = 2; best().faults.length > 0; ) {
    const { faults, untilMs } = best();
    const size = Math.ceil(faults.length / pieces);
    let dropped = false;
    for (let at = 0; at < faults.length && !dropped; at += size) {
      const left = [...faults.slice(0, at), ...faults.slice(at + size)];
      dropped = attempt({ faults: left, untilMs });
    }
    if (dropped) pieces = Math.max(2, pieces - 1);
    else if (size === 1) return;
    else pieces = Math.min(faults.length, pieces * 2);
  }
}

function shorten(number: number, best: () => Candidate, attempt: (candidate: Candidate) => boolean): void {
  for (;;) {
    const { faults, untilMs } = best();
    const forMs = faults.find((fault) => fault.number === number)?.forMs ?? 0;
    const shorter = Math.floor(forMs / 2);
    if (shorter < 5) return;
    const changed = faults.map((fault) => (fault.number === number ? { number, forMs: shorter } : fault));
    if (!attempt({ faults: changed, untilMs })) return;
  }
}
