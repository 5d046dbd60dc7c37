import type { Totals } from './totals.ts';
import { addTotals, noTotals } from './totals.ts';

export interface Failure {
  readonly seed: number;
  readonly what: string;
}

/** How far a campaign has come: what is written to its file. */
export interface CampaignState {
  readonly version: 1;
  readonly from: number;
  /** The first seed that was never handed out. */
  readonly nextSeed: number;
  /** Seeds that were handed out and not answered. */
  readonly open: readonly number[];
  readonly totals: Totals;
  /** Real seconds that runs took, all parts of the campaign together. */
  readonly seconds: number;
  readonly failures: readonly Failure[];
  /** How many seeds ran with which build of the code. */
  readonly builds: Readonly<Record<string, number>>;
}

/** Hands out seeds and adds up what became of them; may be stopped, kept in a file, and continued. */
export class Campaign {
  readonly totals: Totals;
  readonly failures: Failure[];
  readonly #from: number;
  readonly #build: string;
  readonly #builds: Record<string, number>;
  readonly #secondsBefore: number;
  readonly #last: number;
  readonly #again: number[];
  readonly #open = new Set<number>();
  #nextSeed: number;

  /** @param last the seed behind which there are no more; Infinity for a campaign without an end */
  constructor(from: number, last: number, build: string, state: CampaignState | null) {
    this.#from = state?.from ?? from;
    this.#last = last;
    this.#build = build;
    this.#nextSeed = state?.nextSeed ?? from;
    this.#again = [...(state?.open ?? [])];
    this.totals = noTotals();
    if (state !== null) addTotals(this.totals, state.totals);
    this.failures = [...(state?.failures ?? [])];
    this.#builds = { ...state?.builds };
    this.#secondsBefore = state?.seconds ?? 0;
  }

  /** The next seed to run; null when there is none. */
  take(): number | null {
    const again = this.#again.shift();
    const seed = again ?? this.#nextSeed;
    if (again === undefined) {
      if (seed > this.#last) return null;
      this.#nextSeed += 1;
    }
    this.#open.add(seed);
    return seed;
  }

  /** A seed was run; `what` is wrong with it, null for nothing. */
  ran(seed: number, totals: Totals, what: string | null): void {
    this.#open.delete(seed);
    addTotals(this.totals, totals);
    this.#builds[this.#build] = (this.#builds[this.#build] ?? 0) + 1;
    if (what !== null) this.failures.push({ seed, what });
  }

  /** @param seconds how long this part of the campaign has taken */
  secondsAfter(seconds: number): number {
    return this.#secondsBefore + seconds;
  }

  state(seconds: number): CampaignState {
    return {
      version: 1,
      from: this.#from,
      nextSeed: this.#nextSeed,
      open: [...this.#again, ...this.#open].sort((a, b) => a - b),
      totals: this.totals,
      seconds: this.secondsAfter(seconds),
      failures: this.failures,
      builds: this.#builds,
    };
  }
}

/** Reads what `state` gave as JSON; null when it is none. */
export function parseCampaign(text: string): CampaignState | null {
  const state = JSON.parse(text) as Partial<CampaignState> | null;
  const whole = state?.version === 1 && typeof state.nextSeed === 'number' && state.totals !== undefined;
  return whole ? (state as CampaignState) : null;
}
