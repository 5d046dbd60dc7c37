import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandSource, shownState } from '../support/random/command-source.ts';
import { compareRun } from '../support/random/comparison.ts';
import { MangledSource } from '../support/random/mangled-source.ts';
import { shrink } from '../support/random/shrink.ts';
import { sendAndEnd } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';
import type { Step } from '../support/redis-script.ts';
import { show } from '../support/redis-script.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';
import { rounds } from '../support/wait.ts';

/** To look at one again, or for others: BELLWETHER_RANDOM_SEED in the environment. */
const { BELLWETHER_RANDOM_SEED: ownSeed } = process.env;
const seeds = ownSeed === undefined ? Array.from({ length: rounds(8) }, (_, i) => i + 1) : [Number(ownSeed)];
const commandsPerSeed = 1500;
const mangledPerSeed = 250;
/** The whole state is compared after so many commands. */
const stateEvery = 100;
/** Time for looking for fewer commands that show the same, in ms. */
const shrinkMs = 60_000;

const absent = redisServerVersion() === null;
if (absent)
  console.log('SKIPPED: no redis-server is on PATH, so no random commands were compared with Redis.');
else
  console.log(
    `${seeds.length * commandsPerSeed} random commands beside Redis, seeds ${seeds[0]} to ${seeds.at(-1)}`,
  );

/** Random commands, and what they left. */
function draw(seed: number): Step[] {
  const source = new CommandSource(seed);
  const steps: Step[] = [];
  for (let i = 1; i <= commandsPerSeed; i++) {
    steps.push(source.next());
    if (i % stateEvery === 0 || i === commandsPerSeed) steps.push(...shownState());
  }
  return steps;
}

describe.skipIf(absent)('random commands', () => {
  let running: ServerProcess[] = [];

  beforeAll(async () => {
    running = await Promise.all([startRedis(), startRival()]);
  });

  afterAll(() => Promise.all(running.map((server) => server.stop())));

  it.each(seeds)('give the same replies and leave the same state, seed %i', async (seed) => {
    const ports = running.map(({ port }) => port) as [number, number];
    const steps = draw(seed);
    const found = await compareRun(ports, steps);
    if (found === null) return;
    const { at, redis, bellwether } = found;
    const failsAtEnd = async (fewer: readonly Step[]): Promise<boolean> =>
      (await compareRun(ports, fewer))?.at === fewer.length - 1;
    const shortest = await shrink(steps.slice(0, at + 1), failsAtEnd, Date.now() + shrinkMs);
    expect.fail(
      `seed ${seed}, step ${at}: Redis ${show(redis.wire)}, Bellwether ${show(bellwether.wire)}; these do the same:\n  ${shortest
        .map(({ text }) => text)
        .join('\n  ')}\nBellwether's log ends with\n${running[1]?.output()}`,
    );
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
