/** "Whatever was committed anywhere at `atMs` (own monotonic clock) is at or below `commit`", and who vouches for it. */
interface Statement {
  readonly atMs: number;
  readonly commit: number;
  /** A majority confirmed it; else the leader's lease does, which rests on clocks that run at nearly the same speed. */
  readonly confirmed: boolean;
}

/** The latest statement that the state of this replica has caught up with. */
class Proven {
  atMs = Number.NEGATIVE_INFINITY;
  commit = 0;

  raise(statement: Statement): void {
    if (statement.atMs <= this.atMs) return;
    this.atMs = statement.atMs;
    this.commit = statement.commit;
  }

  /** The own time as of which the state lacks nothing; -Infinity when the state has gone back since. */
  since(applied: number): number {
    return applied >= this.commit ? this.atMs : Number.NEGATIVE_INFINITY;
  }
}

/** Statements that wait for the state to catch up; a replica that lags far remembers only some of them. */
const maxWaiting = 256;

/**
 * What a follower can prove about how current its state is. It collects statements about commits, each with a time of
 * its own clock, and turns one into proof when it has applied that commit. So no two clocks are compared, an idle shard
 * is as fresh as its last heartbeat, and the age of a replica that hears nothing grows.
 */
export class Freshness {
  readonly #byLease = new Proven();
  readonly #confirmed = new Proven();
  #waiting: Statement[] = [];

  learned(atMs: number, commit: number, confirmed: boolean): void {
    if (this.#waiting.length >= maxWaiting) this.#waiting = this.#waiting.filter((_, i) => i % 2 === 1);
    this.#waiting.push({ atMs, commit, confirmed });
  }

  /** The state reached `applied`: true when that proves something new. */
  applied(applied: number): boolean {
    let proven = false;
    let kept = 0;
    for (const statement of this.#waiting) {
      if (statement.commit > applied) {
        this.#waiting[kept++] = statement;
        continue;
      }
      proven = true;
      this.#byLease.raise(statement);
      if (statement.confirmed) this.#confirmed.raise(statement);
    }
    this.#waiting.length = kept;
    return proven;
  }

  /** The own time as of which the state lacks nothing, if clocks are what they should be; -Infinity when unknown. */
  provenMs(applied: number): number {
    return this.#byLease.since(applied);
  }

  /** The same, whatever clocks do. */
  confirmedMs(applied: number): number {
    return this.#confirmed.since(applied);
  }
}
