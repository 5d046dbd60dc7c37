import type { TurnEnd } from '../env/turn.ts';
import type { EventLoop } from './event-loop.ts';
import type { SeededRandom } from './seeded-random.ts';

/** More turns than this behind one event never end. */
const turnsPerEvent = 10_000;

/**
 * One life of a process. Everything that reaches it comes through `enter`: nothing once it is dead, later while it is
 * paused. Behind each input its turn ends, at once or, as when more input waits, a little later.
 */
export class Process {
  alive = true;
  /** Something ran in it since this was last set to false: else nothing of its state can have changed. */
  ran = true;
  readonly turnEnd: TurnEnd;
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #failed: (error: Error) => void;
  readonly #afterInput: () => void;
  #paused = false;
  /** What arrived during a pause, in order for each source. */
  readonly #backlog = new Map<object, (() => void)[]>();
  #turnEnds: (() => void)[] = [];
  #turnScheduled = false;
  #turnMissed = false;
  #inside = false;

  /**
   * @param failed something was thrown that nobody caught
   * @param afterInput called behind each input that waited for the end of a pause: they all come within one event
   */
  constructor(
    loop: EventLoop,
    random: SeededRandom,
    failed: (error: Error) => void,
    afterInput: () => void = () => {},
  ) {
    this.#loop = loop;
    this.#random = random;
    this.#failed = failed;
    this.#afterInput = afterInput;
    this.turnEnd = {
      schedule: (callback) => {
        this.#turnEnds.push(callback);
        if (!this.#inside) this.#scheduleTurn(0);
      },
    };
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Input. What comes from one source (a connection, say) keeps its order; without one it has no order to keep. */
  enter(work: () => void, source: object = work): void {
    if (!this.alive) return;
    if (this.#paused) {
      const waiting = this.#backlog.get(source);
      if (waiting === undefined) this.#backlog.set(source, [work]);
      else waiting.push(work);
      return;
    }
    this.#guarded(work);
    if (this.#turnEnds.length === 0 || this.#turnScheduled) return;
    if (this.#random.chance(0.7)) this.#runTurns();
    else this.#scheduleTurn(this.#random.between(0, 0.4));
  }

  /** Calls `work` after a while of real time, as a timer does. */
  after(delayMs: number, work: () => void, source: object = work): void {
    this.#loop.after(delayMs, () => this.enter(work, source));
  }

  #guarded(work: () => void): void {
    this.#inside = true;
    this.ran = true;
    try {
      work();
    } catch (error) {
      this.alive = false;
      this.#failed(error as Error);
    } finally {
      this.#inside = false;
    }
  }

  #scheduleTurn(delayMs: number): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#loop.after(delayMs, () => this.#turnIsDue());
  }

  #turnIsDue(): void {
    if (!this.alive) return;
    this.#turnScheduled = false;
    if (this.#paused) this.#turnMissed = true;
    else this.#runTurns();
  }

  #runTurns(): void {
    for (let turn = 0; this.#turnEnds.length > 0; turn++) {
      if (turn > turnsPerEvent) {
        this.alive = false;
        this.#failed(new Error('turns follow one another without an end'));
        return;
      }
      const callbacks = this.#turnEnds;
      this.#turnEnds = [];
      for (const callback of callbacks) if (this.alive) this.#guarded(callback);
      if (!this.alive) return;
    }
  }

  /** The process stands still, as under SIGSTOP; what arrives waits. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const backlog = [...this.#backlog.values()];
    this.#backlog.clear();
    if (this.#turnMissed) this.#scheduleTurn(0);
    this.#turnMissed = false;
    while (backlog.length > 0) {
      const at = this.#random.below(backlog.length);
      const source = backlog[at] as (() => void)[];
      this.enter(source.shift() as () => void);
      this.#afterInput();
      if (source.length === 0) backlog.splice(at, 1);
    }
  }
}
