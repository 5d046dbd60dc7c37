import type { NodeId } from '../core/types.ts';
import type { EventLoop } from './event-loop.ts';
import type { SeededRandom } from './seeded-random.ts';

interface Path {
  /** How many faults block it now. */
  blocks: number;
  /** What clogs it adds, in ms; several may be at work. */
  clogMs: number;
  opened: (() => void)[];
}

/** The way from each node to each other one: how long packets take, and whether they arrive at all. */
export class NetworkPaths {
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #paths = new Map<string, Path>();
  readonly #usualMs: number;

  constructor(loop: EventLoop, random: SeededRandom) {
    this.#loop = loop;
    this.#random = random;
    this.#usualMs = random.pick([0.1, 0.3, 1, 5]);
  }

  #path(from: NodeId, to: NodeId): Path {
    const name = `${from} ${to}`;
    let path = this.#paths.get(name);
    if (path === undefined) {
      path = { blocks: 0, clogMs: 0, opened: [] };
      this.#paths.set(name, path);
    }
    return path;
  }

  isOpen(from: NodeId, to: NodeId): boolean {
    return this.#path(from, to).blocks === 0;
  }

  bothWaysOpen(a: NodeId, b: NodeId): boolean {
    return this.isOpen(a, b) && this.isOpen(b, a);
  }

  /** How long the next packet takes, in ms. */
  delayMs(from: NodeId, to: NodeId): number {
    const { clogMs } = this.#path(from, to);
    const usual = this.#usualMs * (0.5 + this.#random.float());
    const late = this.#random.chance(0.01) ? this.#random.between(0, 20) : 0;
    return usual + late + (clogMs === 0 ? 0 : clogMs * this.#random.between(0.5, 1.5));
  }

  block(from: NodeId, to: NodeId): void {
    this.#path(from, to).blocks += 1;
  }

  /** What was held up is sent again after a while, as TCP does it. */
  unblock(from: NodeId, to: NodeId): void {
    const path = this.#path(from, to);
    path.blocks -= 1;
    if (path.blocks > 0) return;
    const opened = path.opened;
    path.opened = [];
    for (const run of opened) this.#loop.after(this.#random.between(0, 200), run);
  }

  /** Calls back, later, once the path is open again. */
  whenOpen(from: NodeId, to: NodeId, run: () => void): void {
    this.#path(from, to).opened.push(run);
  }

  clog(from: NodeId, to: NodeId, addMs: number): void {
    this.#path(from, to).clogMs += addMs;
  }

  unclog(from: NodeId, to: NodeId, addMs: number): void {
    this.#path(from, to).clogMs -= addMs;
  }
}
