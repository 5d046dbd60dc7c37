/** A question to the leader: how far is committed what was committed when this was asked? */
export interface Question {
  readonly context: number;
  readonly byLease: boolean;
}

interface Asked {
  readonly askedMs: number;
  readonly byLease: boolean;
}

/** More questions than this are not kept: the oldest count as lost. */
const maxOpen = 64;

/**
 * A follower's questions to its leader on behalf of its readers. All that want to know something in one turn share one
 * question, and a reader who comes while a question that is new enough for it is under way waits for that one. Every
 * question has a number that is never used again, whoever the leader is.
 */
export class ReadQuestions {
  #nextContext: number;
  readonly #open = new Map<number, Asked>();
  /** Someone waits for an answer to a question asked at or after this time: confirmed, or by lease. -Infinity: nobody. */
  #wantedConfirmedMs = Number.NEGATIVE_INFINITY;
  #wantedByLeaseMs = Number.NEGATIVE_INFINITY;
  /** When the latest question that is still open was asked. */
  #askedConfirmedMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** @param chance uniformly random in [0, 1): the numbers of an earlier life of the process are not met again */
  constructor(chance: number) {
    this.#nextContext = Math.floor(chance * 2 ** 31) * 2 ** 20;
  }

  /** A reader needs proof as of `atMs` or later. */
  want(atMs: number, byLease: boolean): void {
    if (byLease) this.#wantedByLeaseMs = Math.max(this.#wantedByLeaseMs, atMs);
    else this.#wantedConfirmedMs = Math.max(this.#wantedConfirmedMs, atMs);
  }

  /** The turn ends: the one question that it has, if any. Questions older than `lostMs` are taken for lost. */
  next(now: number, lostMs: number): Question | null {
    const confirmed = this.#isDue(this.#wantedConfirmedMs, this.#askedConfirmedMs, now, lostMs);
    const byLease = this.#isDue(this.#wantedByLeaseMs, this.#askedMs, now, lostMs);
    this.#wantedConfirmedMs = Number.NEGATIVE_INFINITY;
    this.#wantedByLeaseMs = Number.NEGATIVE_INFINITY;
    if (!confirmed && !byLease) return null;
    const context = this.#nextContext++;
    this.#open.set(context, { askedMs: now, byLease: !confirmed });
    this.#askedMs = now;
    if (confirmed) this.#askedConfirmedMs = now;
    if (this.#open.size > maxOpen) this.#open.delete(this.#open.keys().next().value as number);
    return { context, byLease: !confirmed };
  }

  #isDue(wantedMs: number, askedMs: number, now: number, lostMs: number): boolean {
    if (wantedMs === Number.NEGATIVE_INFINITY) return false;
    return askedMs < wantedMs || now - askedMs >= lostMs;
  }

  /** An answer came: the question that it belongs to, once; null when that is not open. */
  answered(context: number): Asked | null {
    const asked = this.#open.get(context) ?? null;
    this.#open.delete(context);
    return asked;
  }

  /** The leader is another one: nobody answers what the last one was asked. */
  forget(): void {
    this.#open.clear();
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#askedConfirmedMs = Number.NEGATIVE_INFINITY;
  }
}
