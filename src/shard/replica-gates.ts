import type { AckPolicy, Stage } from './ack-policy.ts';
import type { GateWaiter } from './gate-board.ts';
import { GateBoard } from './gate-board.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';
import type { Gatekeeper } from './reply-queue.ts';

/** What replies wait for on one replica: positions that policies ask for, and proof that it leads. */
export class ReplicaGates implements Gatekeeper {
  readonly replica: Replica;
  readonly #context: ReplicaContext;
  readonly #board = new GateBoard((policy) => this.reached(policy));
  #proofWaiters: GateWaiter[] = [];

  constructor(replica: Replica, context: ReplicaContext) {
    this.replica = replica;
    this.#context = context;
  }

  get waiting(): number {
    return this.#board.waiting + this.#proofWaiters.length;
  }

  waitsFor(stage: 'received' | 'applied'): boolean {
    return this.#board.waitsFor(stage);
  }

  positionsMoved(): void {
    this.#board.positionsMoved();
  }

  leadershipEnded(): void {
    this.#board.leadershipEnded();
  }

  /** The LSN up to which a policy is met. */
  reached(policy: AckPolicy): number {
    const { core } = this.replica;
    if (policy.who === 'none') return Number.POSITIVE_INFINITY;
    if (policy.who === 'leader') return this.#ownPosition(policy.stage);
    if (policy.who === 'majority' && policy.stage !== 'applied') return core.commit;
    const leadership = core.leadership;
    if (leadership === null) return 0;
    const own = this.#ownPosition(policy.stage);
    const { membership } = core;
    if (typeof policy.who === 'number') return leadership.heldBy(membership, policy.who, policy.stage, own);
    const byMajority = Math.min(core.commit, leadership.heldBy(membership, core.majority, policy.stage, own));
    if (policy.who === 'majority') return byMajority;
    const now = this.#context.clock.monotonicMs();
    const least = Math.max(core.majority, this.#context.options.minInSync);
    const byLeast = leadership.heldBy(membership, least, policy.stage, own);
    return Math.min(byMajority, byLeast, leadership.heldByInSync(membership, policy.stage, own, now));
  }

  #ownPosition(stage: Stage): number {
    if (stage === 'flushed') return this.replica.core.flushed;
    return stage === 'received' ? this.replica.lastLsn : this.replica.keyspace.appliedLsn;
  }

  /** Followers that hold an LSN at a stage: what WAIT counts. Learners are no copies to rely on. */
  followersHolding(lsn: number, stage: Stage): number {
    const { leadership, membership } = this.replica.core;
    let count = 0;
    for (const voter of membership.voters) {
      const progress = leadership?.followers.get(voter);
      if (progress !== undefined && progress[stage] >= lsn) count += 1;
    }
    return count;
  }

  // As the keeper of replies.

  isOpen(policy: AckPolicy, lsn: number): boolean {
    return this.#board.isOpen(policy, lsn);
  }

  wait(policy: AckPolicy, lsn: number, waiter: GateWaiter): void {
    this.#board.wait(policy, lsn, waiter);
    this.replica.core.wantReceived = this.#board.waitsFor('received');
    this.replica.core.wantApplied = this.#board.waitsFor('applied');
  }

  wasLeaderAt(readMs: number, confirmed: boolean): boolean {
    const { leadership, membership } = this.replica.core;
    // What was read in an earlier term is not proven by this one.
    if (leadership === null || leadership.startedMs > readMs) return false;
    const now = this.#context.clock.monotonicMs();
    if (!confirmed && leadership.leaseUntilMs(membership, now) > now) return true;
    return leadership.confirmedMs(membership, now) >= readMs;
  }

  get leads(): boolean {
    return this.replica.core.leadership !== null;
  }

  mayProve(readMs: number): boolean {
    const { leadership } = this.replica.core;
    return leadership !== null && leadership.startedMs <= readMs;
  }

  shutBy(ended: Gatekeeper, policy: AckPolicy, lsn: number): boolean {
    return ended === this && !this.isOpen(policy, lsn);
  }

  awaitProof(waiter: GateWaiter): void {
    this.#proofWaiters.push(waiter);
    if (this.replica.core.leadership !== null) this.replica.core.leadership.confirmationWanted = true;
    this.#context.touched();
  }

  leadershipConfirmed(): void {
    const waiters = this.#proofWaiters;
    if (waiters.length === 0) return;
    this.#proofWaiters = [];
    for (const waiter of waiters) waiter.gateOpened();
  }
}
