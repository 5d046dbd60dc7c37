import type { Bytes } from '../bytes/types.ts';
import type { ReadControl } from '../commands/types.ts';
import type { AckPolicy } from './ack-policy.ts';
import type { Needs } from './command-needs.ts';
import type { ReadLevel } from './read-level.ts';
import { formatReadLevel, linearizable, parseReadLevel } from './read-level.ts';
import type { Replica } from './replica.ts';
import type { Gate } from './reply-queue.ts';
import type { SessionToken } from './session-token.ts';
import { formatToken, parseToken } from './session-token.ts';

/** Whether a read may run now: yes, when this replica has come further, or never (the line that says why). */
export type Admission = 'run' | 'wait' | { readonly error: string };

const afterSyntax = 'ERR syntax error: REPL AFTER <token> [TIMEOUT milliseconds] | REPL AFTER NONE';

/** What one connection asks of its reads: a level, a place in history that they must include, and what it has seen. */
export class SessionReads implements ReadControl {
  level: ReadLevel = linearizable;
  /** What REPL AFTER named. */
  #after: SessionToken | null = null;
  /** How long reads wait for that before they are sent to the leader, in ms; null: as long as other reads. */
  #afterTimeoutMs: number | null = null;
  /** The latest place that this connection wrote or read; LSN 0 before the first. */
  #seenShard = 0;
  #seenTerm = 0;
  #seenLsn = 0;

  reset(level: ReadLevel): void {
    this.level = level;
    this.#after = null;
    this.#seenTerm = 0;
    this.#seenLsn = 0;
  }

  setLevel(words: readonly Bytes[]): string | null {
    const level = parseReadLevel(words);
    if (typeof level === 'string') return level;
    this.level = level;
    return null;
  }

  setAfter(words: readonly Bytes[]): string | null {
    const [text = '', option, ms] = words;
    if (words.length === 1 && text.toLowerCase() === 'none') {
      this.#after = null;
      return null;
    }
    if (words.length !== 1 && (words.length !== 3 || option?.toLowerCase() !== 'timeout')) return afterSyntax;
    if (ms !== undefined && !/^\d{1,9}$/.test(ms)) return 'ERR timeout is not an integer or out of range';
    const token = parseToken(text);
    if (token === null) return 'ERR that is no token: REPL TOKEN gives one out, as shard:term:lsn';
    this.#after = token;
    this.#afterTimeoutMs = ms === undefined ? null : ms === '0' ? Number.POSITIVE_INFINITY : Number(ms);
    return null;
  }

  get levelText(): string {
    return formatReadLevel(this.level);
  }

  get token(): string | null {
    if (this.#seenLsn === 0) return null;
    return formatToken({ shard: this.#seenShard, term: this.#seenTerm, lsn: this.#seenLsn });
  }

  /** The connection wrote, or read a state, at this place. */
  saw(shard: number, term: number, lsn: number): void {
    if (
      shard === this.#seenShard &&
      (term < this.#seenTerm || (term === this.#seenTerm && lsn <= this.#seenLsn))
    )
      return;
    this.#seenShard = shard;
    this.#seenTerm = term;
    this.#seenLsn = lsn;
  }

  /** How long a read waits at most for this replica to come as far as it must. */
  waitMs(usualMs: number): number {
    return this.#after === null ? usualMs : (this.#afterTimeoutMs ?? usualMs);
  }

  /**
   * Whether a read may run on this replica now. On a leader, its reply then still waits for what the level asks for.
   * @param sentByMs the read was sent at or before this time
   * @param now the clock, read once for each question
   */
  admit(replica: Replica, leading: boolean, sentByMs: number, now: () => number): Admission {
    const after = this.#after;
    if (after !== null && after.shard === replica.shard) {
      const admission = this.#includes(replica, after);
      if (admission !== 'run') return admission;
    }
    const { kind, bound } = this.level;
    if (kind === 'session') return this.#includesSeen(replica);
    if (kind === 'bounded lsn') return replica.reads.reached >= bound ? 'run' : 'wait';
    if (leading) return 'run';
    if (kind === 'strict') return replica.reads.provenAsOf(sentByMs, false) ? 'run' : 'wait';
    if (kind === 'bounded') return replica.reads.provenAsOf(now() - bound, true) ? 'run' : 'wait';
    return 'run';
  }

  /** What a reply to something that looked at the leader's state waits for. */
  gate(replica: Replica, needs: Needs, lsn: number, readMs: number, policy: AckPolicy): Gate | null {
    const { kind, bound } = this.level;
    // What a command that could have written says of the state must hold now, whatever reads may show.
    const relaxed = needs === 'read' && kind !== 'linearizable' && kind !== 'strict';
    if (relaxed && kind === 'local') return null;
    const gate = { keeper: replica, policy, lsn, readMs, confirmed: kind === 'strict' };
    if (!relaxed) return gate;
    const ledMs = replica.core.leadership?.startedMs ?? readMs;
    gate.readMs = kind === 'bounded' ? Math.max(readMs - bound, ledMs) : -1;
    if (kind === 'bounded lsn') gate.lsn = Math.max(lsn, bound);
    return gate;
  }

  /** Asked after a follower's state was read: false when a bound in time no longer holds. */
  isFresh(replica: Replica, now: () => number): boolean {
    const { kind, bound } = this.level;
    return kind !== 'bounded' || replica.reads.provenAsOf(now() - bound, true);
  }

  #includesSeen(replica: Replica): Admission {
    if (this.#seenLsn === 0 || this.#seenShard !== replica.shard) return 'run';
    return this.#includes(replica, { shard: this.#seenShard, term: this.#seenTerm, lsn: this.#seenLsn });
  }

  #includes(replica: Replica, token: SessionToken): Admission {
    const standing = replica.reads.standing(token);
    if (standing === 'held') return 'run';
    if (standing === 'awaited') return 'wait';
    // The reader is told once, and may then go on from what there is.
    if (token === this.#after) this.#after = null;
    else this.#seenLsn = 0;
    const what = `LSN ${token.lsn} of term ${token.term}`;
    if (standing === 'lost') return { error: `LOSTWRITE ${what} was lost: a later leader does not have it` };
    return { error: `OLDTOKEN whether ${what} was lost cannot be told any more` };
  }
}
