import { closeAll, failureOf, type LoadResult, type LoadWindow, openAll } from '../src/cli/bench-load.ts';
import type { Piece } from '../src/cli/bench-pieces.ts';
import type { CheckedConnection, LoadTarget } from '../src/cli/checked-connection.ts';
import { LatencyHistogram } from '../src/cli/latency-histogram.ts';
import { BenchFailure } from './processes.ts';

/** Requests are due at whole milliseconds, so that a timer can keep the plan; those of one are sent together. */
const stepMs = 1;
/** How long what was due is waited for, at least. */
const drainMs = 5000;

/**
 * When each request has to be sent, at a fixed rate whatever the server does. This is what corrects for coordinated
 * omission: a request that waits because the server is slow counts from when it was due, not from when it could be sent.
 */
export class Schedule {
  readonly #perStep: number;
  #steps = 0;
  #taken = 0;

  constructor(ratePerSecond: number) {
    this.#perStep = (ratePerSecond * stepMs) / 1000;
  }

  /** Hands every request that is due by `elapsedMs` to `send`, with the moment at which it was due. */
  takeDue(elapsedMs: number, send: (dueMs: number) => void): void {
    while (this.#steps * stepMs <= elapsedMs) {
      const due = Math.floor((this.#steps + 1) * this.#perStep);
      for (; this.#taken < due; this.#taken++) send(this.#steps * stepMs);
      this.#steps += 1;
    }
  }
}

export interface OpenLoad extends LoadTarget {
  readonly connections: number;
  readonly ratePerSecond: number;
  /** Pieces of one operation each; `kind` tells apart whose latencies are wanted alone. */
  readonly pieces: readonly { readonly piece: Piece; readonly kind: string }[];
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface OpenLoadResult extends LoadResult {
  readonly byKind: ReadonlyMap<string, LatencyHistogram>;
  /** How late requests left although a connection was free: the generator's own share of the latencies. */
  readonly lateness: LatencyHistogram;
}

interface Due {
  readonly dueMs: number;
  readonly index: number;
}

/** What was due while no connection was free, first come first served. */
class DueQueue {
  #items: Due[] = [];
  #from = 0;

  push(due: Due): void {
    this.#items.push(due);
  }

  shift(): Due | undefined {
    const first = this.#items[this.#from];
    if (first === undefined) return undefined;
    this.#from += 1;
    if (this.#from > 1024 && this.#from * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#from);
      this.#from = 0;
    }
    return first;
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends at a fixed rate through a pool of connections; latencies count from when each request was due. */
export async function runOpenLoad(load: OpenLoad, window: LoadWindow): Promise<OpenLoadResult> {
  const { failure, fail } = failureOf();
  const pool = new Pool(load);
  const connections = await openAll(load, load.connections, {
    answered: (connection, operations) => pool.answered(connection, operations),
    idle: (connection) => pool.idle(connection),
    failed: fail,
  });
  try {
    const timer = pool.start(connections);
    try {
      await Promise.race([sleep(load.warmUpMs), failure]);
      pool.fromMs = pool.now;
      window.began();
      await Promise.race([sleep(load.measuredMs), failure]);
      pool.toMs = pool.now;
      window.ended();
    } finally {
      clearInterval(timer);
    }
    const operations = pool.latency.count;
    // What was due in time and is still waited for counts too: leaving it out would hide the slowest.
    await Promise.race([pool.drained(load.measuredMs), failure]);
    const { latency, lateness, byKind, fromMs, toMs } = pool;
    return { operations, seconds: (toMs - fromMs) / 1000, latency, byKind, lateness };
  } finally {
    await closeAll(connections);
  }
}

/** The connections, what is due, and what was measured. Times are ms since the start. */
class Pool {
  fromMs = Number.POSITIVE_INFINITY;
  toMs = Number.POSITIVE_INFINITY;
  readonly latency = new LatencyHistogram();
  readonly lateness = new LatencyHistogram();
  readonly byKind: ReadonlyMap<string, LatencyHistogram>;
  readonly #pieces: OpenLoad['pieces'];
  readonly #ratePerSecond: number;
  readonly #schedule: Schedule;
  readonly #queue = new DueQueue();
  readonly #kinds = new Map<CheckedConnection, string>();
  #free: CheckedConnection[] = [];
  #size = 0;
  #index = 0;
  #startedMs = 0;

  constructor({ pieces, ratePerSecond }: OpenLoad) {
    this.#pieces = pieces;
    this.#ratePerSecond = ratePerSecond;
    this.#schedule = new Schedule(ratePerSecond);
    this.byKind = new Map(pieces.map(({ kind }) => [kind, new LatencyHistogram()]));
  }

  get now(): number {
    return performance.now() - this.#startedMs;
  }

  start(connections: readonly CheckedConnection[]): NodeJS.Timeout {
    this.#free = [...connections];
    this.#size = connections.length;
    this.#startedMs = performance.now();
    return setInterval(() => this.#takeDue(), stepMs);
  }

  answered(connection: CheckedConnection, operations: number): void {
    const { since } = connection;
    if (since < this.fromMs || since >= this.toMs) return;
    const microseconds = (this.now - since) * 1000;
    this.latency.add(microseconds, operations);
    this.byKind.get(this.#kinds.get(connection) as string)?.add(microseconds, operations);
  }

  idle(connection: CheckedConnection): void {
    const due = this.#queue.shift();
    if (due === undefined) this.#free.push(connection);
    else this.#send(connection, due);
    // A timer alone would be late by up to a millisecond.
    if (this.toMs === Number.POSITIVE_INFINITY) this.#takeDue();
  }

  /** Waits until everything that was due is answered. */
  async drained(limitMs: number): Promise<void> {
    const endMs = this.now + Math.max(limitMs, drainMs);
    while (this.#free.length < this.#size) {
      if (this.now > endMs)
        throw new BenchFailure(
          `the server cannot keep up with ${Math.round(this.#ratePerSecond)} requests/s`,
        );
      await sleep(5);
    }
  }

  #takeDue(): void {
    this.#schedule.takeDue(this.now, (dueMs) => {
      const due = { dueMs, index: this.#index++ };
      const connection = this.#free.shift();
      if (connection === undefined) {
        this.#queue.push(due);
        return;
      }
      if (dueMs >= this.fromMs && dueMs < this.toMs) this.lateness.add((this.now - dueMs) * 1000, 1);
      this.#send(connection, due);
    });
  }

  #send(connection: CheckedConnection, { dueMs, index }: Due): void {
    const { piece, kind } = this.#pieces[index % this.#pieces.length] as OpenLoad['pieces'][number];
    this.#kinds.set(connection, kind);
    connection.send(piece, dueMs);
  }
}
