import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../sim/seeded-random.ts';
import type { ClusterPlan } from '../cluster-plan.ts';
import type { FaultKind } from './faults.ts';
import { Faults } from './faults.ts';
import type { LoadFigures } from './load.ts';
import { Load } from './load.ts';
import type { Look, VerifiedNode } from './verified-cluster.ts';
import { leaderIn, VerifiedCluster } from './verified-cluster.ts';

/** Faults come for so long, then the cluster must be well again within `patienceMs`. */
const stretchMs = 20_000;
const patienceMs = 30_000;
const hopelessMs = 5000;
const lookMs = 250;
const restartMs = 300;

/** Where everything that was done is written, with times. */
export const recordFile = 'verify.log';

export interface VerifyResult {
  readonly violations: readonly string[];
  readonly seconds: number;
  readonly load: Readonly<LoadFigures>;
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** Terms that began after the first leader. */
  readonly elections: number;
  /** Longest time that the cluster took to be well after faults had ended, ms. */
  readonly longestRecoveryMs: number;
  /** Checkpoints that two nodes have at the same LSN, and that agree. */
  readonly digestsCompared: number;
}

export interface Progress {
  readonly seconds: number;
  readonly operations: number;
  readonly faults: number;
  readonly elections: number;
  readonly longestGapMs: number;
}

/** One run: a cluster, clients and faults for some time, and everything that is checked meanwhile and at the end. */
export class Verification {
  readonly #plan: ClusterPlan;
  readonly #seed: number;
  readonly #violations: string[] = [];
  readonly #digests = new Map<number, { node: string; digest: string }>();
  readonly #record: fs.WriteStream;
  readonly #beganMs = performance.now();
  #digestsCompared = 0;
  #firstTerm = 0;
  #term = 0;
  #longestRecoveryMs = 0;
  #load: Load | null = null;
  #faults: Faults | null = null;
  #cluster: VerifiedCluster | null = null;
  #stopped = false;
  #ending = false;

  constructor(plan: ClusterPlan, seed: number) {
    this.#plan = plan;
    this.#seed = seed;
    this.#record = fs.createWriteStream(path.join(plan.dir, recordFile));
  }

  #say(what: string): void {
    this.#record.write(`${((performance.now() - this.#beganMs) / 1000).toFixed(3)} ${what}\n`);
  }

  #violated(what: string): void {
    this.#violations.push(what);
    this.#say(`VIOLATED: ${what}`);
    this.#faults?.end();
  }

  get progress(): Progress {
    return {
      seconds: Math.round((performance.now() - this.#beganMs) / 1000),
      operations: this.#load?.figures.operations ?? 0,
      faults: [...(this.#faults?.counts.values() ?? [])].reduce((sum, count) => sum + count, 0),
      elections: this.#term - this.#firstTerm,
      longestGapMs: this.#load?.figures.longestGapMs ?? 0,
    };
  }

  /** Ends before its time; what was found until then counts. */
  stop(): void {
    this.#stopped = true;
    this.#faults?.end();
  }

  async run(ms: number): Promise<VerifyResult> {
    const random = new SeededRandom(this.#seed);
    const cluster = await VerifiedCluster.prepare(this.#plan, (node, how) => this.#endedByItself(node, how));
    this.#cluster = cluster;
    try {
      return await this.#run(cluster, random, ms);
    } finally {
      this.#ending = true;
      await cluster.close();
      await new Promise<void>((resolve) => this.#record.end(resolve));
    }
  }

  async #run(cluster: VerifiedCluster, random: SeededRandom, ms: number): Promise<VerifyResult> {
    const load = new Load(
      cluster.nodes.map(({ port }) => port),
      random.fork(),
      (what) => this.#violated(what),
    );
    const faults = new Faults(cluster, random.fork(), {
      began: (kind, what) => {
        load.lastFault = what;
        this.#say(`${kind}: ${what}`);
      },
      hangUpClient: () => load.hangUpOne(),
    });
    this.#load = load;
    this.#faults = faults;
    for (const node of cluster.nodes) faults.start(node);
    await this.#beWell();
    this.#firstTerm = this.#term;
    load.start();
    const watching = this.#watch();
    const endMs = performance.now() + ms;
    while (performance.now() < endMs && this.#violations.length === 0 && !this.#stopped) {
      await faults.run(Math.min(stretchMs, endMs - performance.now()));
      if (this.#violations.length > 0) break;
      await this.#beWell();
      faults.allWell();
    }
    const seconds = (performance.now() - this.#beganMs) / 1000;
    // What is broken may never answer again.
    await load.finish(this.#violations.length === 0 ? 2 * patienceMs : hopelessMs);
    this.#ending = true;
    await watching;
    return {
      violations: this.#violations,
      seconds,
      load: load.figures,
      faults: faults.counts,
      elections: this.#term - this.#firstTerm,
      longestRecoveryMs: this.#longestRecoveryMs,
      digestsCompared: this.#digestsCompared,
    };
  }

  #endedByItself(node: VerifiedNode, how: string): void {
    this.#say(`${node.id} ended: ${how}`);
    if (!node.mayEnd) this.#violated(`${node.id} ended by itself: ${how}; see ${node.plan.dir}`);
    setTimeout(() => {
      if (!this.#ending) this.#faults?.start(node);
    }, restartMs);
  }

  /** Waits for a leader that serves, and for every other node to be in sync with it. */
  async #beWell(): Promise<void> {
    const beganMs = performance.now();
    let look: Look = [];
    while (performance.now() < beganMs + patienceMs) {
      look = await (this.#cluster as VerifiedCluster).look();
      this.#learn(look);
      if (isWell(look)) {
        this.#longestRecoveryMs = Math.max(this.#longestRecoveryMs, performance.now() - beganMs);
        this.#say('well');
        return;
      }
      await delay(lookMs / 5);
    }
    this.#violated(`not well within ${patienceMs} ms without faults: ${described(look)}`);
  }

  async #watch(): Promise<void> {
    while (!this.#ending) {
      this.#learn(await (this.#cluster as VerifiedCluster).look());
      await delay(lookMs);
    }
  }

  #learn(look: Look): void {
    for (const { node, shard } of look) {
      this.#term = Math.max(this.#term, shard?.term ?? 0);
      const checkpoint = shard?.checkpoint ?? null;
      if (checkpoint === null) continue;
      const { lsn, digest } = checkpoint;
      const known = this.#digests.get(lsn);
      if (known === undefined) {
        this.#digests.set(lsn, { node: node.id, digest });
      } else if (known.digest !== digest) {
        this.#violated(`${known.node} and ${node.id} have different states at LSN ${lsn}`);
      } else if (known.node !== node.id) {
        this.#digestsCompared += 1;
        known.node = node.id;
      }
    }
  }
}

function isWell(look: Look): boolean {
  const leader = leaderIn(look);
  const followers = look.find(({ node }) => node === leader)?.shard?.followers ?? [];
  return look.every(
    ({ node, shard }) =>
      leader !== null &&
      shard !== null &&
      shard.doubt === null &&
      !shard.rebuilding &&
      (node === leader || followers.some((follower) => follower.node === node.id && follower.inSync)),
  );
}

function described(look: Look): string {
  return look
    .map(({ node, shard }) => {
      if (shard === null) return `${node.id} ${node.running ? 'does not answer' : 'is down'}`;
      const { role, term, leader, serving, doubt, rebuilding, lastLsn, commit } = shard;
      return `${node.id} ${JSON.stringify({ role, term, leader, serving, doubt, rebuilding, lastLsn, commit })}`;
    })
    .join('; ');
}
