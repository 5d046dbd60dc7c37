import type { Clock } from '../env/clock.ts';
import type { EventLoop } from './event-loop.ts';

const epochMs = 1_700_000_000_000;

/** One machine's clocks: slightly fast or slow, or much, as faults want it, and a wall clock that faults may move. */
export class SimClock implements Clock {
  /** How far the wall clock is off, in ms. */
  wallErrorMs = 0;
  readonly #loop: EventLoop;
  readonly #usualRate: number;
  readonly #originMs: number;
  /** Multiplied into the rate, one for each fault at work. */
  readonly #drifts: number[] = [];
  #rate: number;
  /** What this clock had counted when its rate last changed, and when that was. */
  #countedMs = 0;
  #sinceMs = 0;

  /** @param rate seconds of this clock in a real second */
  constructor(loop: EventLoop, rate: number, originMs: number) {
    this.#loop = loop;
    this.#usualRate = rate;
    this.#rate = rate;
    this.#originMs = originMs;
  }

  /** Real milliseconds as this clock counts them. */
  get #elapsedMs(): number {
    return this.#countedMs + (this.#loop.nowMs - this.#sinceMs) * this.#rate;
  }

  monotonicMs(): number {
    return this.#originMs + this.#elapsedMs;
  }

  wallMs(): number {
    return epochMs + this.#elapsedMs + this.wallErrorMs;
  }

  /** Runs this many times as fast until the function that it returns is called. */
  drift(factor: number): () => void {
    this.#drifts.push(factor);
    this.#changeRate();
    return () => {
      this.#drifts.splice(this.#drifts.indexOf(factor), 1);
      this.#changeRate();
    };
  }

  /** Of several faults the one that makes it slowest or fastest counts: together they stay within what each may do. */
  #changeRate(): void {
    this.#countedMs = this.#elapsedMs;
    this.#sinceMs = this.#loop.nowMs;
    let factor = 1;
    for (const drift of this.#drifts) if (Math.abs(drift - 1) > Math.abs(factor - 1)) factor = drift;
    this.#rate = this.#usualRate * factor;
  }
}
