import { metadataShard } from '../cluster/metadata.ts';
import type { Message, NodeId } from '../core/types.ts';
import type { EventLoop } from './event-loop.ts';
import { FaultEffects } from './fault-effects.ts';
import type { FatalOperation, Fault } from './fault-plan.ts';
import { describeFault, theLeader } from './fault-plan.ts';
import { ForgottenLease } from './forgotten-lease.ts';
import type { Goal } from './member-goal.ts';
import { MemberGoal } from './member-goal.ts';
import type { SimNetwork } from './network.ts';
import { disturbNetwork } from './network-faults.ts';
import type { Wish } from './placement-wish.ts';
import { PlacementWish } from './placement-wish.ts';
import type { Seat } from './seat.ts';
import { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import type { Trace } from './trace.ts';

/** How soon a process that ended is started again once all faults are over, in ms. */
const restartMs = 100;

/** Costs the sender of the next message of a kind its power. */
interface Trap {
  readonly random: SeededRandom;
  readonly hit: () => void;
}

/** Makes things go wrong, and right again. */
export class Faults {
  readonly effects = new FaultEffects();
  /** False once clocks ran so wrong that leases may overlap. */
  clocksHold = true;
  readonly #nodes: readonly SimNode[];
  /** Of each shard, and of those that clients use. */
  readonly #all: readonly (readonly Seat[])[];
  readonly #shards: readonly (readonly Seat[])[];
  readonly #loop: EventLoop;
  readonly #network: SimNetwork;
  readonly #trace: Trace;
  readonly #slots: readonly number[];
  readonly #lull: (forMs: number) => void;
  /** What undoes the faults that are at work. */
  readonly #undo = new Set<() => void>();
  /** By the message, or what is done with the disk. */
  readonly #traps = new Map<Message['kind'] | FatalOperation, Trap>();
  readonly #leases = new Set<ForgottenLease>();
  #over = false;

  constructor(
    nodes: readonly SimNode[],
    all: readonly (readonly Seat[])[],
    loop: EventLoop,
    network: SimNetwork,
    trace: Trace,
    clients: {
      /** Where they have keys. */
      readonly slots: readonly number[];
      /** Lets them ask nothing for so many ms. */
      lull(forMs: number): void;
    },
  ) {
    this.#slots = clients.slots;
    this.#lull = (forMs) => clients.lull(forMs);
    this.#nodes = nodes;
    this.#all = all;
    this.#shards = all.filter(([seat]) => seat?.shard !== metadataShard);
    this.#loop = loop;
    this.#network = network;
    this.#trace = trace;
    for (const node of nodes) node.disk.onOperation = (operation) => this.#spring(operation, node.id);
  }

  /** A process sent a message. */
  sent(from: NodeId, to: NodeId, shard: number, message: Message): void {
    for (const lease of this.#leases) lease.sent(from, to, shard, message);
    this.#spring(message.kind, from);
  }

  /** Springs the trap that waits for what a node does, if one does. */
  #spring(what: Message['kind'] | FatalOperation, who: NodeId): void {
    const trap = this.#traps.get(what);
    if (trap === undefined) return;
    this.#traps.delete(what);
    const { random, hit } = trap;
    this.#trace.say('fault', `power loss soon: ${who} after ${what}`);
    hit();
    this.#loseSoon(this.#node(who), random);
  }

  #loseSoon(node: SimNode, random: SeededRandom): void {
    this.#loop.after(random.pick([0, 0.05, 0.5, 3]), () => {
      if (this.#over) return;
      node.crash('power loss');
      this.#for(random.pick([20, 300, 3000]), () => node.start());
    });
  }

  schedule(plan: readonly Fault[]): void {
    for (const planned of plan) {
      this.#loop.after(planned.atMs - this.#loop.nowMs, () => {
        if (this.#over) return;
        const random = new SeededRandom(planned.salt);
        const fault = this.#named(planned, random);
        this.#trace.say('fault', describeFault(fault));
        this.#cause(fault, random, this.effects.watch(fault.kind));
      });
    }
  }

  /** Ends all faults; none comes any more. */
  end(): void {
    this.#over = true;
    this.#traps.clear();
    for (const undo of [...this.#undo]) undo();
    this.#keepUp();
  }

  /** A process may still end by itself, of a disk that failed before. */
  #keepUp(): void {
    for (const node of this.#nodes) node.start();
    this.#loop.after(restartMs, () => this.#keepUp());
  }

  #node(id: NodeId): SimNode {
    return this.#nodes.find((node) => node.id === id) as SimNode;
  }

  /** The fault with a node's name where it says "the leader". */
  #named<T extends Fault>(fault: T, random: SeededRandom): T {
    const anybody = random.pick(this.#nodes);
    const leader = this.#leader(random) ?? anybody;
    const name = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(name);
      return value === theLeader ? leader.id : value;
    };
    return Object.fromEntries(
      Object.entries(fault).map(([key, value]) => [key, name(value)]),
    ) as unknown as T;
  }

  /** Who leads a shard; null while nobody does. */
  #leader(random: SeededRandom): Seat | null {
    const [only = []] = this.#shards;
    const seats = this.#shards.length === 1 ? only : random.pick(this.#shards);
    return seats.find(({ replica }) => replica?.serving === true) ?? null;
  }

  #for(ms: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#loop.after(ms, once);
  }

  #cause(fault: Fault, random: SeededRandom, hit: () => void): void {
    const { forMs } = fault;
    switch (fault.kind) {
      case 'kill':
      case 'power loss':
        if (this.#node(fault.node).crash(fault.kind)) hit();
        break;
      case 'dies of':
        this.#traps.set(fault.message, { random, hit });
        break;
      case 'dies at':
        this.#traps.set(fault.operation, { random, hit });
        break;
      case 'members':
        this.#changeMembers(fault, random, hit);
        break;
      case 'placement':
        this.#changePlacement(fault, random, hit);
        break;
      case 'forgotten lease':
        this.#forgetLease(random, forMs, hit);
        break;
      case 'rot':
        if (this.#othersVote(fault.node) && this.#node(fault.node).rot()) hit();
        break;
      case 'bit rot':
        if (this.#othersVote(fault.node) && this.#node(fault.node).rotQuietly()) hit();
        break;
      case 'wipe':
        if (this.#othersVote(fault.node) && this.#node(fault.node).wipe()) hit();
        break;
      case 'power loss everywhere':
        for (const node of this.#nodes) {
          if (node.crash('power loss')) hit();
          this.#for(random.between(10, forMs), () => node.start());
        }
        break;
      case 'pause':
        this.#pause(this.#node(fault.node), forMs, hit);
        break;
      case 'hand over':
        this.#handOver(random, hit);
        break;
      case 'checkpoint':
        for (const { replicas, life } of this.#nodes)
          life?.process.enter(() => {
            for (const replica of replicas) if (replica.checkpointNow()) hit();
          });
        break;
      case 'wall clock': {
        const { clock, serving } = this.#node(fault.node);
        clock.wallErrorMs += fault.ms;
        if (serving) hit();
        break;
      }
      case 'drift':
      case 'wild clock': {
        const { clock, replicas } = this.#node(fault.node);
        if (fault.kind === 'wild clock') this.clocksHold = false;
        this.#for(forMs, clock.drift(fault.rate));
        if (replicas.length > 0) hit();
        break;
      }
      case 'disk hangs':
      case 'disk fails':
      case 'reads fail':
      case 'disk full':
      case 'disk slow':
        this.#for(forMs, this.#node(fault.node).disk.disturb(fault, hit));
        break;
      default: {
        const names = this.#nodes.map(({ id }) => id);
        this.#for(forMs, disturbNetwork(this.#network, names, fault, hit));
      }
    }
    // Whoever died meanwhile is started again.
    this.#for(forMs, () => {
      for (const node of this.#nodes) if (node.life === null) node.start();
    });
  }

  /**
   * While others are in doubt too, as when a cluster begins, the data of one more is more than it can lose. Those count
   * that are voters in anybody's eyes.
   */
  #othersVote(node: NodeId): boolean {
    const down = ({ id, mayStart, life }: SimNode): boolean =>
      id !== node && mayStart && life?.ready !== true;
    if (!this.#node(node).mayComeBackEmpty || this.#nodes.some(down)) return false;
    return this.#all.every((seats) => {
      const voters = new Set(seats.flatMap(({ replica }) => replica?.core.membership.voters ?? []));
      const votes = ({ replica }: Seat): boolean => replica !== null && replica.core.doubt === null;
      return seats.every((seat) => seat.id === node || !voters.has(seat.id) || votes(seat));
    });
  }

  #changeMembers(goal: Goal & { readonly forMs: number }, random: SeededRandom, hit: () => void): void {
    const world = {
      seats: this.#shards[0] as readonly Seat[],
      loop: this.#loop,
      trace: this.#trace,
      random,
      startLater: (node: SimNode) => this.#for(random.between(10, 1000), () => node.start()),
      loseSoon: (node: SimNode) => this.#loseSoon(node, random),
    };
    const way = new MemberGoal(world, goal, hit);
    this.#for(goal.forMs, () => way.end());
  }

  #changePlacement(wish: Wish & { readonly forMs: number }, random: SeededRandom, hit: () => void): void {
    const world = {
      nodes: this.#nodes,
      loop: this.#loop,
      trace: this.#trace,
      random,
      slots: this.#slots,
      startLater: (node: SimNode) => this.#for(random.between(10, 1000), () => node.start()),
      loseSoon: (node: SimNode) => this.#loseSoon(node, random),
    };
    const way = new PlacementWish(world, wish, hit);
    this.#for(wish.forMs, () => way.end());
  }

  #pause(node: SimNode, forMs: number, hit: () => void): void {
    const { life } = node;
    if (life === null || life.process.paused) return;
    life.process.pause();
    hit();
    this.#for(forMs, () => life.process.resume());
  }

  #forgetLease(random: SeededRandom, forMs: number, hit: () => void): void {
    const leader = this.#leader(random);
    if (leader === null || this.#nodes.length < 3) return;
    const undoAfter = (ms: number, undo: () => void): void => this.#for(ms, undo);
    const stage = {
      nodes: this.#nodes,
      loop: this.#loop,
      network: this.#network,
      random,
      lull: this.#lull,
      undoAfter,
    };
    const lease = new ForgottenLease(stage, leader, forMs, hit);
    this.#leases.add(lease);
    this.#for(forMs + 2000, () => this.#leases.delete(lease));
  }

  #handOver(random: SeededRandom, hit: () => void): void {
    const leader = this.#leader(random);
    if (leader === null) return;
    const target = random.pick(this.#nodes);
    leader.life?.process.enter(() => {
      const started = leader.replica?.handOver(target.id, leader.clock.monotonicMs()) === true;
      this.#trace.say(leader.id, `hand over to ${target.id}: ${started ? 'started' : 'not now'}`);
      if (started) hit();
      leader.life?.host?.touched();
    });
  }
}
