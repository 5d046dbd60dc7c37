import type { RunResult } from './simulation.ts';

/** What many runs amount to, in plain numbers, so that it can be kept in a file and added up. */
export interface Totals {
  seeds: number;
  events: number;
  eventsLeast: number;
  virtualMs: number;
  operations: number;
  answered: number;
  elections: number;
  /** Keys whose histories were too tangled to be judged. */
  undecided: number;
  effects: number;
  effectsLeast: number;
  /** Faults that had an effect, by kind: how many, and in how many runs. */
  faults: Record<string, { effects: number; seeds: number }>;
}

export function noTotals(): Totals {
  return {
    seeds: 0,
    events: 0,
    eventsLeast: 0,
    virtualMs: 0,
    operations: 0,
    answered: 0,
    elections: 0,
    undecided: 0,
    effects: 0,
    effectsLeast: 0,
    faults: {},
  };
}

export function totalsOf({ stats, effects, violations }: RunResult): Totals {
  const faults: Totals['faults'] = {};
  for (const [kind, count] of effects) faults[kind] = { effects: count, seeds: 1 };
  // A run that failed ended early: it says nothing of how short runs may be.
  const whole = violations.length === 0;
  return {
    seeds: 1,
    events: stats.events,
    eventsLeast: whole ? stats.events : Number.MAX_SAFE_INTEGER,
    virtualMs: stats.virtualMs,
    operations: stats.operations,
    answered: stats.answered,
    elections: stats.terms,
    undecided: stats.undecided,
    effects: stats.effects,
    effectsLeast: whole ? stats.effects : Number.MAX_SAFE_INTEGER,
    faults,
  };
}

export function addTotals(into: Totals, more: Totals): void {
  const first = into.seeds === 0;
  into.eventsLeast = first ? more.eventsLeast : Math.min(into.eventsLeast, more.eventsLeast);
  into.effectsLeast = first ? more.effectsLeast : Math.min(into.effectsLeast, more.effectsLeast);
  for (const name of [
    'seeds',
    'events',
    'virtualMs',
    'operations',
    'answered',
    'elections',
    'undecided',
    'effects',
  ] as const)
    into[name] += more[name];
  for (const [kind, { effects, seeds }] of Object.entries(more.faults)) {
    const known = into.faults[kind] ?? { effects: 0, seeds: 0 };
    into.faults[kind] = { effects: known.effects + effects, seeds: known.seeds + seeds };
  }
}

/** Lines for people. `seconds` is how long the runs took, by a real clock. */
export function describeTotals(totals: Totals, seconds: number): string[] {
  const { seeds, events, virtualMs, operations, answered, elections, undecided, effects } = totals;
  if (seeds === 0) return ['no seed was run'];
  const each = (count: number): string => (count / seeds).toFixed(count / seeds < 100 ? 1 : 0);
  const kinds = Object.entries(totals.faults).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `${(virtualMs / 1000).toFixed(0)} simulated seconds, ${(virtualMs / 1000 / seconds).toFixed(0)} in each real one; ${(seeds / seconds).toFixed(1)} seeds a second`,
    `for each seed: ${each(events)} events (at least ${totals.eventsLeast}), ${each(effects)} faults with an effect (at least ${totals.effectsLeast}), ${each(operations)} operations, ${each(answered)} of them answered, ${each(elections)} elections`,
    `keys whose history could not be judged: ${undecided}`,
    'faults with an effect (and seeds that had some):',
    ...kinds.map(([kind, count]) => `  ${kind.padEnd(22)} ${count.effects} (${count.seeds})`),
  ];
}
