import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { findProgram } from './processes.ts';

const attachMs = 5000;
/** Threads that wait for each other: how often is up to the scheduler and the collector of garbage. */
const uncounted = new Set(['futex', 'sched_yield']);

/** System calls in what `strace -c` printed; null when there is no such table. */
export function countedCalls(text: string): number | null {
  let sum: number | null = null;
  for (const line of text.split('\n')) {
    const match = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z]\w*)\s*$/.exec(line);
    if (match === null || match[2] === 'total') continue;
    if (!uncounted.has(match[2] as string)) sum = (sum ?? 0) + Number(match[1]);
  }
  return sum;
}

/** Why system calls cannot be counted here; null when they can. */
export function cannotTrace(): string | null {
  const strace = findProgram('strace');
  if (strace === null) return 'strace is not installed';
  const sleeper = spawn('sleep', ['10'], { stdio: 'ignore' });
  try {
    const { stderr } = spawnSync('timeout', ['-s', 'INT', '1', strace, '-c', '-f', '-p', `${sleeper.pid}`], {
      encoding: 'utf8',
    });
    return stderr.includes('attached') ? null : `strace may not look into other processes (${stderr.trim()})`;
  } finally {
    sleeper.kill();
  }
}

/** Counts the system calls of processes, all threads included, from `attach` to `stop`. It slows them down. */
export class CallCounter {
  readonly #tracers: readonly ChildProcess[];
  #output = '';

  private constructor(pids: readonly number[]) {
    const strace = findProgram('strace') as string;
    this.#tracers = pids.map((pid) => {
      const tracer = spawn(strace, ['-c', '-f', '-p', `${pid}`], { stdio: ['ignore', 'ignore', 'pipe'] });
      tracer.stderr?.setEncoding('utf8');
      tracer.stderr?.on('data', (text: string) => {
        this.#output += text;
      });
      return tracer;
    });
  }

  static async attach(pids: readonly number[]): Promise<CallCounter> {
    const counter = new CallCounter(pids);
    const endMs = performance.now() + attachMs;
    const attached = (): number => counter.#output.split(' attached').length - 1;
    while (attached() < pids.length && performance.now() < endMs)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return counter;
  }

  async stop(): Promise<number | null> {
    await Promise.all(
      this.#tracers.map(
        (tracer) =>
          new Promise<void>((resolve) => {
            tracer.once('close', () => resolve());
            tracer.kill('SIGINT');
          }),
      ),
    );
    return countedCalls(this.#output);
  }
}
