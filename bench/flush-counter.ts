import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Writable } from 'node:stream';
import { findProgram } from './processes.ts';

const events = ['fsync', 'fdatasync', 'sync_file_range'].map((name) => `syscalls:sys_enter_${name}`);
const readyMs = 700;

/** Counts that `perf stat -x,` printed, summed; null when one of them was not counted. */
export function sumOfCounts(text: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    const [count, , event] = line.split(',');
    if (event === undefined || !event.startsWith('syscalls:')) continue;
    if (!/^\d+$/.test(count as string)) return null;
    sum = (sum ?? 0) + Number(count);
  }
  return sum;
}

let usable: boolean | null = null;

function tryPerf(): boolean {
  const perf = findProgram('perf');
  if (perf === null) return false;
  const { stderr } = spawnSync(perf, ['stat', '-x,', '-e', events.join(','), 'true'], { encoding: 'utf8' });
  return sumOfCounts(stderr) !== null;
}

/** Whether this machine lets us count system calls of other processes without slowing them. */
export function canCountFlushes(): boolean {
  usable ??= tryPerf();
  return usable;
}

/**
 * Counts the flushes that processes ask the system for, with the kernel's own counters (perf): they cost the counted
 * processes next to nothing, unlike tracing.
 */
export class FlushCounter {
  readonly #perf: ChildProcess;
  #output = '';

  private constructor(pids: readonly number[]) {
    this.#perf = spawn(
      findProgram('perf') as string,
      ['stat', '-x,', '-e', events.join(','), '-p', pids.join(','), '-D', '-1', '--control', 'fd:3'],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
    );
    this.#perf.stderr?.setEncoding('utf8');
    this.#perf.stderr?.on('data', (text: string) => {
      this.#output += text;
    });
    this.#perf.on('error', () => undefined);
    this.#control.on('error', () => undefined);
  }

  get #control(): Writable {
    return this.#perf.stdio[3] as Writable;
  }

  /** Attached and not counting yet; null when this machine cannot. */
  static async attach(pids: readonly number[]): Promise<FlushCounter | null> {
    if (!canCountFlushes()) return null;
    const counter = new FlushCounter(pids);
    // It says nothing when it is attached.
    await new Promise((resolve) => setTimeout(resolve, readyMs));
    return counter;
  }

  begin(): void {
    this.#control.write('enable\n');
  }

  end(): void {
    this.#control.write('disable\n');
  }

  /** How many between `begin` and `end`. */
  async result(): Promise<number | null> {
    if (this.#perf.exitCode === null && this.#perf.signalCode === null) {
      const exited = new Promise((resolve) => this.#perf.once('close', resolve));
      // What was told by `end` is read before the signal is seen.
      setTimeout(() => this.#perf.kill('SIGINT'), 100);
      await exited;
    }
    return sumOfCounts(this.#output);
  }
}
