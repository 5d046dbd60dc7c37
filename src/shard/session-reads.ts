import type { Bytes } from '../bytes/types.ts';
import type { ReadControl } from '../commands/types.ts';
import type { Position } from '../core/types.ts';
import { comparePositions } from '../core/types.ts';
import type { AckPolicy } from './ack-policy.ts';
import type { Needs } from './command-needs.ts';
import type { ReadLevel } from './read-level.ts';
import { formatReadLevel, linearizable, parseReadLevel } from './read-level.ts';
import type { Replica } from './replica.ts';
import type { Gate } from './reply-queue.ts';
import type { SessionToken } from './session-token.ts';
import { formatPlaces, parsePlaces } from './session-token.ts';

/** Whether a read may run now: yes, when this replica has come further, or never (the line that says why). */
export type Admission = 'run' | 'wait' | { readonly error: string };

const afterSyntax = 'ERR syntax error: REPL AFTER <token> [TIMEOUT milliseconds] | REPL AFTER NONE';

/** The latest place in the history of one shard that a connection wrote or read. */
interface Seen {
  readonly shard: number;
  term: number;
  lsn: number;
}

/** What one connection asks of its reads: a level, the places in history that they must include, and what it has seen. */
export class SessionReads implements ReadControl {
  level: ReadLevel = linearizable;
  /** What REPL AFTER named. */
  #after: readonly SessionToken[] = [];
  #afterEpoch = 0;
  /** The epoch of the metadata by which a slot that has moved was read or written last; 0 when none was. */
  #seenEpoch = 0;
  readonly #epochNow: () => number;
  /** Those of them that a state which was read includes. */
  readonly #included = new WeakSet<SessionToken>();
  /** How long reads wait for that before they are sent to the leader, in ms; null: as long as other reads. */
  #afterTimeoutMs: number | null = null;
  /** One for each shard that was written or read; most connections know few. */
  #seen: Seen[] = [];
  /** The one of the shard that was used last. */
  #lastSeen: Seen | null = null;

  /** @param epochNow the epoch of the metadata that this node goes by */
  constructor(epochNow: () => number) {
    this.#epochNow = epochNow;
  }

  reset(level: ReadLevel): void {
    this.level = level;
    this.#after = [];
    this.#afterEpoch = 0;
    this.#seenEpoch = 0;
    this.#seen = [];
    this.#lastSeen = null;
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
      this.#after = [];
      this.#afterEpoch = 0;
      return null;
    }
    if (words.length !== 1 && (words.length !== 3 || option?.toLowerCase() !== 'timeout')) return afterSyntax;
    if (ms !== undefined && !/^\d{1,9}$/.test(ms)) return 'ERR timeout is not an integer or out of range';
    const places = parsePlaces(text);
    if (places === null) return 'ERR that is no token: REPL TOKEN gives one out, as shard:term:lsn';
    this.#after = places.tokens;
    this.#afterEpoch = places.epoch;
    this.#afterTimeoutMs = ms === undefined ? null : ms === '0' ? Number.POSITIVE_INFINITY : Number(ms);
    return null;
  }

  get levelText(): string {
    return formatReadLevel(this.level);
  }

  /**
   * What reads must include counts as seen: whoever takes the token elsewhere before the first read loses nothing. As
   * long as no read has shown that it is there, what was done here under another leader does not stand for it, nor it
   * for that: one of the two may be lost.
   */
  get token(): string | null {
    const seen = this.#seen.filter(({ lsn }) => lsn > 0);
    const missing = this.#after.filter((token) => {
      const here = seen.find(({ shard }) => shard === token.shard);
      return (
        here === undefined || (here.term === token.term ? token.lsn > here.lsn : !this.#included.has(token))
      );
    });
    const tokens = [...missing, ...seen.filter((here) => !missing.some((token) => isSameTerm(token, here)))];
    const epoch = Math.max(this.#afterEpoch, this.#seenEpoch);
    return tokens.length === 0 ? null : formatPlaces({ tokens, epoch });
  }

  /** The connection wrote, or read a state, at this place. */
  saw(shard: number, term: number, lsn: number): void {
    let seen = this.#seenOf(shard);
    if (seen === null) {
      seen = { shard, term, lsn };
      this.#seen.push(seen);
    } else if (isLater({ term, lsn }, seen)) {
      seen.term = term;
      seen.lsn = lsn;
    }
    this.#lastSeen = seen;
  }

  /** What the connection wrote or read was in a slot that has moved. */
  sawMovedSlot(): void {
    this.#seenEpoch = this.#epochNow();
  }

  /** How long a read waits at most for this replica to come as far as it must. */
  waitMs(usualMs: number): number {
    return this.#after.length === 0 ? usualMs : (this.#afterTimeoutMs ?? usualMs);
  }

  /**
   * Whether a read may run on this replica now. On a leader, its reply then still waits for what the level asks for.
   * @param sentByMs the read was sent at or before this time
   * @param now the clock, read once for each question
   */
  admit(replica: Replica, leading: boolean, sentByMs: number, now: () => number): Admission {
    // A leader knows by its own history which slots it has.
    if (!leading && this.#afterEpoch > this.#epochNow()) return 'wait';
    for (const token of this.#after) {
      if (token.shard !== replica.shard) continue;
      const admission = this.#includes(replica, token);
      if (admission !== 'run') return admission;
      this.#included.add(token);
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
    const gate = { keeper: replica.gates, policy, lsn, readMs, confirmed: kind === 'strict' };
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
    const seen = this.#seenOf(replica.shard);
    return seen === null || seen.lsn === 0 ? 'run' : this.#includes(replica, seen);
  }

  #seenOf(shard: number): Seen | null {
    if (this.#lastSeen?.shard === shard) return this.#lastSeen;
    return this.#seen.find((seen) => seen.shard === shard) ?? null;
  }

  #includes(replica: Replica, token: SessionToken): Admission {
    const standing = replica.reads.standing(token);
    if (standing === 'held') return 'run';
    if (standing === 'awaited') return 'wait';
    // The reader is told once, and may then go on from what there is.
    const what = `LSN ${token.lsn} of term ${token.term}`;
    this.#after = this.#after.filter((other) => other !== token);
    this.#seen = this.#seen.filter((other) => other !== token);
    if (this.#lastSeen === token) this.#lastSeen = null;
    if (standing === 'lost') return { error: `LOSTWRITE ${what} was lost: a later leader does not have it` };
    return { error: `OLDTOKEN whether ${what} was lost cannot be told any more` };
  }
}

/** Whether one place in history comes behind another one. */
function isLater(one: Position, other: Position | undefined): boolean {
  return other === undefined || comparePositions(one, other) > 0;
}

function isSameTerm(one: SessionToken, other: SessionToken): boolean {
  return one.shard === other.shard && one.term === other.term;
}
