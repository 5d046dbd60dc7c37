import { afterEach, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { rounds, until } from './support/wait.ts';

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** Increments one counter and never sends a command twice. */
class Counter {
  readonly key: string;
  readonly answers: number[] = [];
  /** Sent, and not answered. */
  unknown = 0;
  /** Answered with an error that promises that nothing was executed. */
  refused = 0;
  #client: RawClient | null = null;
  #next = 0;

  constructor(key: string) {
    this.key = key;
  }

  async step(ports: readonly number[]): Promise<void> {
    this.#client ??= await this.#connect(ports);
    if (this.#client === null) return;
    try {
      const { value } = await this.#client.command('INCR', this.key);
      if (typeof value === 'number') this.answers.push(value);
      else if (value instanceof ReplyError) await this.#refusal(value.message);
    } catch {
      this.unknown += 1;
      await this.#drop();
    }
  }

  async #refusal(message: string): Promise<void> {
    if (message.startsWith('ACKTIMEOUT')) this.unknown += 1;
    else this.refused += 1;
    const moved = /^MOVED \d+ .*:(\d+)$/.exec(message);
    await this.#drop();
    if (moved !== null) this.#client = await RawClient.connect(Number(moved[1])).catch(() => null);
  }

  async #connect(ports: readonly number[]): Promise<RawClient | null> {
    return await RawClient.connect(ports[this.#next++ % ports.length] as number).catch(() => null);
  }

  async #drop(): Promise<void> {
    await this.#client?.close();
    this.#client = null;
  }

  close = (): Promise<void> => this.#drop();
}

it('executes every acknowledged increment exactly once through kills of the leader', async () => {
  cluster = await TestCluster.start();
  const ports = cluster.nodes.map(({ port }) => port);
  const counters = Array.from({ length: 8 }, (_, i) => new Counter(`counter:${i}`));
  let stopped = false;
  const running = counters.map(async (counter) => {
    while (!stopped) {
      await counter.step(ports);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const answered = (): number => counters.reduce((sum, { answers }) => sum + answers.length, 0);
  for (let round = 0; round < rounds(5); round++) {
    const leader = await cluster.ready();
    const before = answered();
    await until('increments are answered', () => answered() > before + 50 + Math.random() * 100);
    await leader.kill();
    leader.start();
  }
  const before = answered();
  await until('increments are answered again', () => answered() > before + 100);
  stopped = true;
  await Promise.all(running);
  const reader = await RawClient.connect((await cluster.leader()).port);
  for (const { key, answers, unknown, close } of counters) {
    const final = Number((await reader.command('GET', key)).value);
    // Each value was handed out once, in rising order; only what has no answer may be counted besides.
    expect(answers).toEqual([...new Set(answers)].sort((a, b) => a - b));
    expect(final).toBeGreaterThanOrEqual(answers.length);
    expect(final).toBeLessThanOrEqual(answers.length + unknown);
    await close();
  }
  await reader.close();
});
