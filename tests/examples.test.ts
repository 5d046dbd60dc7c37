import { afterEach, describe, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { until } from './support/wait.ts';

interface RateLimiter {
  allows(user: string): Promise<boolean>;
  close(): void;
}

interface SessionStore {
  create(user: string, data: Readonly<Record<string, string>>): Promise<string>;
  read(id: string): Promise<Record<string, string> | null>;
  end(id: string): Promise<void>;
  close(): void;
}

interface JobList {
  add(job: { readonly name: string }): Promise<void>;
  work(perform: (job: { readonly name: string }) => Promise<void>): Promise<boolean>;
  recover(): Promise<void>;
  close(): void;
}

interface Place {
  readonly player: string;
  readonly score: number;
}

interface Leaderboard {
  report(day: string, player: string, score: number): Promise<void>;
  top(day: string, count: number): Promise<Place[]>;
  rank(day: string, player: string): Promise<number | null>;
  topOf(days: readonly string[], count: number): Promise<Place[]>;
  close(): void;
}

interface Example {
  openRateLimiter(ports: readonly number[], limit: number, windowMs: number): Promise<RateLimiter>;
  openSessionStore(ports: readonly number[], lifeSeconds: number): Promise<SessionStore>;
  openJobList(ports: readonly number[]): Promise<JobList>;
  openLeaderboard(ports: readonly number[]): Promise<Leaderboard>;
}

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

async function start(name: string, library: string): Promise<{ example: Example; ports: number[] }> {
  cluster = await TestCluster.start();
  const file = new URL(`../examples/${name}/${library}.mjs`, import.meta.url);
  return { example: (await import(file.href)) as Example, ports: cluster.nodes.map(({ port }) => port) };
}

/** Repeats `step`, whose errors count as nothing done, until it has succeeded often enough before and after a leader's end. */
async function throughFailover(step: (i: number) => Promise<void>): Promise<void> {
  const running = cluster as TestCluster;
  let succeeded = 0;
  let stopped = false;
  const lane = async (): Promise<void> => {
    for (let i = 0; !stopped; i++) {
      try {
        await step(i);
        succeeded += 1;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const steps = lane();
  await until('it works before the failover', () => succeeded >= 40);
  const leader = await running.leader();
  await leader.kill();
  const before = succeeded;
  await until('it works after the failover', () => succeeded >= before + 40);
  stopped = true;
  await steps;
  leader.start();
  await running.ready();
}

/** What it takes a moment to answer again after a failover. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  return (
    await until('an answer', async () => {
      try {
        return { answer: await ask() };
      } catch {
        return null;
      }
    })
  ).answer;
}

describe.each(['ioredis', 'node-redis'])('written with %s', (library) => {
  it('a rate limiter allows no more than its limit when the leader is killed midway', async () => {
    const { example, ports } = await start('rate-limiter', library);
    const limit = 60;
    // A window that does not end while the test runs.
    const limiter = await example.openRateLimiter(ports, limit, 1e12);
    let allowed = 0;
    await throughFailover(async () => {
      if (await limiter.allows('ann')) allowed += 1;
    });
    expect(allowed).toBeGreaterThanOrEqual(40);
    expect(allowed).toBeLessThanOrEqual(limit);
    expect(await again(() => limiter.allows('bob'))).toBe(true);
    limiter.close();
  });

  it('a session store keeps every session that it has made when the leader is killed midway', async () => {
    const { example, ports } = await start('session-store', library);
    const store = await example.openSessionStore(ports, 1000);
    const made = new Map<string, string>();
    await throughFailover(async (i) => {
      made.set(await store.create(`user${i}`, { language: 'en' }), `user${i}`);
    });
    for (const [id, user] of made)
      expect(await again(() => store.read(id))).toEqual({ user, language: 'en' });
    const [first] = made.keys();
    await again(() => store.end(first as string));
    expect(await store.read(first as string)).toBeNull();
    store.close();
  });

  it('a job list does every job that it has taken on when the leader is killed midway', async () => {
    const { example, ports } = await start('job-list', library);
    const jobs = await example.openJobList(ports);
    const added = new Set<string>();
    const done = new Set<string>();
    const perform = async (job: { readonly name: string }): Promise<void> => void done.add(job.name);
    await throughFailover(async (i) => {
      await jobs.add({ name: `job${i}` });
      added.add(`job${i}`);
      if (i % 2 === 1) await jobs.work(perform);
    });
    expect(done.size).toBeGreaterThan(0);
    await again(() => jobs.recover());
    while (await again(() => jobs.work(perform)));
    expect([...added].filter((name) => !done.has(name))).toEqual([]);
    jobs.close();
  });

  it('a leaderboard keeps every score that it has taken when the leader is killed midway', async () => {
    const { example, ports } = await start('leaderboard', library);
    const board = await example.openLeaderboard(ports);
    const best = new Map<string, number>();
    const days = ['monday', 'tuesday'] as const;
    await throughFailover(async (i) => {
      const player = `player${i % 10}`;
      // What nobody confirmed may count all the same, so it is said again until somebody does.
      await again(() => board.report(days[i % 3 === 0 ? 0 : 1], player, i));
      best.set(player, i);
    });
    const expected = [...best]
      .map(([player, score]) => ({ player, score }))
      .sort((a, b) => b.score - a.score);
    expect(await again(() => board.topOf(days, 10))).toEqual(expected);
    expect(await board.topOf(days, 3)).toEqual(expected.slice(0, 3));
    const [first] = (await board.top('tuesday', 1)) as [Place];
    expect(await board.rank('tuesday', first.player)).toBe(1);
    expect(await board.rank('tuesday', 'nobody')).toBeNull();
    await board.report('tuesday', first.player, first.score - 1);
    expect(await board.top('tuesday', 1)).toEqual([first]);
    board.close();
  });
});
