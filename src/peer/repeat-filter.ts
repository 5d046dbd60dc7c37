const keysMax = 256;

/** Decides which of many equal reports are worth a line in the log: the first, and then one per window. */
export class RepeatFilter {
  readonly #windowMs: number;
  readonly #seen = new Map<string, number>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** True when this report should be written. */
  admits(key: string, nowMs: number): boolean {
    const last = this.#seen.get(key);
    if (last !== undefined && nowMs - last < this.#windowMs) return false;
    this.#seen.delete(key);
    this.#seen.set(key, nowMs);
    if (this.#seen.size > keysMax) this.#seen.delete(this.#seen.keys().next().value as string);
    return true;
  }
}
