import type { Lsn } from './types.ts';

interface Sample {
  /** The log ended at or below `end` at this time. */
  atMs: number;
  readonly end: Lsn;
}

/** Samples kept; the older half is thinned when there are more, so that what is long past is known less exactly. */
const maxSamples = 256;

/** When a log ended where: what turns a position that lags behind it into a time. */
export class EndTrace {
  #samples: Sample[] = [];

  /** @param atMs a time at which the log ended at or below `end`; times that fall back say nothing new */
  note(atMs: number, end: Lsn): void {
    const last = this.#samples[this.#samples.length - 1];
    if (last !== undefined && atMs <= last.atMs) return;
    if (last?.end === end) {
      last.atMs = atMs;
      return;
    }
    this.#samples.push({ atMs, end });
    if (this.#samples.length <= maxSamples) return;
    this.#samples = this.#samples.filter((_, i) => i >= maxSamples / 2 || i % 2 === 0);
  }

  /** The latest known time at which the log did not reach beyond `lsn`: whoever is there lacks nothing older; -Infinity when unknown. */
  asOf(lsn: Lsn): number {
    for (let i = this.#samples.length - 1; i >= 0; i--) {
      const sample = this.#samples[i] as Sample;
      if (sample.end <= lsn) return sample.atMs;
    }
    return Number.NEGATIVE_INFINITY;
  }
}
