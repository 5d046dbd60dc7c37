import type { Arguments } from './arguments.ts';
import { formatChosenFaults, parseChosenFaults, takeChosen } from './chosen-faults.ts';
import { describeFault } from './fault-plan.ts';
import { shrink } from './shrink.ts';
import type { ChosenFaults, RunResult } from './simulation.ts';
import { simulate } from './simulation.ts';
import type { Totals } from './totals.ts';
import { totalsOf } from './totals.ts';

/** How often a failing seed is run again in search of fewer faults. */
const shrinkRunsMax = 150;

/** What a process that runs seeds says of one. */
export interface Answer {
  readonly seed: number;
  readonly totals: Totals;
  /** What was violated first; null for nothing. */
  readonly what: string | null;
  /** For people; empty when nothing was violated. */
  readonly report: string;
}

function replayCommand(seed: number, more = ''): string {
  return `npm run simulate -- --from ${seed} --seeds 1 --timeline${more}`;
}

/** The timeline of a run, and what came of it. */
export function describeRun(result: RunResult): string {
  const { seed, violations, hash, stats } = result;
  const facts = Object.entries(stats).map(([name, value]) => `${name} ${value}`);
  const lines = [...result.timeline, `seed ${seed}: ${hash}, ${facts.join(', ')}`];
  if (violations.length > 0)
    lines.push(`seed ${seed} FAILED: ${violations[0]}`, `replay it: ${replayCommand(seed)}`);
  return lines.join('\n');
}

/** The fewest and shortest faults found that still make a seed fail, and the command that shows it. */
export function describeLeast({ seed, plan, faultsEndMs }: RunResult): string {
  const all = plan.map(({ forMs }, i) => ({ number: i + 1, forMs }));
  let what = '';
  const least = shrink(
    { faults: all, untilMs: faultsEndMs },
    ({ faults, untilMs }) => {
      const result = simulate(seed, { plan: takeChosen(faults, plan), faultsEndMs: untilMs });
      if (result.violations.length === 0) return null;
      what = result.violations[0] ?? '';
      return result.faultsEndMs;
    },
    shrinkRunsMax,
  );
  if (what === '') return `seed ${seed} fails only with its plan drawn as it runs`;
  const chosen = formatChosenFaults(least.faults, plan);
  return [
    `seed ${seed} fails with ${least.faults.length} of ${plan.length} faults, over at ${least.untilMs} ms:`,
    ...takeChosen(least.faults, plan).map(
      (fault) => `  at ${fault.atMs.toFixed(1)} ms ${describeFault(fault)}`,
    ),
    `  ${what}`,
    `replay it: ${replayCommand(seed, ` --faults '${chosen}' --until ${least.untilMs}`)}`,
  ].join('\n');
}

/** Runs one seed for somebody who counts. */
export function answerFor(seed: number, shrinks: boolean): Answer {
  const result = simulate(seed);
  const what = result.violations[0] ?? null;
  const least = what !== null && shrinks ? `\n${describeLeast(result)}` : '';
  const report = what === null ? '' : `${describeRun(result)}${least}\n`;
  return { seed, totals: totalsOf(result), what, report };
}

/** Runs one seed, as it is or with chosen faults only, and tells its story. Null when the faults make no sense. */
export function replay(
  seed: number,
  { faults, untilMs }: Arguments,
): { text: string; failed: boolean } | null {
  let result = simulate(seed);
  if (faults !== null || untilMs !== null) {
    const { plan, faultsEndMs } = result;
    const chosen = parseChosenFaults(faults ?? plan.map((_, i) => i + 1).join(','), plan);
    if (chosen === null) return null;
    const own: ChosenFaults = { plan: takeChosen(chosen, plan), faultsEndMs: untilMs ?? faultsEndMs };
    result = simulate(seed, own);
  }
  return { text: describeRun(result), failed: result.violations.length > 0 };
}
