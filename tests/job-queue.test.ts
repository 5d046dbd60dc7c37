import { afterEach, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { rounds, until } from './support/wait.ts';

const queue = '{jobs}:list';
const priorities = '{jobs}:by-priority';
let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** One connection that goes where the leader is, and never sends a command twice. */
class Hand {
  /** Commands whose outcome is not known. */
  unknown = 0;
  readonly #ports: readonly number[];
  #client: RawClient | null = null;
  #next = 0;

  constructor(ports: readonly number[], first: number) {
    this.#ports = ports;
    this.#next = first;
  }

  /** The reply; null when there is none, or one that says that nothing was done. */
  async ask(...command: string[]): Promise<unknown> {
    const port = this.#ports[this.#next % this.#ports.length] as number;
    this.#client ??= await RawClient.connect(port).catch(() => null);
    if (this.#client === null) {
      this.#next += 1;
      return null;
    }
    try {
      const { value } = await this.#client.command(...command);
      if (!(value instanceof ReplyError)) return value;
      if (value.message.startsWith('ACKTIMEOUT')) this.unknown += 1;
      const moved = /^MOVED \d+ .*:(\d+)$/.exec(value.message);
      this.#next = moved === null ? this.#next + 1 : this.#ports.indexOf(Number(moved[1]));
    } catch {
      this.unknown += 1;
      this.#next += 1;
    }
    await this.close();
    return null;
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = null;
  }
}

it('hands out every job once to workers that wait for a list or a sorted set, through kills of the leader', async () => {
  const running = await TestCluster.start();
  cluster = running;
  const ports = running.nodes.map(({ port }) => port);
  const producer = new Hand(ports, 0);
  const workers = Array.from({ length: 6 }, (_, i) => new Hand(ports, i));
  const pushed = new Set<string>();
  const done: string[] = [];
  let producing = true;
  let working = true;
  const produce = (async () => {
    for (let i = 0; producing; i++) {
      const name = `job:${i}`;
      const add = i % 2 === 0 ? ['RPUSH', queue, name] : ['ZADD', priorities, String(i % 10), name];
      const reply = await producer.ask(...add);
      if (typeof reply === 'number') pushed.add(name);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const work = workers.map(async (worker, i) => {
    const take = i % 2 === 0 ? ['BLPOP', queue, '0.5'] : ['BZPOPMIN', priorities, '0.5'];
    while (working) {
      const reply = await worker.ask(...take);
      if (Array.isArray(reply)) done.push(String(reply[1]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  for (let round = 0; round < rounds(3); round++) {
    const leader = await running.ready();
    const before = done.length;
    await until('jobs are done', () => done.length > before + 50 + Math.random() * 100);
    await leader.kill();
    leader.start();
  }
  const before = done.length;
  await until('jobs are done again', () => done.length > before + 50);
  producing = false;
  await produce;
  const reader = new Hand(ports, 0);
  await until('all jobs are taken', async () => (await reader.ask('EXISTS', queue, priorities)) === 0);
  working = false;
  await Promise.all(work);
  expect(new Set(done).size).toBe(done.length);
  // A job that was pushed and never arrived was taken by a worker who did not hear of it.
  const missing = [...pushed].filter((job) => !done.includes(job));
  const unheard = workers.reduce((sum, { unknown }) => sum + unknown, 0);
  expect(missing.length).toBeLessThanOrEqual(unheard);
  await Promise.all([producer, reader, ...workers].map((hand) => hand.close()));
});
