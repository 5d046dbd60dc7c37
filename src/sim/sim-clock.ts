import type { Clock } from '../env/clock.ts';
import type { EventLoop } from './event-loop.ts';

const epochMs = 1_700_000_000_000;

/** One machine's clocks: slightly fast or slow, and a wall clock that faults may move. */
export class SimClock implements Clock {
  /** How far the wall clock is off, in ms. */
  wallErrorMs = 0;
  readonly #loop: EventLoop;
  readonly #rate: number;
  readonly #originMs: number;

  /** @param rate seconds of this clock in a real second */
  constructor(loop: EventLoop, rate: number, originMs: number) {
    this.#loop = loop;
    this.#rate = rate;
    this.#originMs = originMs;
  }

  monotonicMs(): number {
    return this.#originMs + this.#loop.nowMs * this.#rate;
  }

  wallMs(): number {
    return epochMs + this.#loop.nowMs * this.#rate + this.wallErrorMs;
  }
}
