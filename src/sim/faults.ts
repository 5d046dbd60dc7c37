import type { Message, NodeId } from '../core/types.ts';
import type { EventLoop } from './event-loop.ts';
import type { Fault } from './fault-plan.ts';
import { describeFault, theLeader } from './fault-plan.ts';
import type { SimNetwork } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import type { Trace } from './trace.ts';

/** How soon a process that ended is started again once all faults are over, in ms. */
const restartMs = 100;

/** Makes things go wrong, and right again. */
export class Faults {
  readonly #nodes: readonly SimNode[];
  readonly #loop: EventLoop;
  readonly #network: SimNetwork;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  /** What undoes the faults that are at work. */
  readonly #undo = new Set<() => void>();
  /** The next of these costs its sender the power. */
  readonly #fatal = new Set<Message['kind']>();
  #over = false;

  constructor(
    nodes: readonly SimNode[],
    loop: EventLoop,
    network: SimNetwork,
    random: SeededRandom,
    trace: Trace,
  ) {
    this.#nodes = nodes;
    this.#loop = loop;
    this.#network = network;
    this.#random = random;
    this.#trace = trace;
    network.onSend = (from, message) => this.#sent(from, message);
  }

  #sent(from: NodeId, message: Message): void {
    if (!this.#fatal.delete(message.kind)) return;
    this.#loop.after(this.#random.pick([0, 0.05, 0.5, 3]), () => {
      this.#trace.say('fault', `power loss: ${from} after ${message.kind}`);
      this.#node(from).crash('power loss');
      this.#for(this.#random.pick([20, 300, 3000]), () => this.#node(from).start());
    });
  }

  schedule(plan: readonly Fault[]): void {
    for (const planned of plan) {
      this.#loop.after(planned.atMs, () => {
        if (this.#over) return;
        const fault = this.#named(planned);
        this.#trace.say('fault', describeFault(fault));
        this.#cause(fault);
      });
    }
  }

  /** Ends all faults; none comes any more. */
  end(): void {
    this.#over = true;
    this.#fatal.clear();
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
  #named<T extends Fault>(fault: T): T {
    const leader =
      this.#nodes.find(({ replica }) => replica?.serving === true) ?? this.#random.pick(this.#nodes);
    const name = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(name);
      return value === theLeader ? leader.id : value;
    };
    return Object.fromEntries(
      Object.entries(fault).map(([key, value]) => [key, name(value)]),
    ) as unknown as T;
  }

  #for(ms: number, undo: () => void): void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    this.#loop.after(ms, once);
  }

  #cause(fault: Fault): void {
    const { forMs } = fault;
    switch (fault.kind) {
      case 'kill':
      case 'power loss':
        this.#node(fault.node).crash(fault.kind);
        break;
      case 'dies of':
        this.#fatal.add(fault.message);
        break;
      case 'rot':
        if (this.#othersVote(fault.node)) this.#node(fault.node).rot();
        break;
      case 'wipe':
        if (this.#othersVote(fault.node)) this.#node(fault.node).wipe();
        break;
      case 'power loss everywhere':
        for (const node of this.#nodes) {
          node.crash('power loss');
          this.#for(this.#random.between(10, forMs), () => node.start());
        }
        break;
      case 'pause':
        this.#pause(this.#node(fault.node), forMs);
        break;
      case 'hand over':
        this.#handOver();
        break;
      case 'checkpoint':
        for (const { replica, life } of this.#nodes) life?.process.enter(() => replica?.checkpointNow());
        break;
      case 'wall clock':
        this.#node(fault.node).clock.wallErrorMs += fault.ms;
        break;
      case 'disk hangs':
      case 'disk fails':
      case 'disk slow':
        this.#disk(fault);
        break;
      default:
        this.#networkFault(fault);
    }
    // Whoever died meanwhile is started again.
    this.#for(forMs, () => {
      for (const node of this.#nodes) if (node.life === null) node.start();
    });
  }

  /** While others are in doubt too, as when a cluster begins, the data of one more is more than it can lose. */
  #othersVote(node: NodeId): boolean {
    return this.#nodes.every(({ id, replica }) => id === node || replica?.core.doubt === null);
  }

  #pause(node: SimNode, forMs: number): void {
    const { life } = node;
    if (life === null || life.process.paused) return;
    life.process.pause();
    this.#for(forMs, () => life.process.resume());
  }

  #handOver(): void {
    const leader = this.#nodes.find(({ replica }) => replica?.serving === true);
    if (leader === undefined) return;
    const target = this.#random.pick(this.#nodes);
    leader.life?.process.enter(() => {
      const started = leader.replica?.handOver(target.id, leader.clock.monotonicMs()) === true;
      this.#trace.say(leader.id, `hand over to ${target.id}: ${started ? 'started' : 'not now'}`);
      leader.life?.host?.touched();
    });
  }

  #disk(fault: Extract<Fault, { kind: 'disk hangs' | 'disk fails' | 'disk slow' }>): void {
    const { disk } = this.#node(fault.node);
    if (fault.kind === 'disk hangs') {
      disk.hangsUntilMs = this.#loop.nowMs + fault.forMs;
    } else if (fault.kind === 'disk fails') {
      disk.failsNext = true;
      this.#for(fault.forMs, () => {
        disk.failsNext = false;
      });
    } else {
      disk.slowMs += fault.ms;
      this.#for(fault.forMs, () => {
        disk.slowMs -= fault.ms;
      });
    }
  }

  #networkFault(fault: Fault): void {
    const { paths } = this.#network;
    if (fault.kind === 'break') {
      this.#network.breakLinks(fault.from, fault.to);
    } else if (fault.kind === 'clog') {
      paths.clog(fault.from, fault.to, fault.ms);
      this.#for(fault.forMs, () => paths.unclog(fault.from, fault.to, fault.ms));
    } else {
      const blocked = this.#blockedBy(fault);
      for (const [from, to] of blocked) paths.block(from, to);
      this.#for(fault.forMs, () => {
        for (const [from, to] of blocked) paths.unblock(from, to);
      });
    }
  }

  #blockedBy(fault: Fault): (readonly [NodeId, NodeId])[] {
    const nodes = this.#nodes.map(({ id }) => id);
    switch (fault.kind) {
      case 'partition': {
        const there = nodes.filter((node) => !fault.side.includes(node));
        return fault.side.flatMap((a) =>
          there.flatMap(
            (b) =>
              [
                [a, b],
                [b, a],
              ] satisfies [NodeId, NodeId][],
          ),
        );
      }
      case 'one way':
        return [[fault.from, fault.to]];
      case 'cut off':
        return [
          [fault.from, fault.to],
          [fault.to, fault.from],
        ];
      case 'deaf':
        return nodes.map((node) => [node, fault.node] as const);
      case 'mute':
        return nodes.map((node) => [fault.node, node] as const);
      default:
        return [];
    }
  }
}
