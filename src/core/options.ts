/** Times of the protocol, in milliseconds, and limits. Defaults fit nodes in one data centre. */
export interface CoreOptions {
  /** How often a leader speaks up. */
  readonly heartbeatMs: number;
  /** How long a majority's answer to a heartbeat keeps leader reads valid, counted from its sending. */
  readonly leaseMs: number;
  /** How long a voter that heard a leader refuses to vote for another. Beyond the lease by the clocks' margin. */
  readonly voteRefusalMs: number;
  /** A follower that hears nothing campaigns after a random time in [min, max); min is beyond the refusal window. */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  /** Log bytes sent to one follower and not yet durable there. */
  readonly inflightBytes: number;
  /** Largest append message. */
  readonly appendBytes: number;
  /** A follower is in sync when its durable log reached the leader's end within this time. */
  readonly inSyncLagMs: number;
  /** How much this node wants to lead; 0: never. */
  readonly priority: number;
  /** False: no read relies on a lease; each is confirmed by a heartbeat round. */
  readonly leases: boolean;
}

/** A peer that was not heard for this many heartbeats may be gone. */
export const doubtfulHeartbeats = 3;

export const defaultCoreOptions: CoreOptions = {
  heartbeatMs: 50,
  leaseMs: 150,
  voteRefusalMs: 200,
  electionMinMs: 300,
  electionMaxMs: 600,
  inflightBytes: 16 << 20,
  appendBytes: 1 << 20,
  inSyncLagMs: 1000,
  priority: 100,
  leases: true,
};
