import { afterEach, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { digestsOf } from './support/digests.ts';
import { CommandSource } from './support/random/command-source.ts';
import { RawClient } from './support/raw-client.ts';
import type { Step } from './support/redis-script.ts';
import { rounds } from './support/wait.ts';

/** Commands before and after each leader's end. */
const commandsPerPhase = 1000;
const kills = rounds(2);
const batch = 25;

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** Sends random commands to whoever leads, several connections in turn, and goes on after a failover. */
class Load {
  answered = 0;
  readonly #cluster: TestCluster;
  readonly #source: CommandSource;
  readonly #connections = new Map<string, RawClient>();

  constructor(running: TestCluster, seed: number) {
    this.#cluster = running;
    this.#source = new CommandSource(seed);
  }

  /** @param atHalf called when half of them are answered; they go on meanwhile */
  async run(count: number, atHalf: () => Promise<void>): Promise<void> {
    let half: Promise<void> | null = null;
    for (let sent = 0; sent < count; sent += batch) {
      if (half === null && sent >= count / 2) half = atHalf();
      const steps = Array.from({ length: batch }, () => this.#source.next());
      try {
        await this.#send(steps);
      } catch {
        // Whether these were executed nobody knows; what matters is that all nodes agree about it.
        await this.close();
      }
    }
    await half;
  }

  async #send(steps: readonly Step[]): Promise<void> {
    for (const { connection, bytes } of steps) {
      const open = this.#connections.get(connection);
      const client = open ?? (await RawClient.connect((await this.#cluster.leader()).port));
      if (open === undefined) this.#connections.set(connection, client);
      client.send(bytes);
    }
    let moved = false;
    for (const { connection } of steps) {
      const { wire } = await (this.#connections.get(connection) as RawClient).next();
      if (wire.startsWith('-MOVED')) moved = true;
      else this.answered += 1;
    }
    if (moved) await this.close();
  }

  async close(): Promise<void> {
    const clients = [...this.#connections.values()];
    this.#connections.clear();
    for (const client of clients) await client.close();
  }
}

it.each([1, 2])(
  'pitfall 37: random commands leave equal states on all nodes, whichever leaders die, seed %i',
  async (seed) => {
    cluster = await TestCluster.start({
      flags: ['--checkpoint-bytes', '64kb', '--segment-bytes', '4mb', '--max-request-bytes', '1mb'],
    });
    const running = cluster;
    const load = new Load(running, seed);
    for (let kill = 0; kill < kills; kill++) {
      const leader = await running.ready();
      await load.run(commandsPerPhase, async () => {
        await leader.kill();
        await running.leader();
        leader.start();
      });
      await running.ready();
      const [digest, ...others] = await digestsOf(running);
      expect(others, `seed ${seed}, after ${kill + 1} kills`).toEqual([digest, digest]);
    }
    await load.close();
    expect(load.answered).toBeGreaterThan((kills * commandsPerPhase) / 2);
  },
);
