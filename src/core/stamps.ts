/**
 * Times of the own monotonic clock that others hand back. They count from an origin that each life of a process draws
 * anew: the clock of the next life may begin at zero again, and a stamp of an earlier one must not be taken for its own.
 */
export class Stamps {
  readonly #origin: number;
  readonly #startedMs: number;

  /** @param chance uniformly random in [0, 1) */
  constructor(chance: number, startedMs: number) {
    // Leaves a double enough bits for fractions of a millisecond.
    this.#origin = Math.floor(chance * 2 ** 40);
    this.#startedMs = startedMs;
  }

  write(now: number): number {
    // Never later than it is, and exact in a double, whatever the origin.
    return this.#origin + Math.floor(now * 1024) / 1024;
  }

  /** The own time that a stamp stands for; null when it is not of this life. */
  read(stamp: number, now: number): number | null {
    const atMs = stamp - this.#origin;
    return atMs >= this.#startedMs && atMs <= now ? atMs : null;
  }
}
