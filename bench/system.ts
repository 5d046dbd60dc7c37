import type { LoadWindow } from '../src/cli/bench-load.ts';
import type { LatencyHistogram } from '../src/cli/latency-histogram.ts';

/** One load that every system is put under. */
export interface Row {
  /** What `--only` names. */
  readonly name: string;
  readonly title: string;
  readonly kind: 'set' | 'get' | 'mixed';
  readonly connections: number;
  readonly pipeline: number;
  readonly valueBytes: number;
  /** Who is measured; the first one is compared with the others. */
  readonly systems: readonly string[];
  /** What the ratios ought to be, as the project's aims state it. */
  readonly aim: string;
}

export interface DriveOptions {
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** For the open loop: requests per second. */
  readonly ratePerSecond: number;
}

/** What the load saw. */
export interface Driven {
  readonly operations: number;
  readonly seconds: number;
  readonly latency: LatencyHistogram;
  /** Latencies of the writes alone, where the load mixes them with reads. */
  readonly writeLatency: LatencyHistogram | null;
  /** How late the generator itself was, in the open loop. */
  readonly lateness: LatencyHistogram | null;
}

/** A system that was started for one measurement. */
export interface Running {
  /** Its server processes; their children count too. */
  readonly pids: readonly number[];
  /** Puts it under load and checks every reply; throws when one is not as it must be. */
  drive(row: Row, options: DriveOptions, window: LoadWindow): Promise<Driven>;
  /** Durable writes since the start over all its servers, counted by the system itself; null when it does not count. */
  flushes(): Promise<number | null>;
  /** Throws when one of its processes ended. */
  check(): void;
  stop(): Promise<void>;
}

export interface System {
  readonly name: string;
  /** How it is set up, so that readers see that the guarantee is the same. */
  readonly guarantee: string;
  /** Why it cannot be measured here; null when it can. */
  missing(): string | null;
  /** Why it takes no part in this row; null when it does. */
  leavesOut(row: Row): string | null;
  /** Starts it with fresh data below `directory`; resolves when it serves with all replicas attached. */
  start(directory: string): Promise<Running>;
}
