import type { Standing } from '../core/term-index.ts';
import type { Position } from '../core/types.ts';
import { Freshness } from './freshness.ts';
import { ReadQuestions } from './read-questions.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** A reader who waits for a replica to come further. */
export interface StateWaiter {
  /** It has, or may have: look again. */
  stateMoved(): void;
}

/** What one replica can tell its readers of how current its state is, and who waits for it to become more so. */
export class ReplicaReads {
  readonly #replica: Replica;
  readonly #context: ReplicaContext;
  readonly #freshness = new Freshness();
  readonly #questions: ReadQuestions;
  #waiting = new Set<StateWaiter>();
  /** How far the state had come when they were last called. */
  #wokenAt = 0;

  constructor(replica: Replica, context: ReplicaContext) {
    this.#replica = replica;
    this.#context = context;
    this.#questions = new ReadQuestions(context.random.float());
  }

  /** On a follower, the own time as of which its state lacks nothing; -Infinity when unknown. */
  get provenMs(): number {
    return this.#freshness.provenMs(this.#replica.keyspace.appliedLsn);
  }

  /**
   * On a follower: true when the state is provably no older than `atMs` (own clock), by the leader's lease or else
   * whatever clocks do. If not, the leader is asked at the end of the turn: call `wait`.
   */
  provenAsOf(atMs: number, byLease: boolean): boolean {
    const applied = this.#replica.keyspace.appliedLsn;
    const proven = byLease ? this.#freshness.provenMs(applied) : this.#freshness.confirmedMs(applied);
    if (proven >= atMs) return true;
    this.#questions.want(atMs, byLease);
    this.#context.touched();
    return false;
  }

  /** Whether the state that readers see here includes an entry that some leader gave out. */
  standing(position: Position): Standing {
    const { core, serving, lastLsn, keyspace } = this.#replica;
    if (serving) {
      // Another one leads by now: what this one holds there was never committed.
      if (position.term > core.term) return 'awaited';
      if (position.lsn <= core.lastLsn) return core.log.standing(position);
      if (position.term < core.term) return 'lost';
      return position.lsn <= lastLsn ? 'held' : 'awaited';
    }
    const applied = keyspace.appliedLsn;
    if (position.lsn <= applied) return core.log.standing(position);
    // What the log holds beyond that may yet be cut.
    return position.term < core.log.termAt(applied) ? 'lost' : 'awaited';
  }

  /** The LSN up to which readers see entries here. */
  get reached(): number {
    return this.#replica.serving ? this.#replica.lastLsn : this.#replica.keyspace.appliedLsn;
  }

  /** The term of the last entry that readers see here. */
  get term(): number {
    const { serving, core, keyspace } = this.#replica;
    return serving ? core.term : core.log.termAt(keyspace.appliedLsn);
  }

  /** The waiter is called when the state has come further, or is proven to be fresher. */
  wait(waiter: StateWaiter): void {
    this.#waiting.add(waiter);
  }

  /** The waiter has gone. */
  forget(waiter: StateWaiter): void {
    this.#waiting.delete(waiter);
  }

  /** The turn ends: calls those for whom something may have changed. */
  wake(): void {
    if (this.#replica.rebuilding) return;
    const { reached } = this;
    const proven = !this.#replica.serving && this.#freshness.applied(reached);
    if (!proven && reached === this.#wokenAt) return;
    this.#wokenAt = reached;
    const waiting = this.#waiting;
    if (waiting.size === 0) return;
    this.#waiting = new Set();
    for (const waiter of waiting) waiter.stateMoved();
  }

  /** The turn ends: the one question that readers have for the leader, if any. */
  ask(now: number): void {
    const { core } = this.#replica;
    const question = this.#questions.next(now, this.#context.options.core.heartbeatMs);
    if (question === null || core.leader === null || core.leader === this.#context.self) return;
    this.#replica.send(core.leader, { kind: 'readIndexRequest', term: core.term, ...question });
  }

  /** The leader answered a question; null when it cannot prove that it leads. */
  answered(context: number, commit: number | null): void {
    const asked = this.#questions.answered(context);
    if (asked !== null && commit !== null) this.#freshness.learned(asked.askedMs, commit, !asked.byLease);
  }

  /** The leader vouches by its lease: whatever was committed anywhere at `atMs` is at or below `commit`. */
  vouched(atMs: number, commit: number): void {
    this.#freshness.learned(atMs, commit, false);
  }

  /** Nobody answers what the last leader was asked. */
  leaderChanged(): void {
    this.#questions.forget();
  }
}
