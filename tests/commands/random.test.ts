import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendAndEnd } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { CommandSource, MangledSource, randomKeys } from '../support/redis-random.ts';
import { startRival } from '../support/redis-rival.ts';
import type { Agreement, Heard, Step } from '../support/redis-script.ts';
import { agrees, parseLine, Side, show } from '../support/redis-script.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';

/** To look for more: BELLWETHER_RANDOM_SEED and BELLWETHER_RANDOM_COMMANDS in the environment. */
const { BELLWETHER_RANDOM_SEED: ownSeed, BELLWETHER_RANDOM_COMMANDS: ownCount } = process.env;
const seeds = ownSeed === undefined ? [1, 2, 3, 4] : [Number(ownSeed)];
const commandsPerSeed = Number(ownCount ?? 1500);
const mangledPerSeed = Number(ownCount ?? 500);
/** The whole state is compared after so many commands. */
const stateEvery = 100;
const shownBefore = 25;

const absent = redisServerVersion() === null;
if (absent)
  console.log('SKIPPED: no redis-server is on PATH, so no random commands were compared with Redis.');

describe.skipIf(absent)('random commands', () => {
  let running: ServerProcess[] = [];

  beforeAll(async () => {
    running = await Promise.all([startRedis(), startRival()]);
  });

  afterAll(() => Promise.all(running.map((server) => server.stop())));

  it.each(seeds)('give the same replies and leave the same state, seed %i', async (seed) => {
    const sides = running.map((server) => new Side(server.port)) as [Side, Side];
    try {
      await new Comparison(sides, seed).run();
    } catch (error) {
      (error as Error).message += `\nBellwether's log ends with\n${running[1]?.output()}`;
      throw error;
    } finally {
      await Promise.all(sides.map((side) => side.close()));
    }
  });

  it.each(seeds)('are answered alike when bytes of them went wrong, seed %i', async (seed) => {
    const [redis, bellwether] = running as [ServerProcess, ServerProcess];
    await Promise.all(running.map(({ port }) => sendAndEnd(port, 'FLUSHALL\r\n')));
    const source = new MangledSource(seed);
    for (let i = 0; i < mangledPerSeed; i++) {
      const text = source.next();
      const [theirs, ours] = await Promise.all([
        sendAndEnd(redis.port, text),
        sendAndEnd(bellwether.port, text),
      ]);
      if (theirs !== ours)
        expect.fail(`seed ${seed}: after ${show(text)} Redis ${show(theirs)}, Bellwether ${show(ours)}`);
    }
  });
});

class Comparison {
  readonly #sides: readonly [Side, Side];
  readonly #seed: number;
  readonly #done: string[] = [];
  /** How the replies of commands that a connection queued must agree. */
  readonly #queued = new Map<string, Agreement[]>();

  constructor(sides: readonly [Side, Side], seed: number) {
    this.#sides = sides;
    this.#seed = seed;
  }

  async run(): Promise<void> {
    await this.#perform(parseLine('z> FLUSHALL'));
    const source = new CommandSource(this.#seed);
    for (let i = 1; i <= commandsPerSeed; i++) {
      await this.#perform(source.next());
      if (i % stateEvery === 0 || i === commandsPerSeed) await this.#compareStates();
    }
  }

  async #compareStates(): Promise<void> {
    // Not DBSIZE: Redis counts keys that have expired until it comes across them.
    await this.#perform(parseLine('z> * KEYS *'));
    for (const key of randomKeys) {
      const name = JSON.stringify(key).replace(/\\u00/g, '\\x').replace('\xff', '\\xff');
      for (const line of [`z> GET ${name}`, `z> ~ PEXPIRETIME ${name}`]) await this.#perform(parseLine(line));
    }
  }

  async #perform(step: Step): Promise<void> {
    const [redis, bellwether] = await Promise.all([
      this.#sides[0].perform(step),
      this.#sides[1].perform(step),
    ]);
    this.#done.push(step.text);
    if (!this.#agree(step, redis, bellwether)) {
      const before = this.#done.slice(-shownBefore).join('\n  ');
      expect.fail(
        `seed ${this.#seed}, command ${this.#done.length}: Redis ${show(redis.wire)}, Bellwether ${show(bellwether.wire)}, after\n  ${before}\n`,
      );
    }
    if (redis.wire === '+QUEUED\r\n') this.#queue(step.connection).push(step.agreement);
  }

  #queue(connection: string): Agreement[] {
    const queue = this.#queued.get(connection) ?? [];
    this.#queued.set(connection, queue);
    return queue;
  }

  #agree(step: Step, redis: Heard, bellwether: Heard): boolean {
    if (/^\w> multi$/i.test(step.text) && redis.wire === '+OK\r\n') this.#queued.delete(step.connection);
    if (agrees(step.agreement, redis, bellwether)) return true;
    const queue = this.#queue(step.connection);
    if (!Array.isArray(redis.value) || !Array.isArray(bellwether.value) || queue.length === 0) return false;
    const others = bellwether.value;
    return (
      /^\w> exec\b/i.test(step.text) &&
      redis.value.length === others.length &&
      redis.value.every((value, i) => {
        const agreement = queue[i] ?? 'exact';
        if (agreement === 'kind') return true;
        return agrees(
          agreement,
          { wire: JSON.stringify(value), value },
          { wire: JSON.stringify(others[i]), value: others[i] ?? null },
        );
      })
    );
  }
}
