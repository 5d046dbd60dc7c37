import { everyMember, isVoter } from '../core/membership.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { EventLoop } from './event-loop.ts';
import type { Seat } from './seat.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import type { Trace } from './trace.ts';

export type Place = 'voter' | 'learner' | 'absent';

/** Where a node is to stand among the members. */
export interface Goal {
  readonly node: NodeId;
  readonly place: Place;
  /** Once it is absent, its data is thrown away. */
  readonly emptied: boolean;
  /** Who proposes the first step loses power soon after it. */
  readonly fatal: boolean;
  /** So many voters are left at least. */
  readonly least: number;
}

/** What the goal works with. */
interface World {
  /** In the shard whose members change. */
  readonly seats: readonly Seat[];
  readonly loop: EventLoop;
  readonly trace: Trace;
  readonly random: SeededRandom;
  /** Starts a node again that was emptied. */
  startLater(node: SimNode): void;
  loseSoon(node: SimNode): void;
}

/**
 * Leads one node to its place among the members, a step at a time and again and again until it stands there, as whoever
 * administers a cluster does: asks the leader of the moment, whatever became of what was asked before.
 */
export class MemberGoal {
  readonly #world: World;
  readonly #goal: Goal;
  readonly #hit: () => void;
  #over = false;
  #deadly: boolean;

  /** @param hit a step was taken */
  constructor(world: World, goal: Goal, hit: () => void) {
    this.#world = world;
    this.#goal = goal;
    this.#hit = hit;
    this.#deadly = goal.fatal;
    this.#try();
  }

  end(): void {
    this.#over = true;
  }

  #try(): void {
    if (this.#over) return;
    const serving = this.#world.seats.filter(({ replica }) => replica?.serving === true);
    const [leader] = serving.sort((a, b) => (b.replica?.core.term ?? 0) - (a.replica?.core.term ?? 0));
    leader?.life?.process.enter(() => {
      const { replica } = leader;
      if (!this.#over && replica?.serving === true) this.#step(leader, replica);
      leader.life?.host?.touched();
    });
    this.#world.loop.after(this.#world.random.between(10, 200), () => this.#try());
  }

  #step(leader: Seat, replica: Replica): void {
    const { node, place, least } = this.#goal;
    const { membership } = replica.core;
    const from = placeOf(membership, node);
    if (from === place) {
      this.#reached(replica);
      return;
    }
    if (from === 'voter' && membership.voters.length <= least) {
      this.#over = true;
      return;
    }
    if (node === leader.id) {
      replica.handOver(this.#world.random.pick(membership.voters), leader.clock.monotonicMs());
      return;
    }
    const next = towards(membership, node, place);
    const refusal = replica.changeMembership(next, leader.clock.monotonicMs());
    const { voters, learners } = next;
    const answer = refusal === null ? 'proposed' : refusal.code;
    this.#world.trace.say(leader.id, `members ${voters.join(' ')} | ${learners.join(' ')}: ${answer}`);
    if (refusal !== null) return;
    this.#hit();
    if (this.#deadly) this.#world.loseSoon(leader.node);
    this.#deadly = false;
  }

  #reached(replica: Replica): void {
    const { node, place, emptied } = this.#goal;
    const { core } = replica;
    if (core.memberships.currentLsn > core.commit) return;
    this.#over = true;
    if (!emptied || place !== 'absent' || this.#mayBeMember(node, core.membership)) return;
    const { node: gone } = this.#world.seats.find(({ id }) => id === node) as Seat;
    gone.leave(core.membership);
    this.#world.startLater(gone);
  }

  /** A leader of the past may not know that the node was called back: some member does then. */
  #mayBeMember(node: NodeId, membership: Membership): boolean {
    return everyMember(membership).some((id) => {
      const replica = this.#world.seats.find((one) => one.id === id)?.replica ?? null;
      return replica === null || everyMember(replica.core.membership).includes(node);
    });
  }
}

function placeOf(membership: Membership, node: NodeId): Place {
  if (isVoter(membership, node)) return 'voter';
  return membership.learners.includes(node) ? 'learner' : 'absent';
}

/** The next membership on a node's way to its place: nobody becomes a voter who was no learner. */
function towards(membership: Membership, node: NodeId, place: Place): Membership {
  const voters = membership.voters.filter((id) => id !== node);
  const learners = membership.learners.filter((id) => id !== node);
  if (place === 'absent') return { voters, learners };
  const promoted = place === 'voter' && placeOf(membership, node) === 'learner';
  return promoted ? { voters: [...voters, node], learners } : { voters, learners: [...learners, node] };
}
