import { EndTrace } from './end-trace.ts';
import type { Lsn, NodeId } from './types.ts';

/** What a replica that does not lead knows of its leader. */
export class Following {
  /** Monotonic ms when a leader was last heard. */
  heardMs: number;
  electionDueMs = Number.POSITIVE_INFINITY;
  /** Set by a hint that the leader's process is gone: retries come quickly. */
  hurried = false;
  /** Highest LSN that messages of this leader's term proved to agree with its log. */
  verified: Lsn = 0;
  /** Highest commit heard, as far as it was verified. */
  heardCommit: Lsn = 0;
  /** Last LSN of the leader's log, as last heard. */
  leaderLast: Lsn = 0;
  leaderWantsApplied = false;
  /** The end of the leader's log by the time at which it was heard of, and by times for which the leader vouched for it. */
  readonly heardEnds = new EndTrace();
  readonly vouchedEnds = new EndTrace();
  /** Monotonic ms until when this replica asks for no votes, since a leader counts it among no members; null: it may. */
  outsideUntilMs: number | null = null;
  /** Followers that lag too far, by the leader's word. */
  laggards: readonly NodeId[] = [];
  /** What the leader knew to be held here, and the bytes of its log beyond that, as last heard. */
  held: Lsn = 0;
  lackedBytes = 0;

  constructor(heardMs: number) {
    this.heardMs = heardMs;
  }

  /** A new leader, or none: what was verified against another one's log proves nothing here. */
  begin(leader: NodeId | null): void {
    this.verified = 0;
    this.leaderWantsApplied = false;
    if (leader !== null) this.hurried = false;
  }
}
