import { everyMember, majorityOf } from '../core/membership.ts';
import type { Membership } from '../core/types.ts';
import type { Batch } from '../log/batch.ts';
import type { ReadLevel } from '../shard/read-level.ts';
import { checkAcknowledgedWrites } from './acknowledged-writes.ts';
import { checkBoundedLsnRead, checkBoundedRead } from './bounded-reads.ts';
import { EventLoop } from './event-loop.ts';
import { checkCommittedRead } from './eventual-reads.ts';
import type { Fault, FaultKind } from './fault-plan.ts';
import { driftRates, FaultPlanner } from './fault-plan.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import { LevelClient } from './level-client.ts';
import { LevelHistory } from './level-history.ts';
import { checkLinearizable } from './linearizability.ts';
import { Asked, checkLocalRead } from './local-reads.ts';
import { changesNothing } from './models.ts';
import { SimNetwork } from './network.ts';
import type { SentReply } from './reply-policy.ts';
import { SeededRandom } from './seeded-random.ts';
import { checkSession } from './session-steps.ts';
import { SimClient } from './sim-client.ts';
import { SimNode, usualRates } from './sim-node.ts';
import { drawOptions } from './sim-options.ts';
import { Trace } from './trace.ts';
import { TrueValues } from './true-values.ts';
import { Watcher } from './watcher.ts';
import { lastValueTells, readOf, Workload } from './workload.ts';

/** Things go wrong for so long, in virtual ms, by the seed, and again until the run has seen enough. */
const roundsMs = [4000, 6000, 8000];
/** No clock counts less of a real second in one, unless it is wild. */
const slowestClock = driftRates.least * usualRates.least;
/** What is enough: faults that had an effect, and events. */
const effectsMin = 10;
const eventsMin = 10_000;
const roundsMax = 24;
/** How long the cluster may then take to be well again, in virtual ms. */
const recoveryMs = 20_000;
/** Levels that clients read at besides the default, each as often as it is named. */
const levels: readonly ReadLevel['kind'][] = [
  'strict',
  'strict',
  'session',
  'session',
  'session',
  'bounded',
  'bounded',
  'bounded lsn',
  'eventual',
  'local',
];
/** In how many runs members come and go. */
const changingRuns = 0.4;
const compareLogsMs = 50;
/** Pauses of the last phase between two looks at whether it is over. */
const lookMs = 50;

export interface RunResult {
  readonly seed: number;
  /** Equal for two runs of one seed with the same code. */
  readonly hash: string;
  /** Empty: nothing that must hold was broken. */
  readonly violations: readonly string[];
  readonly timeline: readonly string[];
  /** The faults that were planned, and when the last of them ended: a run of the same seed can be given fewer. */
  readonly plan: readonly Fault[];
  readonly faultsEndMs: number;
  /** How many faults of each kind had an effect. */
  readonly effects: ReadonlyMap<FaultKind, number>;
  readonly stats: {
    readonly events: number;
    readonly virtualMs: number;
    readonly effects: number;
    readonly operations: number;
    readonly answered: number;
    /** Replies that waited for a position and were held against their policy. */
    readonly repliesJudged: number;
    /** Reads below the default level that were answered. */
    readonly levelReads: number;
    readonly committed: number;
    readonly terms: number;
    readonly undecided: number;
  };
}

/** A plan of one's own instead of the one that the seed would draw. */
export interface ChosenFaults {
  readonly plan: readonly Fault[];
  readonly faultsEndMs: number;
}

/** One run: a cluster, its clients, and everything that the seed lets go wrong; then the time to be well again. */
class Simulation {
  readonly #seed: number;
  readonly #loop = new EventLoop();
  readonly #trace = new Trace(() => this.#loop.nowMs);
  readonly #violations: string[] = [];
  readonly #history = new History();
  readonly #levels = new LevelHistory();
  readonly #values: TrueValues;
  readonly #nodes: SimNode[];
  readonly #clients: SimClient[];
  readonly #levelClients: LevelClient[];
  readonly #workload: Workload;
  readonly #faults: Faults;
  readonly #watcher: Watcher;
  readonly #probe: SimClient;
  readonly #planner: FaultPlanner;
  /** Who takes part when the cluster begins. */
  readonly #members: Membership;
  readonly #leases: boolean;
  readonly #roundMs: number;
  readonly #plan: Fault[] = [];
  readonly #chosen: ChosenFaults | null;
  #faultsEndMs = 0;
  #undecided = 0;
  #terms = 0;

  constructor(seed: number, chosen: ChosenFaults | null) {
    this.#seed = seed;
    this.#chosen = chosen;
    const random = new SeededRandom(seed);
    const changes = random.chance(changingRuns);
    const count = random.pick(
      changes ? [3, 3, 4, 4, 5, 5, 6, 7, 2] : [3, 3, 3, 3, 3, 3, 3, 4, 5, 5, 6, 7, 2, 1],
    );
    const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
    this.#planner = new FaultPlanner(random.fork(), names, changes);
    const least = this.#planner.leastVoters;
    this.#members = { voters: names.slice(0, least + random.below(count + 1 - least)), learners: [] };
    const network = new SimNetwork(names, this.#loop, random.fork(), this.#trace);
    const options = drawOptions(random.fork());
    const world = {
      loop: this.#loop,
      trace: this.#trace,
      network,
      options,
      nodes: names,
      members: this.#members,
      replies: {
        sent: (reply: SentReply) => this.#watcher.replied(reply),
        violated: (what: string) => this.#violated(what),
      },
      appended: (batch: Batch) => {
        this.#values.appended(batch);
        this.#watcher.appended(batch);
      },
      afterInput: () => this.#watcher.afterEvent(),
      broken: (node: string, error: Error) =>
        this.#violated(`${node} broke: ${error.stack ?? error.message}`),
    };
    this.#trace.say(
      'run',
      `seed ${seed}, ${names.length} nodes, voters ${this.#members.voters.join(' ')}, ${JSON.stringify(options)}`,
    );
    this.#nodes = names.map((name) => new SimNode(name, world, random.fork()));
    this.#workload = new Workload(this.#loop, random.fork());
    this.#values = new TrueValues(this.#workload.keys);
    const truth = {
      members: this.#members,
      values: this.#values,
      now: () => this.#loop.nowMs,
      clocksHold: () => this.#faults.clocksHold,
    };
    this.#leases = options.core.leases;
    this.#watcher = new Watcher(this.#nodes, random.fork(), truth, (what) => this.#violated(what));
    this.#clients = Array.from({ length: 2 + random.below(4) }, (_, number) =>
      this.#createClient(number, random),
    );
    this.#levelClients = Array.from({ length: 1 + random.below(4) }, (_, i) =>
      this.#createLevelClient(this.#clients.length + 1 + i, random),
    );
    this.#probe = new SimClient(this.#nodes, this.#loop, random.fork(), this.#history, {
      number: this.#clients.length,
      hello: null,
      believes: true,
      timeoutMs: 4000,
      reads: 0,
      atOnce: 1,
    });
    this.#faults = new Faults(this.#nodes, this.#loop, network, this.#trace, (forMs) =>
      this.#workload.lull(forMs),
    );
    network.onSend = (from, to, message) => {
      this.#watcher.sent(from, to, message);
      this.#faults.sent(from, to, message);
    };
    this.#roundMs = random.pick(roundsMs);
    for (const node of this.#nodes)
      this.#loop.after(random.chance(0.5) ? 0 : random.between(0, 500), () => node.start());
    for (const client of this.#clients)
      this.#loop.after(random.between(0, 1000), () => this.#workload.run(client));
    for (const client of this.#levelClients)
      this.#loop.after(random.between(0, 1000), () => this.#workload.runLevel(client));
  }

  #createClient(number: number, random: SeededRandom): SimClient {
    const weak = number > 0 && random.chance(0.25);
    // A number of copies is a majority's only as long as there are not more voters.
    const copies = majorityOf({ voters: this.#nodes.map(({ id }) => id), learners: [] });
    const enough = copies > this.#planner.leastVoters ? 'majority' : String(copies);
    const policies = weak
      ? [['leader'], ['none'], ['leader', 'received'], ['1'], [enough, 'received']]
      : [null, null, null, ['all'], ['all', 'applied'], ['majority', 'applied'], [enough]];
    const policy = random.pick<readonly string[] | null>(policies);
    return new SimClient(this.#nodes, this.#loop, random.fork(), this.#history, {
      number,
      hello: policy === null ? null : ['REPL', 'ACK', ...policy],
      believes: !weak,
      timeoutMs: random.pick([100, 300, 1000, 3000]),
      // One that also writes soon waits in vain at a leader that lost its majority; one that only reads does not.
      reads: random.pick([0.2, 0.5, 0.8, 1, 1]),
      atOnce: random.pick([1, 1, 1, 2, 5]),
    });
  }

  #createLevelClient(number: number, random: SeededRandom): LevelClient {
    const kind = random.pick(levels);
    const weak = kind === 'session' && random.chance(0.4);
    const histories = { history: this.#history, levels: this.#levels };
    return new LevelClient(this.#nodes, this.#loop, random.fork(), histories, {
      number,
      kind,
      boundMs: random.pick([0, 10, 60, 200, 1000]),
      policy: weak ? random.pick([['leader'], ['none'], ['1']]) : null,
      timeoutMs: random.pick([100, 300, 1000, 3000]),
      hops: random.pick([0.02, 0.1, 0.4]),
      lastLsn: () => this.#values.versions.lastLsn,
    });
  }

  #violated(what: string): void {
    this.#violations.push(what);
    this.#trace.say('VIOLATED', what);
  }

  run(): RunResult {
    try {
      this.#sufferFaults();
      if (this.#violations.length === 0) this.#recover();
      this.#history.end();
      if (this.#violations.length === 0) this.#checkHistory();
      if (this.#violations.length === 0) this.#checkLevels();
    } catch (error) {
      // A bug of the simulator's own must not pass for a seed that was never run.
      this.#violated(`the simulation broke: ${(error as Error).stack}`);
    }
    return {
      seed: this.#seed,
      hash: this.#trace.hash,
      violations: this.#violations,
      timeline: this.#trace.lines,
      plan: this.#plan,
      faultsEndMs: this.#faultsEndMs,
      effects: this.#faults.effects.byKind,
      stats: {
        events: this.#loop.ran,
        virtualMs: Math.round(this.#loop.nowMs),
        effects: this.#faults.effects.total,
        operations: this.#history.operations.length,
        answered: this.#clients.reduce((sum, client) => sum + client.answered, 0),
        repliesJudged: this.#watcher.repliesJudged,
        levelReads: this.#levels.reads.length,
        committed: this.#watcher.committed.lastLsn,
        terms: this.#terms,
        undecided: this.#undecided,
      },
    };
  }

  #sufferFaults(): void {
    if (this.#chosen !== null) {
      this.#suffer(this.#chosen.plan, this.#chosen.faultsEndMs);
      return;
    }
    const enough = (): boolean => this.#loop.ran >= eventsMin && this.#faults.effects.total >= effectsMin;
    for (let round = 1; round <= roundsMax && this.#violations.length === 0 && !enough(); round++)
      this.#suffer(this.#planner.draw(round * this.#roundMs), round * this.#roundMs);
  }

  #suffer(plan: readonly Fault[], untilMs: number): void {
    this.#plan.push(...plan);
    this.#faults.schedule(plan);
    this.#runUntil(untilMs, () => false);
    this.#faultsEndMs = this.#loop.nowMs;
  }

  /** Runs events up to a time, until something is violated, or `over`. */
  #runUntil(untilMs: number, over: () => boolean): void {
    while (this.#violations.length === 0 && !over()) {
      if (this.#loop.nowMs >= this.#comparedMs + compareLogsMs) {
        this.#comparedMs = this.#loop.nowMs;
        this.#watcher.compareLogs();
      }
      if (!this.#loop.step(untilMs)) return;
      this.#watcher.afterEvent();
    }
  }

  #comparedMs = 0;

  /** Without faults the cluster must elect a leader, take a write, and come to one state everywhere. */
  #recover(): void {
    this.#trace.say('run', 'all faults end');
    this.#faults.end();
    const deadlineMs = this.#loop.nowMs + recoveryMs;
    this.#loop.after(1000, () => this.#workload.stop());
    let written = false;
    const write = (): void =>
      this.#probe.request({ key: 'counter0', kind: 'incr', value: '' }, (reply) => {
        if (reply === undefined) this.#loop.after(lookMs, write);
        else written = true;
      });
    this.#loop.after(1000, write);
    this.#runUntil(deadlineMs, () => written);
    if (!written) {
      if (this.#violations.length === 0)
        this.#violated(`no write was answered within ${recoveryMs} ms without faults${this.#where()}`);
      return;
    }
    this.#finalReads(deadlineMs);
    if (this.#violations.length === 0) this.#converge(deadlineMs);
  }

  #finalReads(deadlineMs: number): void {
    const left = [...this.#workload.keys];
    const read = (): void => {
      const key = left[0];
      if (key === undefined) return;
      this.#probe.request({ key, kind: readOf(key), value: '' }, (reply) => {
        if (reply !== undefined) {
          left.shift();
          if (lastValueTells(key)) this.#finals.set(key, reply === null ? null : String(reply));
        }
        this.#loop.after(1, read);
      });
    };
    // When every request is over, what is read is what stays of all that was acknowledged.
    const clients = [...this.#clients, ...this.#levelClients];
    const idle = (): boolean => !this.#workload.running && clients.every((client) => client.idle);
    this.#runUntil(this.#loop.nowMs + 6000, idle);
    read();
    this.#runUntil(deadlineMs, () => left.length === 0);
    if (left.length > 0 && this.#violations.length === 0)
      this.#violated(`no read of ${left[0]} was answered without faults${this.#where()}`);
  }

  readonly #finals = new Map<string, string | null>();

  #converge(deadlineMs: number): void {
    const converged = (): boolean => {
      const leader = this.#nodes.find(({ replica }) => replica?.serving === true)?.replica ?? null;
      if (leader === null) return false;
      const { lastLsn, membership } = leader.core;
      const members = everyMember(membership);
      // Who was removed has what it had then.
      return this.#nodes.every(
        ({ id, replica }) =>
          !members.includes(id) ||
          (replica !== null &&
            !replica.rebuilding &&
            replica.core.doubt === null &&
            replica.keyspace.appliedLsn === lastLsn &&
            replica.core.commit === lastLsn),
      );
    };
    while (this.#violations.length === 0 && !converged() && this.#loop.nowMs < deadlineMs)
      this.#runUntil(this.#loop.nowMs + lookMs, () => false);
    if (this.#violations.length > 0) return;
    if (!converged()) this.#violated(`replicas did not converge without faults${this.#where()}`);
    this.#watcher.compareLogs();
    for (const node of this.#nodes) this.#watcher.lookAtDigest(node);
    this.#terms = Math.max(...this.#nodes.map(({ replica }) => replica?.core.term ?? 0));
  }

  #where(): string {
    return this.#nodes
      .map(({ id, replica, life }) => {
        if (replica === null) return `\n  ${id}: ${life === null ? 'down' : 'opening'}`;
        const { core, keyspace } = replica;
        const { role, term, leader, lastLsn, flushed, commit, doubt } = core;
        const { membership } = core;
        const facts = {
          role,
          term,
          leader,
          lastLsn,
          flushed,
          commit,
          applied: keyspace.appliedLsn,
          doubt,
          membership,
        };
        return `\n  ${id}: ${JSON.stringify({ ...facts, serving: replica.serving, rebuilding: replica.rebuilding })}`;
      })
      .join('');
  }

  /** True when leases proved what they should. */
  get #provable(): boolean {
    return this.#faults.clocksHold || !this.#leases;
  }

  #checkHistory(): void {
    const perKey = this.#history.perKey();
    for (const [key, value] of this.#finals) {
      const problem = checkAcknowledgedWrites(key, perKey.get(key) ?? [], value);
      if (problem !== null) this.#violated(problem);
    }
    for (const [key, all] of perKey) {
      // Where leases may overlap, what rests on them may be old: reads, and writes that found nothing to do.
      const operations = this.#provable
        ? all
        : all.filter((one) => one.confirmed === true || !changesNothing(one));
      const verdict = checkLinearizable(operations);
      if (verdict.kind === 'undecided') this.#undecided += 1;
      if (verdict.kind !== 'violated') continue;
      const { client, kind, value, result, invoked, returned } = verdict.stuckAt;
      this.#violated(
        `${key} is not linearizable: client ${client}, ${kind} ${value} → ${result}, from ${invoked} to ${returned}`,
      );
    }
  }

  #checkLevels(): void {
    const { versions } = this.#values;
    const perKey = this.#history.perKey();
    const askedOf = new Map<string, Asked>();
    const asked = (key: string): Asked => {
      const known = askedOf.get(key) ?? new Asked(perKey.get(key) ?? []);
      askedOf.set(key, known);
      return known;
    };
    const check = (problem: string | null): void => {
      if (problem !== null && this.#violations.length === 0) this.#violated(problem);
    };
    for (const read of this.#levels.reads) {
      if (read.level.kind === 'local') {
        check(checkLocalRead(read, asked(read.key)));
        continue;
      }
      check(checkCommittedRead(read, versions));
      if (read.level.kind === 'bounded' && this.#provable)
        check(checkBoundedRead(read, versions, slowestClock));
      if (read.level.kind === 'bounded lsn') check(checkBoundedLsnRead(read, versions));
    }
    for (const [client, steps] of this.#levels.sessions) check(checkSession(client, steps, versions));
  }
}

/** Runs a seed to its end; `chosen` replaces the faults that it would draw. */
export function simulate(seed: number, chosen: ChosenFaults | null = null): RunResult {
  return new Simulation(seed, chosen).run();
}
