const perOctave = 64;
const octaves = 27;

/** Counts of latencies in microseconds, in buckets within 1.6 % of each other, up to about two minutes. */
export class LatencyHistogram {
  readonly #buckets = new Float64Array(perOctave * octaves);
  #count = 0;

  add(microseconds: number, times: number): void {
    const value = Math.max(1, microseconds);
    const octave = Math.min(Math.floor(Math.log2(value)), octaves - 1);
    const within = Math.min(Math.floor((value / 2 ** octave - 1) * perOctave), perOctave - 1);
    const bucket = octave * perOctave + within;
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + times;
    this.#count += times;
  }

  /** Counts all that the other counted too. */
  merge(other: LatencyHistogram): void {
    for (let i = 0; i < this.#buckets.length; i++)
      this.#buckets[i] = (this.#buckets[i] as number) + (other.#buckets[i] as number);
    this.#count += other.#count;
  }

  get count(): number {
    return this.#count;
  }

  /** The latency in ms that this share (0 to 1) of all stays within; 0 when there is none. */
  quantile(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (let i = 0; i < this.#buckets.length; i++) {
      left -= this.#buckets[i] as number;
      if (left <= 0 && this.#count > 0) {
        const octave = Math.floor(i / perOctave);
        return (2 ** octave * (1 + ((i % perOctave) + 1) / perOctave)) / 1000;
      }
    }
    return 0;
  }
}
