import { everyMember, majorityOf } from '../core/membership.ts';
import type { Membership } from '../core/types.ts';
import type { Batch } from '../log/batch.ts';
import type { ReadLevel } from '../shard/read-level.ts';
import { ClusterClient } from './cluster-client.ts';
import { EventLoop } from './event-loop.ts';
import type { Fault, FaultKind } from './fault-plan.ts';
import { FaultPlanner } from './fault-plan.ts';
import { Faults } from './faults.ts';
import { History } from './history.ts';
import { LevelClient } from './level-client.ts';
import { LevelHistory } from './level-history.ts';
import { SimNetwork } from './network.ts';
import type { SentReply } from './reply-policy.ts';
import type { Seat } from './seat.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Shape } from './shape.ts';
import { drawNodes, drawsShards, oneShard, severalShards, slotOfKey } from './shape.ts';
import type { Client } from './sim-client.ts';
import { SimClient } from './sim-client.ts';
import { onlyShard, SimNode } from './sim-node.ts';
import { drawOptions, withRoomForMetadata } from './sim-options.ts';
import { Trace } from './trace.ts';
import { judgeHistory, judgeLevels } from './verdicts.ts';
import { Watch, type WatchedShard } from './watch.ts';
import { lastValueTells, readOf, Workload } from './workload.ts';

/** Things go wrong for so long, in virtual ms, by the seed, and again until the run has seen enough. */
const roundsMs = [4000, 6000, 8000];
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
/** In how many of those of several shards slots move. */
const movingRuns = 0.6;
/** Added to the seed for what decides whether a run is of several shards. */
const shapeSalt = 20;
/** How long it may then take until each shard is where the metadata wants it. */
const placingMs = 40_000;
/** The latest time at which such a cluster has begun. */
const beginMs = 10_000;
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

interface Drawn {
  readonly names: readonly string[];
  readonly planner: FaultPlanner;
  readonly shape: Shape;
}

/** One run: a cluster, its clients, and everything that the seed lets go wrong; then the time to be well again. */
class Simulation {
  readonly #seed: number;
  readonly #loop = new EventLoop();
  readonly #trace = new Trace(() => this.#loop.nowMs);
  readonly #violations: string[] = [];
  readonly #history = new History();
  readonly #levels = new LevelHistory();
  readonly #nodes: SimNode[];
  readonly #clients: Client[];
  readonly #levelClients: LevelClient[];
  readonly #workload: Workload;
  readonly #faults: Faults;
  readonly #watch: Watch;
  readonly #probe: Client;
  readonly #planner: FaultPlanner;
  readonly #shape: Shape;
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
    // With a generator of its own: what runs of one shard draw does not depend on it.
    const sharded = drawsShards(new SeededRandom(seed + shapeSalt));
    const { names, shape, planner } = sharded ? drawSeveral(random) : drawOne(random);
    this.#shape = shape;
    this.#planner = planner;
    const network = new SimNetwork(names, this.#loop, random.fork(), this.#trace);
    const drawn = drawOptions(random.fork());
    const options = sharded ? withRoomForMetadata(drawn) : drawn;
    const world = {
      loop: this.#loop,
      trace: this.#trace,
      network,
      options,
      nodes: names,
      members: shape.founders.get(onlyShard) as Membership,
      shape: shape.cluster,
      replies: {
        sent: (reply: SentReply) => this.#watch.replied(reply),
        violated: (what: string) => this.#violated(what),
      },
      appended: (batch: Batch) => this.#watch.appended(batch),
      adopted: (...adopted: Parameters<Watch['adopted']>) => this.#watch.adopted(...adopted),
      afterInput: () => this.#watch.afterEvent(),
      broken: (node: string, error: Error) =>
        this.#violated(`${node} broke: ${error.stack ?? error.message}`),
    };
    this.#trace.say('run', `seed ${seed}, ${describeShape(names, shape)}, ${JSON.stringify(options)}`);
    this.#nodes = names.map((name) => new SimNode(name, world, random.fork()));
    this.#workload = new Workload(this.#loop, random.fork(), shape);
    this.#leases = options.core.leases;
    const watched = {
      nodes: this.#nodes,
      founders: shape.founders,
      keysOf: (shard: number) => this.#workload.keysOf(shard),
      now: () => this.#loop.nowMs,
      clocksHold: () => this.#faults.clocksHold,
      violated: (what: string) => this.#violated(what),
    };
    this.#watch = new Watch(watched, random);
    this.#clients = Array.from({ length: 2 + random.below(4) }, (_, number) =>
      this.#createClient(number, random),
    );
    this.#levelClients = Array.from({ length: 1 + random.below(4) }, (_, i) =>
      this.#createLevelClient(this.#clients.length + 1 + i, random),
    );
    const Probe = shape.cluster === null ? SimClient : ClusterClient;
    this.#probe = new Probe(this.#nodes, this.#loop, random.fork(), this.#history, {
      number: this.#clients.length,
      hello: null,
      believes: true,
      timeoutMs: 4000,
      reads: 0,
      atOnce: 1,
    });
    const seats = [...this.#watch.shards.values()].map((shard) => shard.seats);
    this.#faults = new Faults(this.#nodes, seats, this.#loop, network, this.#trace, {
      slots: this.#workload.keys.map(slotOfKey),
      lull: (forMs) => this.#workload.lull(forMs),
    });
    network.onSend = (from, to, shard, message) => {
      this.#watch.sent(from, to, shard, message);
      this.#faults.sent(from, to, shard, message);
    };
    this.#roundMs = random.pick(roundsMs);
    for (const node of this.#nodes)
      this.#loop.after(random.chance(0.5) ? 0 : random.between(0, 500), () => node.start());
    for (const client of this.#clients)
      this.#loop.after(random.between(0, 1000), () => this.#workload.run(client));
    for (const client of this.#levelClients)
      this.#loop.after(random.between(0, 1000), () => this.#workload.runLevel(client));
  }

  #createClient(number: number, random: SeededRandom): Client {
    const weak = number > 0 && random.chance(0.25);
    // A number of copies is a majority's only as long as there are not more voters.
    const copies = majorityOf({ voters: this.#nodes.map(({ id }) => id), learners: [] });
    const enough = copies > this.#planner.leastVoters ? 'majority' : String(copies);
    const policies = weak
      ? [['leader'], ['none'], ['leader', 'received'], ['1'], [enough, 'received']]
      : [null, null, null, ['all'], ['all', 'applied'], ['majority', 'applied'], [enough]];
    const policy = random.pick<readonly string[] | null>(policies);
    const Kind = this.#shape.cluster === null ? SimClient : ClusterClient;
    return new Kind(this.#nodes, this.#loop, random.fork(), this.#history, {
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
    // What such a level showed is held against the history of one shard, and a key that moves has two.
    const kind = this.#shape.slotsMove ? 'strict' : random.pick(levels);
    const weak = kind === 'session' && random.chance(0.4);
    const histories = { history: this.#history, levels: this.#levels };
    const shard = this.#shape.cluster === null ? onlyShard : random.pick(this.#shape.shards);
    return new LevelClient(this.#nodes, this.#loop, random.fork(), histories, {
      number,
      kind,
      boundMs: random.pick([0, 10, 60, 200, 1000]),
      policy: weak ? random.pick([['leader'], ['none'], ['1']]) : null,
      timeoutMs: random.pick([100, 300, 1000, 3000]),
      hops: random.pick([0.02, 0.1, 0.4]),
      keys: this.#workload.keysOf(shard),
      lastLsn: () => this.#watch.of(shard).values.versions.lastLsn,
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
        repliesJudged: this.#watch.repliesJudged,
        levelReads: this.#levels.reads.length,
        committed: this.#watch.committed,
        terms: this.#terms,
        undecided: this.#undecided,
      },
    };
  }

  /**
   * A cluster of several shards begins before anything goes wrong: who has promised nothing of one shard when another
   * has begun cannot tell whether it was emptied, and a majority of those would wait for ever.
   */
  #begin(): void {
    if (this.#shape.cluster === null) return;
    const begun = ({ seats, watcher }: WatchedShard): boolean =>
      seats.every(
        ({ id, replica }) =>
          !everyMember(watcher.members).includes(id) ||
          (replica !== null && replica.core.doubt === null && replica.core.commit > 0),
      );
    const all = [...this.#watch.shards.values()];
    this.#runUntil(beginMs, () => all.every(begun) && this.#watch.metadata.current !== null);
    this.#planner.begin(this.#loop.nowMs);
  }

  #sufferFaults(): void {
    this.#begin();
    const beganMs = this.#loop.nowMs;
    if (this.#chosen !== null) {
      this.#suffer(this.#chosen.plan, this.#chosen.faultsEndMs);
      return;
    }
    const enough = (): boolean => this.#loop.ran >= eventsMin && this.#faults.effects.total >= effectsMin;
    for (let round = 1; round <= roundsMax && this.#violations.length === 0 && !enough(); round++)
      this.#suffer(this.#planner.draw(beganMs + round * this.#roundMs), beganMs + round * this.#roundMs);
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
        this.#watch.compareLogs();
      }
      if (!this.#loop.step(untilMs)) return;
      this.#watch.afterEvent();
    }
  }

  #comparedMs = 0;

  /** Without faults the cluster must elect a leader, take a write, and come to one state everywhere. */
  #recover(): void {
    this.#trace.say('run', 'all faults end');
    this.#faults.end();
    const deadlineMs = this.#loop.nowMs + recoveryMs;
    this.#loop.after(1000, () => this.#workload.stop());
    const unwritten = this.#shape.shards.map(
      (shard) => this.#workload.keysOf(shard).find((key) => key.startsWith('counter')) as string,
    );
    const write = (): void => {
      const [key] = unwritten;
      if (key === undefined) return;
      this.#probe.request({ key, kind: 'incr', value: '' }, (reply) => {
        if (reply !== undefined) unwritten.shift();
        if (unwritten.length > 0) this.#loop.after(reply === undefined ? lookMs : 1, write);
      });
    };
    this.#loop.after(1000, write);
    this.#runUntil(deadlineMs, () => unwritten.length === 0);
    if (unwritten.length > 0) {
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
    const all = [...this.#watch.shards.values()];
    // Members take their time: who comes is a learner for a second, and one voter comes or goes at a time.
    const untilMs = this.#shape.cluster === null ? deadlineMs : deadlineMs + placingMs;
    const converged = (): boolean => all.every((shard) => this.#isConverged(shard)) && this.#isPlaced();
    while (this.#violations.length === 0 && !converged() && this.#loop.nowMs < untilMs)
      this.#runUntil(this.#loop.nowMs + lookMs, () => false);
    if (this.#violations.length > 0) return;
    if (!converged()) this.#violated(`replicas did not converge without faults${this.#where()}`);
    this.#watch.compareLogs();
    for (const { seats, watcher } of all) for (const seat of seats) watcher.lookAtDigest(seat);
    const terms = all.map(({ seats }) => Math.max(...seats.map(({ replica }) => replica?.core.term ?? 0)));
    this.#terms = terms.reduce((sum, term) => sum + term, 0);
  }

  #isConverged({ seats }: WatchedShard): boolean {
    const leader = seats.find(({ replica }) => replica?.serving === true)?.replica ?? null;
    if (leader === null) return false;
    const { lastLsn, membership } = leader.core;
    const members = everyMember(membership);
    // Who was removed has what it had then.
    return seats.every(
      ({ id, replica }) =>
        !members.includes(id) ||
        (replica !== null &&
          !replica.rebuilding &&
          replica.core.doubt === null &&
          replica.keyspace.appliedLsn === lastLsn &&
          replica.core.commit === lastLsn),
    );
  }

  /** Each shard has the members that the metadata wants, every node knows its last epoch, and who leaves has left. */
  #isPlaced(): boolean {
    const { current } = this.#watch.metadata;
    if (this.#shape.cluster === null) return true;
    if (current === null) return false;
    const states = [...current.nodes];
    const here = states.flatMap(([node, { state }]) => (state === 'removed' ? [] : [node]));
    const knowing = this.#nodes.filter(({ id }) => here.includes(id));
    const sorted = (nodes: readonly string[]): string => [...nodes].sort().join();
    return (
      current.moves.size === 0 &&
      current.wanted.every((shard, slot) => shard === current.owners[slot]) &&
      states.every(([, { state }]) => state !== 'leaving') &&
      knowing.every(({ life }) => life?.shards?.metadata.epoch === current.epoch) &&
      this.#watch.visible.every(({ shard, watcher: { members } }) => {
        const wanted = current.shards.get(shard)?.members ?? [];
        return sorted(members.voters) === sorted(wanted) && members.learners.length === 0;
      })
    );
  }

  #where(): string {
    const { current } = this.#watch.metadata;
    const wanted =
      current === null
        ? ''
        : `\n  ${JSON.stringify({ epoch: current.epoch, nodes: [...current.nodes].map(([node, { state }]) => `${node} ${state}`), shards: [...current.shards], moves: [...current.moves] })}`;
    const of = ({ shard, seats }: WatchedShard): string => seats.map((seat) => whereIs(shard, seat)).join('');
    return wanted + [...this.#watch.shards.values()].map(of).join('');
  }

  /** True when leases proved what they should. */
  get #provable(): boolean {
    return this.#faults.clocksHold || !this.#leases;
  }

  #checkHistory(): void {
    const violated = (what: string): void => this.#violated(what);
    this.#undecided = judgeHistory(this.#history, this.#finals, this.#provable, violated);
  }

  #checkLevels(): void {
    const versionsOf = (key: string) => this.#watch.of(this.#shape.shardOf(key)).values.versions;
    const problem = judgeLevels(this.#levels, this.#history.perKey(), versionsOf, this.#provable);
    if (problem !== null) this.#violated(problem);
  }
}

function whereIs(shard: number, { id, replica, life }: Seat): string {
  const who = `\n  ${id}, shard ${shard}:`;
  if (replica === null) return `${who} ${life === null ? 'down' : 'none'}`;
  const { role, term, leader, lastLsn, flushed, commit, doubt, membership } = replica.core;
  const { serving, rebuilding, keyspace } = replica;
  const positions = { role, term, leader, lastLsn, flushed, commit, applied: keyspace.appliedLsn };
  return `${who} ${JSON.stringify({ ...positions, doubt, membership, serving, rebuilding })}`;
}

/** A cluster of one shard, whose members change in some runs. */
function drawOne(random: SeededRandom): Drawn {
  const changes = random.chance(changingRuns);
  const count = random.pick(
    changes ? [3, 3, 4, 4, 5, 5, 6, 7, 2] : [3, 3, 3, 3, 3, 3, 3, 4, 5, 5, 6, 7, 2, 1],
  );
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const planner = new FaultPlanner(random.fork(), names, changes ? 'members' : null);
  const least = planner.leastVoters;
  const members = { voters: names.slice(0, least + random.below(count + 1 - least)), learners: [] };
  return { names, planner, shape: oneShard(members) };
}

/** A cluster of several shards, whose metadata changes. */
function drawSeveral(random: SeededRandom): Drawn {
  const { founders, joiners } = drawNodes(random);
  const names = [...founders, ...joiners];
  const slotsMove = random.chance(movingRuns);
  const planner = new FaultPlanner(random.fork(), names, slotsMove ? 'slots' : 'placement');
  return { names, planner, shape: severalShards(random, founders, planner.leastVoters, slotsMove) };
}

function describeShape(names: readonly string[], { cluster, founders }: Shape): string {
  const nodes = `${names.length} nodes`;
  if (cluster === null) return `${nodes}, voters ${founders.get(onlyShard)?.voters.join(' ')}`;
  const { founders: first, map, replicas, replaceAfterMs } = cluster;
  return `${nodes}, of which ${first.length} begin, ${map.placements.length} shards on ${replicas} each, replaced after ${replaceAfterMs} ms`;
}

/** Runs a seed to its end; `chosen` replaces the faults that it would draw. */
export function simulate(seed: number, chosen: ChosenFaults | null = null): RunResult {
  return new Simulation(seed, chosen).run();
}
