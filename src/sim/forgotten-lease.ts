import type { Message, NodeId } from '../core/types.ts';
import type { EventLoop } from './event-loop.ts';
import type { SimNetwork } from './network.ts';
import { disturbNetwork } from './network-faults.ts';
import type { Seat } from './seat.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';

/** How long a follower hears no leader before its voters are put to the test: it looks for votes by then, in ms. */
const silenceMs = { from: 350, to: 900 };
/** Requests under way are over by then, in ms, and every lease that was confirmed before. */
const settleMs = 80;
const leaseEndsMs = 300;
/** An answer needs this long to arrive before its sender may go, in ms. */
const arrivesMs = 8;

/** What lets the fault begin and end things. */
export interface Stage {
  readonly nodes: readonly SimNode[];
  readonly loop: EventLoop;
  readonly network: SimNetwork;
  readonly random: SeededRandom;
  /** Clients ask nothing for a while. */
  lull(forMs: number): void;
  /** Undoes something after a while, or when faults end. */
  undoAfter(ms: number, undo: () => void): void;
}

/**
 * Asks whether a voter that restarts still honours the lease that it confirmed: one follower looks for votes, the
 * others restart at once and quickly, and the old leader hears of nothing while it still may serve reads.
 */
export class ForgottenLease {
  readonly #stage: Stage;
  readonly #shard: number;
  readonly #leader: SimNode;
  readonly #candidate: SimNode;
  readonly #voters: readonly SimNode[];
  readonly #forMs: number;
  readonly #hit: () => void;
  #armed = false;

  constructor(stage: Stage, { shard, node: leader }: Seat, forMs: number, hit: () => void) {
    this.#stage = stage;
    this.#shard = shard;
    this.#leader = leader;
    this.#forMs = forMs;
    this.#hit = hit;
    const [candidate = leader, ...voters] = stage.random.shuffled(
      stage.nodes.filter((node) => node !== leader),
    );
    this.#candidate = candidate;
    // A bare majority is enough to elect, and the fewer must restart the better.
    this.#voters = voters.slice(0, Math.ceil((stage.nodes.length - 1) / 2));
    const waitMs = stage.random.between(silenceMs.from, silenceMs.to);
    // Nobody votes for a candidate that lacks writes: there are none meanwhile, and it has all from before.
    stage.lull(settleMs + waitMs + leaseEndsMs);
    stage.loop.after(settleMs, () => this.#cut([candidate.id], waitMs + forMs));
    stage.loop.after(settleMs + waitMs, () => {
      this.#armed = true;
    });
  }

  #cut(from: readonly NodeId[], forMs: number): void {
    const { network, nodes } = this.#stage;
    const names = [this.#leader.id, ...from];
    const fault = { kind: 'partition', side: [this.#leader.id], atMs: 0, forMs, salt: 0 } as const;
    const undo = disturbNetwork(
      network,
      nodes.map(({ id }) => id).filter((id) => names.includes(id)),
      fault,
      () => {},
    );
    this.#stage.undoAfter(forMs, undo);
  }

  /** A process sent a message: the next confirmation of the leader's lease springs the trap. */
  sent(from: NodeId, to: NodeId, shard: number, message: Message): void {
    const confirms = message.kind === 'heartbeatAck' && shard === this.#shard && to === this.#leader.id;
    if (!this.#armed || !confirms || from === this.#candidate.id) return;
    this.#armed = false;
    const { loop, nodes, random } = this.#stage;
    loop.after(arrivesMs, () => {
      this.#hit();
      this.#cut(
        nodes.map(({ id }) => id),
        this.#forMs,
      );
      for (const voter of this.#voters) {
        voter.crash('kill');
        this.#stage.undoAfter(random.between(1, 10), () => voter.start());
      }
    });
  }
}
