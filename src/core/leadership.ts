import { EndTrace } from './end-trace.ts';
import { everyMember, isVoter, majorityOf } from './membership.ts';
import type { CoreOptions } from './options.ts';
import { Progress } from './progress.ts';
import { kthHighest } from './quorum.ts';
import type { Lsn, Membership, NodeId, Term } from './types.ts';

/** A stage that a copy of an entry passes on a replica. */
export type Stage = 'received' | 'flushed' | 'applied';

interface PendingReadIndex {
  readonly from: NodeId;
  readonly context: number;
  readonly commit: Lsn;
  readonly askedMs: number;
}

/** A leader's knowledge during one term: its followers, its lease, a handover under way. Gone when it steps down. */
export class Leadership {
  readonly term: Term;
  readonly self: NodeId;
  /** LSN of the no-op that opened the term. */
  readonly firstLsn: Lsn;
  readonly followers = new Map<NodeId, Progress>();
  readonly startedMs: number;
  /** Monotonic ms since when it has led without a transfer: before it tries to hand over on its own again. */
  quietSinceMs: number;
  /** Monotonic ms of the latest heartbeat round. */
  heartbeatMs = Number.NEGATIVE_INFINITY;
  /** Monotonic ms when followers were last looked after, which is done at the pace of heartbeats. */
  lookedMs = Number.NEGATIVE_INFINITY;
  /** Someone wants leadership confirmed without waiting for the next round. */
  confirmationWanted = false;
  /** A transfer of leadership under way. */
  handover: {
    readonly target: NodeId;
    readonly deadlineMs: number;
    readonly keep: boolean;
    told: boolean;
  } | null = null;
  /** An operator moved leadership here: it is not given back to a preferred node. */
  kept = false;
  /** Set by the first handover of the term: an abandoned transfer must not revive a lease. */
  leaseOver = false;
  readonly readIndexes: PendingReadIndex[] = [];
  /** Where this log ended, and when. */
  readonly ends = new EndTrace();
  readonly #options: CoreOptions;
  /** Where the commit was seen, and since when (monotonic ms) it has been there with entries to commit behind it. */
  #waitingAt: Lsn = -1;
  #waitingSinceMs = 0;
  readonly #scratch: number[] = [];

  constructor(
    self: NodeId,
    term: Term,
    firstLsn: Lsn,
    membership: Membership,
    now: number,
    options: CoreOptions,
  ) {
    this.self = self;
    this.term = term;
    this.firstLsn = firstLsn;
    this.startedMs = now;
    this.quietSinceMs = now;
    this.#options = options;
    this.ends.note(now, firstLsn);
    this.follow(membership, firstLsn);
  }

  /** Keeps a progress for each other member, new ones beginning at `next`. */
  follow(membership: Membership, next: Lsn): void {
    const members = everyMember(membership);
    for (const node of members)
      if (node !== this.self && !this.followers.has(node)) this.followers.set(node, new Progress(next));
    for (const node of this.followers.keys()) if (!members.includes(node)) this.followers.delete(node);
  }

  /** Highest LSN that `k` voters hold at this stage, the leader's own copy at `own` included; -Infinity for fewer voters. */
  heldBy(membership: Membership, k: number, stage: Stage, own: Lsn): Lsn {
    const values = this.#scratch;
    values.length = 0;
    for (const voter of membership.voters) {
      const progress = this.followers.get(voter);
      if (voter === this.self) values.push(own);
      else if (progress !== undefined) values.push(progress[stage]);
    }
    return kthHighest(values, k);
  }

  /** The lowest position of this stage among the in-sync voters and the leader's own. */
  heldByInSync(membership: Membership, stage: Stage, own: Lsn, now: number): Lsn {
    let lowest = own;
    for (const voter of membership.voters) {
      const progress = this.followers.get(voter);
      if (progress !== undefined && this.isInSync(progress, now)) lowest = Math.min(lowest, progress[stage]);
    }
    return lowest;
  }

  isInSync(progress: Progress, now: number): boolean {
    return now - progress.caughtUpMs <= this.#options.inSyncLagMs;
  }

  /** Voters in sync, the leader included. */
  inSyncVoters(membership: Membership, now: number): number {
    let count = isVoter(membership, this.self) ? 1 : 0;
    for (const voter of membership.voters) {
      const progress = this.followers.get(voter);
      if (progress !== undefined && this.isInSync(progress, now)) count += 1;
    }
    return count;
  }

  /** Monotonic ms of a moment at which a majority still followed this leader: a heartbeat round that it answered left then. */
  confirmedMs(membership: Membership, now: number): number {
    const values = this.#scratch;
    values.length = 0;
    for (const voter of membership.voters) {
      const progress = this.followers.get(voter);
      if (voter === this.self) values.push(now);
      else if (progress !== undefined) values.push(progress.confirmedMs);
    }
    return kthHighest(values, majorityOf(membership));
  }

  /** Until when (monotonic ms) no other leader can have committed anything. */
  leaseUntilMs(membership: Membership, now: number): number {
    if (!this.#options.leases || this.leaseOver) return Number.NEGATIVE_INFINITY;
    return this.confirmedMs(membership, now) + this.#options.leaseMs;
  }

  /** How long there has been something to commit and none of it was committed. */
  waitingMs(commit: Lsn, last: Lsn, now: number): number {
    if (commit !== this.#waitingAt || commit === last) {
      this.#waitingAt = commit;
      this.#waitingSinceMs = now;
    }
    return now - this.#waitingSinceMs;
  }

  /** True when a voter needs a checkpoint at or beyond `lsn`, and was offered none. */
  hasNothingFor(membership: Membership, lsn: Lsn): boolean {
    return membership.voters.some((voter) => {
      const progress = this.followers.get(voter);
      return progress?.state === 'snapshot' && progress.snapshotLsn < lsn;
    });
  }

  /** True when a majority was heard within the window. */
  heardMajority(membership: Membership, now: number, windowMs: number): boolean {
    let count = isVoter(membership, this.self) ? 1 : 0;
    for (const voter of membership.voters) {
      const progress = this.followers.get(voter);
      const heardMs = Math.max(progress?.heardMs ?? Number.NEGATIVE_INFINITY, this.startedMs);
      if (progress !== undefined && now - heardMs < windowMs) count += 1;
    }
    return count >= majorityOf(membership);
  }
}
