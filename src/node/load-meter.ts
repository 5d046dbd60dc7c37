import type { Logger } from '../env/logger.ts';

const sampleMs = 100;
const samples = 16;
/** A turn that takes this long endangers leases and looks like a dead node to others, ms. */
const stallMs = 100;

/** Watches the node's own pace: commands per second, and turns of the event loop that took too long. */
export class LoadMeter {
  /** Longest delay of a tick since the start, ms. */
  delayMaxMs = 0;
  readonly #logger: Logger;
  readonly #tickMs: number;
  #lastTickMs: number;
  #sampledMs: number;
  #sampled = 0;
  readonly #rates: number[] = [];

  /** @param tickMs how often `tick` is meant to be called */
  constructor(logger: Logger, tickMs: number, now: number) {
    this.#logger = logger;
    this.#tickMs = tickMs;
    this.#lastTickMs = now;
    this.#sampledMs = now;
  }

  /** Commands per second over the last 1.6 s. */
  get commandsPerSecond(): number {
    if (this.#rates.length === 0) return 0;
    return Math.round(this.#rates.reduce((sum, rate) => sum + rate, 0) / this.#rates.length);
  }

  /** @param commands processed since the start */
  tick(now: number, commands: number): void {
    const delayMs = now - this.#lastTickMs - this.#tickMs;
    this.#lastTickMs = now;
    if (delayMs > this.delayMaxMs) this.delayMaxMs = delayMs;
    if (delayMs > stallMs)
      this.#logger.warn({ ms: Math.round(delayMs) }, 'the process stood still: one turn took this long');
    const elapsedMs = now - this.#sampledMs;
    if (elapsedMs < sampleMs) return;
    this.#rates.push(((commands - this.#sampled) * 1000) / elapsedMs);
    if (this.#rates.length > samples) this.#rates.shift();
    this.#sampledMs = now;
    this.#sampled = commands;
  }
}
