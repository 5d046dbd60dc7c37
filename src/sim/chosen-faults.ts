import type { Fault } from './fault-plan.ts';

/** A fault of a seed's plan: its number there, from 1, and how long it is to last. */
export interface ChosenFault {
  readonly number: number;
  readonly forMs: number;
}

/** Reads `3,7:200`; null when that makes no sense for the plan. */
export function parseChosenFaults(text: string, plan: readonly Fault[]): ChosenFault[] | null {
  const chosen: ChosenFault[] = [];
  for (const word of text.split(',').filter((part) => part !== '')) {
    const [number = 0, forMs] = word.split(':').map(Number);
    const fault = plan[number - 1];
    if (fault === undefined || (forMs !== undefined && !(forMs >= 0))) return null;
    chosen.push({ number, forMs: forMs ?? fault.forMs });
  }
  return chosen;
}

export function formatChosenFaults(chosen: readonly ChosenFault[], plan: readonly Fault[]): string {
  return chosen
    .map(({ number, forMs }) => (plan[number - 1]?.forMs === forMs ? `${number}` : `${number}:${forMs}`))
    .join(',');
}

export function takeChosen(chosen: readonly ChosenFault[], plan: readonly Fault[]): Fault[] {
  return chosen.flatMap(({ number, forMs }) => {
    const fault = plan[number - 1];
    return fault === undefined ? [] : [{ ...fault, forMs }];
  });
}
