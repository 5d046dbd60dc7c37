import type { Lsn } from './types.ts';

/**
 * - `probe`: the leader looks for the place where the logs agree; one message is outstanding at a time.
 * - `replicate`: the logs agree; appends are sent without waiting, up to a limit of bytes.
 * - `snapshot`: the follower needs a checkpoint; nothing is sent until it has one.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** What a leader knows of one follower in its term. Positions are in the leader's own log; they fall only when the follower lost what it held. */
export class Progress {
  state: ProgressState = 'probe';
  /** First LSN that was not sent yet. */
  next: Lsn;
  received: Lsn = 0;
  flushed: Lsn = 0;
  applied: Lsn = 0;
  priority = 0;
  /** The latest stamp of its own clock that it sent; null before the first. */
  stampMs: number | null = null;
  /** Monotonic ms when anything was last heard from it in this term; -Infinity before. */
  heardMs = Number.NEGATIVE_INFINITY;
  /** How long the heartbeat that it answered last was on its way, there and back, ms. */
  roundTripMs = 0;
  /** Latest sending time among the heartbeats that it answered. */
  confirmedMs = Number.NEGATIVE_INFINITY;
  /** Its durable log had reached the leader's end as it was at this time. */
  caughtUpMs = Number.NEGATIVE_INFINITY;
  /** Since when that was never longer ago than a follower in sync may lag, monotonic ms; Infinity while it is. */
  inSyncSinceMs = Number.POSITIVE_INFINITY;
  /** While probing: a message is outstanding. */
  probing = false;
  /** While in `snapshot`: the LSN of the checkpoint on offer. */
  snapshotLsn: Lsn = 0;
  /** When it was last told where to get a checkpoint, monotonic ms. */
  offeredMs = Number.NEGATIVE_INFINITY;
  /** The highest commit that was sent to it. */
  commitSent: Lsn = 0;
  inflightBytes = 0;
  readonly #inflight: { lastLsn: Lsn; bytes: number }[] = [];
  /** The leader's end, and when it was there: what "caught up" is measured against. */
  #markLsn: Lsn = 0;
  #markMs = Number.NEGATIVE_INFINITY;
  /** What had been sent when the latest unanswered heartbeat left. */
  #sentThrough: { sentMs: number; lsn: Lsn } | null = null;

  constructor(next: Lsn) {
    this.next = next;
  }

  /** Everything that is outstanding is forgotten; the next append starts behind what is known to agree. */
  probe(next: Lsn): void {
    this.state = 'probe';
    this.probing = false;
    this.next = Math.max(next, this.received + 1);
    this.#clearInflight();
  }

  replicate(): void {
    this.state = 'replicate';
    this.probing = false;
    this.next = Math.max(this.next, this.received + 1);
    this.#clearInflight();
  }

  awaitSnapshot(lsn: Lsn): void {
    this.state = 'snapshot';
    this.snapshotLsn = lsn;
    this.probing = false;
    this.#clearInflight();
  }

  sent(lastLsn: Lsn, bytes: number): void {
    if (this.state === 'probe') {
      this.probing = true; // `next` stays: a refusal or an answer says where to go on
      return;
    }
    this.next = lastLsn + 1;
    this.#inflight.push({ lastLsn, bytes });
    this.inflightBytes += bytes;
  }

  /** Raises the positions; false when nothing rose. */
  acknowledge(received: Lsn, flushed: Lsn, applied: Lsn): boolean {
    const rose = received > this.received || flushed > this.flushed || applied > this.applied;
    this.received = Math.max(this.received, received);
    this.flushed = Math.max(this.flushed, flushed);
    this.applied = Math.max(this.applied, applied);
    this.next = Math.max(this.next, this.received + 1);
    let first = this.#inflight[0];
    while (first !== undefined && first.lastLsn <= this.flushed) {
      this.inflightBytes -= first.bytes;
      this.#inflight.shift();
      first = this.#inflight[0];
    }
    return rose;
  }

  /** The follower's log ends at `lsn`: it restarted, and what it had not flushed, or a damaged disk held, is gone. */
  lost(lsn: Lsn): void {
    this.received = Math.min(this.received, lsn);
    this.flushed = Math.min(this.flushed, lsn);
    this.applied = Math.min(this.applied, lsn);
    this.inSyncSinceMs = Number.POSITIVE_INFINITY;
  }

  /** Notes how the leader's end moved; call when positions rose or the follower spoke. */
  trackCaughtUp(leaderEnd: Lsn, now: number, inSyncLagMs: number): void {
    const fellBehind = now - this.caughtUpMs > inSyncLagMs;
    if (this.flushed >= this.#markLsn) {
      this.caughtUpMs = Math.max(this.caughtUpMs, this.#markMs);
      this.#markLsn = leaderEnd;
      this.#markMs = now;
    }
    if (this.flushed >= leaderEnd) this.caughtUpMs = now;
    if (now - this.caughtUpMs > inSyncLagMs) this.inSyncSinceMs = Number.POSITIVE_INFINITY;
    else if (fellBehind || this.inSyncSinceMs === Number.POSITIVE_INFINITY) this.inSyncSinceMs = now;
  }

  heartbeatSent(sentMs: number): void {
    this.#sentThrough ??= { sentMs, lsn: this.next - 1 };
  }

  /** True when an answered heartbeat shows that an append which left before it never arrived. */
  lostBefore(sentMs: number, received: Lsn): boolean {
    const mark = this.#sentThrough;
    if (mark === null || sentMs < mark.sentMs) return false;
    this.#sentThrough = null;
    return received < mark.lsn;
  }

  #clearInflight(): void {
    this.#inflight.length = 0;
    this.inflightBytes = 0;
    this.#sentThrough = null;
  }
}
