import type { Done } from '../env/disk.ts';

/** Zeroed at once: one step. */
const headStartBytes = 1 << 20;
/** Bytes zeroed in the next segment for each byte that the current one takes. */
const zeroedPerByte = 1.5;

/**
 * How fast the next segment is zeroed: in step with what the log takes, and done when two thirds of the current
 * segment are full. All nodes of a cluster fill their segments together; zeroing at full speed, they all kept the disk
 * from the log's own writes at the same moment.
 */
export class ZeroingPace {
  /** The log was closed: whoever zeroes is to stop. */
  closed = false;
  /** The log waits for the segment. */
  #hurried = false;
  /** Bytes that the current segment has taken. */
  #taken = 0;
  #zeroed = 0;
  #waiting: Done | null = null;

  /** Another segment is begun. */
  begin(): void {
    this.#hurried = false;
  }

  mayGoOn(zeroed: number): boolean {
    this.#zeroed = zeroed;
    return this.closed || this.#hurried || zeroed < headStartBytes + this.#taken * zeroedPerByte;
  }

  /** Answers once more may be zeroed; `mayGoOn` has just said no. */
  wait(done: Done): void {
    this.#waiting = done;
  }

  taken(bytes: number): void {
    this.#taken = bytes;
    this.#wake();
  }

  hurry(): void {
    this.#hurried = true;
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  #wake(): void {
    const done = this.#waiting;
    if (done === null || !this.mayGoOn(this.#zeroed)) return;
    this.#waiting = null;
    done(null);
  }
}
