import type { Clock } from '../env/clock.ts';
import type { Disk } from '../env/disk.ts';
import type { Random } from '../env/random.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import type { DiskFault, DiskOperation } from '../sim/memory-disk.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { Batch, BatchBuilder, entryKind } from './batch.ts';
import type { OpenedLog } from './node-log.ts';
import { openNodeLog } from './node-log.ts';
import type { NodeLog, NodeLogOptions } from './types.ts';

export const smallOptions: NodeLogOptions = {
  segmentBytes: 64 << 10,
  cacheBytes: 1 << 20,
  retentionBytes: 1 << 30,
  retentionMs: 1e9,
  reserveBytes: 0,
};

/** Repeatable randomness (mulberry32). */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  float(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }
}

export class HandClock implements Clock {
  nowMs = 1_000;

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }
}

/** A memory disk whose operations complete when the test says so, in order. */
export class HandDisk {
  disk: MemoryDisk;
  readonly waiting: { complete: () => void; operation: DiskOperation }[] = [];
  fault: (operation: DiskOperation) => DiskFault | null = () => null;

  constructor(
    make: (options: ConstructorParameters<typeof MemoryDisk>[0]) => MemoryDisk = (o) => new MemoryDisk(o),
  ) {
    this.disk = make({
      schedule: (complete, operation) => this.waiting.push({ complete, operation }),
      fault: (operation) => this.fault(operation),
    });
  }

  /** Completes the oldest operation; false when none is on its way. */
  step(): boolean {
    const next = this.waiting.shift();
    next?.complete();
    return next !== undefined;
  }

  /** Completes operations until none is left. */
  settle(): void {
    while (this.step());
  }

  run<T>(task: Task<T>): T {
    let outcome: { error: Error | null; value: T | undefined } | null = null;
    runTask(task, (error, value) => {
      outcome = { error, value };
    });
    while (outcome === null && this.step());
    const ended = outcome as { error: Error | null; value: T | undefined } | null;
    if (ended === null) throw new Error('the task waits for something that does not come');
    if (ended.error !== null) throw ended.error;
    return ended.value as T;
  }

  /** After power was lost: a disk with one of the states that may be left. */
  crashed(random: Random): HandDisk {
    return new HandDisk((options) => this.disk.afterCrash(random, options));
  }

  killed(): HandDisk {
    return new HandDisk((options) => this.disk.afterKill(options));
  }
}

export interface Opened extends OpenedLog {
  readonly latched: Error[];
  readonly spaceShort: boolean[];
  readonly clock: HandClock;
}

export function openOn(hand: HandDisk, changes: Partial<NodeLogOptions> = {}): Opened {
  const latched: Error[] = [];
  const spaceShort: boolean[] = [];
  const clock = new HandClock();
  const listener = {
    latched: (error: Error) => latched.push(error),
    spaceShort: (short: boolean) => spaceShort.push(short),
  };
  const disk: Disk = hand.disk;
  const opened = hand.run(openNodeLog(disk, 'log', { ...smallOptions, ...changes }, clock, listener));
  return { ...opened, latched, spaceShort, clock };
}

export function batchOf(shard: number, term: number, firstLsn: number, payloads: readonly string[]): Batch {
  const builder = new BatchBuilder(shard, 4096);
  for (const payload of payloads) {
    builder.begin(entryKind.effects, 0);
    builder.payload.raw(payload);
    builder.end();
  }
  return Batch.parse(Buffer.from(builder.seal(term, firstLsn, 1_700_000_000_000).bytes));
}

export function payloadsOf(batches: readonly Batch[]): string[] {
  const found: string[] = [];
  for (const batch of batches) {
    for (const entry of batch.entries()) found.push(batch.bytes.latin1Slice(entry.start, entry.end));
  }
  return found;
}

/** Everything from `lsn` on, read from disk in pieces. */
export function readAll(hand: HandDisk, log: NodeLog, shard: number, lsn: number): Batch[] {
  const all: Batch[] = [];
  for (let next = lsn; ; ) {
    let answer: { error: Error | null; batches: Batch[] } | null = null;
    log.read(shard, next, 10_000, (error, batches) => {
      answer = { error, batches };
    });
    while (answer === null && hand.step());
    const { error, batches } = answer as unknown as { error: Error | null; batches: Batch[] };
    if (error !== null) throw error;
    if (batches.length === 0) return all;
    all.push(...batches);
    next = (batches[batches.length - 1] as Batch).lastLsn + 1;
  }
}
