/** What is done for one operation, by all nodes together, beyond what they do when nobody asks anything. */
export interface Work {
  /** All system calls but those with which threads wait for each other; null where they cannot be counted. */
  readonly systemCalls: number | null;
  /** System calls that read or write, as the kernel accounts for them. */
  readonly readsAndWrites: number;
  /** Bytes in these writes: sockets, log and all else. */
  readonly bytesWritten: number;
  /** Durable writes of the logs, as the nodes count them. */
  readonly flushes: number;
  /** Bytes of objects and buffers that were allocated. */
  readonly bytesAllocated: number;
}

export type Measure = keyof Work;
export const measures: readonly Measure[] = [
  'systemCalls',
  'readsAndWrites',
  'bytesWritten',
  'flushes',
  'bytesAllocated',
];

/** By load. */
export type Budgets = Readonly<Record<string, Readonly<Record<Measure, number>>>>;

/** Work that is wasted by a busy machine only ever adds: the least of several rounds is what it takes. */
export function leastOf(rounds: readonly Work[]): Work {
  const least = (measure: Measure): number | null => {
    const known = rounds.map((work) => work[measure]).filter((value): value is number => value !== null);
    return known.length === 0 ? null : Math.min(...known);
  };
  const some = (measure: Measure): number => least(measure) ?? Number.NaN;
  return {
    systemCalls: least('systemCalls'),
    readsAndWrites: some('readsAndWrites'),
    bytesWritten: some('bytesWritten'),
    flushes: some('flushes'),
    bytesAllocated: some('bytesAllocated'),
  };
}

/** How budgets are printed and stored: three digits are enough, always rounded up. */
function roundedUp(value: number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit) * unit).toPrecision(3));
}

/** Budgets that leave the share `margin` above what was measured. */
export function budgetOf(work: Work, margin: number, before: Budgets[string] | undefined): Budgets[string] {
  const of = (measure: Measure): number => {
    const value = work[measure];
    return value === null ? (before?.[measure] ?? 0) : roundedUp(value * (1 + margin));
  };
  return Object.fromEntries(measures.map((measure) => [measure, of(measure)])) as Record<Measure, number>;
}

/** Measures above their budget. What could not be counted is not. */
export function overBudget(work: Work, budget: Budgets[string]): Measure[] {
  return measures.filter((measure) => {
    const value = work[measure];
    return value !== null && !(value <= budget[measure]);
  });
}
