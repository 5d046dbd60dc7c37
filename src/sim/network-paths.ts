import type { NodeId } from '../core/types.ts';
import type { EventLoop } from './event-loop.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Something that holds up or slows packets, and is told when it did. */
interface Obstacle {
  readonly addMs: number;
  readonly hit: () => void;
}

interface Path {
  readonly blocks: Set<Obstacle>;
  readonly clogs: Set<Obstacle>;
  opened: (() => void)[];
}

/** The way from each node to each other one: how long packets take, and whether they arrive at all. */
export class NetworkPaths {
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #paths = new Map<NodeId, Map<NodeId, Path>>();
  readonly #usualMs: number;

  constructor(loop: EventLoop, random: SeededRandom) {
    this.#loop = loop;
    this.#random = random;
    this.#usualMs = random.pick([0.1, 0.3, 1, 5]);
  }

  #path(from: NodeId, to: NodeId): Path {
    let paths = this.#paths.get(from);
    if (paths === undefined) {
      paths = new Map();
      this.#paths.set(from, paths);
    }
    let path = paths.get(to);
    if (path === undefined) {
      path = { blocks: new Set(), clogs: new Set(), opened: [] };
      paths.set(to, path);
    }
    return path;
  }

  isOpen(from: NodeId, to: NodeId): boolean {
    return this.#path(from, to).blocks.size === 0;
  }

  bothWaysOpen(a: NodeId, b: NodeId): boolean {
    return this.isOpen(a, b) && this.isOpen(b, a);
  }

  /** How long the next packet takes, in ms. */
  delayMs(from: NodeId, to: NodeId): number {
    const usual = this.#usualMs * (0.5 + this.#random.float());
    const late = this.#random.chance(0.01) ? this.#random.between(0, 20) : 0;
    let clogMs = 0;
    for (const clog of this.#path(from, to).clogs) {
      clogMs += clog.addMs;
      clog.hit();
    }
    return usual + late + (clogMs === 0 ? 0 : clogMs * this.#random.between(0.5, 1.5));
  }

  /** Blocks a path until the function that it returns is called; `hit` hears that something was held up. */
  block(from: NodeId, to: NodeId, hit: () => void): () => void {
    const path = this.#path(from, to);
    const obstacle = { addMs: 0, hit };
    path.blocks.add(obstacle);
    return () => {
      if (path.blocks.delete(obstacle) && path.blocks.size === 0) this.#opened(path);
    };
  }

  /** What was held up is sent again after a while, as TCP does it. */
  #opened(path: Path): void {
    const opened = path.opened;
    path.opened = [];
    for (const run of opened) this.#loop.after(this.#random.between(0, 200), run);
  }

  /** Something could not pass between two nodes: tells what is in its way. */
  refused(a: NodeId, b: NodeId): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      for (const obstacle of this.#path(from, to).blocks) obstacle.hit();
  }

  /** Calls back, later, once the path is open again. */
  whenOpen(from: NodeId, to: NodeId, run: () => void): void {
    const path = this.#path(from, to);
    for (const obstacle of path.blocks) obstacle.hit();
    path.opened.push(run);
  }

  /** Slows a path until the function that it returns is called. */
  clog(from: NodeId, to: NodeId, addMs: number, hit: () => void): () => void {
    const { clogs } = this.#path(from, to);
    const obstacle = { addMs, hit };
    clogs.add(obstacle);
    return () => {
      clogs.delete(obstacle);
    };
  }
}
