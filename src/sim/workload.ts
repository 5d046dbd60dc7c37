import type { EventLoop } from './event-loop.ts';
import type { Request } from './history.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimClient } from './sim-client.ts';

/** Which keys there are, and how often clients ask for what. */
export class Workload {
  readonly keys: readonly string[];
  /** Keys that are only set and read. */
  readonly #registers: readonly string[];
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #thinkMs: number;
  #value = 0;
  #running = true;

  constructor(loop: EventLoop, random: SeededRandom) {
    this.#loop = loop;
    this.#random = random;
    const registers = 1 + random.below(5);
    const counters = 1 + random.below(3);
    this.keys = [
      ...Array.from({ length: registers }, (_, i) => `register${i}`),
      ...Array.from({ length: counters }, (_, i) => `counter${i}`),
      'erasable0',
      'erasable1',
    ];
    this.#registers = this.keys.slice(0, registers);
    this.#thinkMs = random.pick([5, 20, 60]);
  }

  stop(): void {
    this.#running = false;
  }

  /** Lets a client ask one thing after the other. */
  run(client: SimClient): void {
    if (!this.#running) return;
    client.request(this.#next(client), () => {
      // Clients that wait for no copies write faster, and long tails are lost with their leader.
      const thinkMs = client.believes ? this.#thinkMs : 4;
      this.#loop.after(this.#random.between(0, 2 * thinkMs), () => this.run(client));
    });
  }

  #next(client: SimClient): Request {
    const key = this.#random.pick(client.believes ? this.keys : this.#registers);
    if (this.#random.chance(client.reads)) return { key, kind: 'get', value: '' };
    if (key.startsWith('counter')) return { key, kind: 'incr', value: '' };
    if (key.startsWith('erasable') && this.#random.chance(0.4)) return { key, kind: 'del', value: '' };
    const padding = this.#random.chance(0.05) ? 'x'.repeat(this.#random.below(6000)) : '';
    return { key, kind: 'set', value: `v${++this.#value}${padding}` };
  }
}
