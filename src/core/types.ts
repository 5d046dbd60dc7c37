/** Names a node; never reused. */
export type NodeId = string;
/** Log sequence number: 1, 2, 3 … per shard; 0 is "before the first entry". */
export type Lsn = number;
/** Leadership number; 0 is "before the first election". */
export type Term = number;

/** A place in a shard's history. Entries are identical if and only if shard, LSN and term agree. */
export interface Position {
  readonly term: Term;
  readonly lsn: Lsn;
}

export const origin: Position = { term: 0, lsn: 0 };

/** Orders positions as elections do: by term, then by LSN. */
export function comparePositions(a: Position, b: Position): number {
  return a.term - b.term || a.lsn - b.lsn;
}

/** Who takes part in a shard. Changed one node at a time. */
export interface Membership {
  readonly voters: readonly NodeId[];
  /** Receive the log, do not vote. */
  readonly learners: readonly NodeId[];
}

export interface HardState {
  readonly term: Term;
  readonly vote: NodeId | null;
}

/** A run of log that travels as one: all entries of one term. The bytes are not the core's business. */
export interface BatchSpan {
  readonly term: Term;
  readonly firstLsn: Lsn;
  readonly lastLsn: Lsn;
  readonly bytes: Uint8Array;
  /** The membership that the batch's only entry sets, when it is one. */
  readonly membership?: Membership;
}

/** Everything that replicas of a shard tell each other. `term` is the sender's, except in pre-votes. */
export type Message =
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | Append
  | AppendAck
  | Heartbeat
  | HeartbeatAck
  | CampaignNow
  | LeadershipWanted
  | LeaderNotice
  | NodeNotice
  | ReadIndexRequest
  | ReadIndexResponse
  | SnapshotOffer
  | SnapshotRequest
  | SnapshotChunk
  | SlotCopy
  | SlotCopied
  | SlotStep;

/** Would you vote for me in `term`? Changes nothing at either side. */
export interface PreVoteRequest {
  readonly kind: 'preVoteRequest';
  /** The term the sender would campaign in. */
  readonly term: Term;
  readonly last: Position;
}

export interface PreVoteResponse {
  readonly kind: 'preVoteResponse';
  /** The responder's own term. */
  readonly term: Term;
  /** The term that was asked for. */
  readonly asked: Term;
  readonly granted: boolean;
}

export interface VoteRequest {
  readonly kind: 'voteRequest';
  readonly term: Term;
  readonly last: Position;
  /** True when the leader itself asked for this campaign: the refusal window does not apply. */
  readonly handover: boolean;
}

export interface VoteResponse {
  readonly kind: 'voteResponse';
  readonly term: Term;
  /** The term that was asked for. */
  readonly asked: Term;
  readonly granted: boolean;
}

export interface Append {
  readonly kind: 'append';
  readonly term: Term;
  /** The entry before the first batch. */
  readonly previous: Position;
  readonly batches: readonly BatchSpan[];
  readonly commit: Lsn;
  /** The leader's shard time, ms since the epoch. */
  readonly timeMs: number;
  /** The follower shall acknowledge arrival before its flush, or application as soon as it happens. */
  readonly wantReceived: boolean;
  readonly wantApplied: boolean;
}

export interface AppendAck {
  readonly kind: 'appendAck';
  readonly term: Term;
  /** Present when the append did not fit: the entry that was refused, and where the follower's log may agree. */
  readonly refused?: { readonly previous: Position; readonly hint: Position };
  /** Highest LSN known to agree with the leader's log, as far as it arrived, is durable, is applied. */
  readonly received: Lsn;
  readonly flushed: Lsn;
  readonly applied: Lsn;
}

export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly term: Term;
  /** The leader's commit, clamped to what the follower is known to hold. */
  readonly commit: Lsn;
  /** The sender's monotonic clock at sending; comes back unchanged. */
  readonly sentMs: number;
  readonly timeMs: number;
  /** The last LSN of the leader's log, for the follower's own view of its lag. */
  readonly last: Lsn;
  /** Followers that lag too far for clients to be sent there, the receiver perhaps among them. */
  readonly laggards: readonly NodeId[];
  /** What the receiver is known to hold, and the bytes of log beyond that. */
  readonly held: Lsn;
  readonly lackedBytes: number;
  /** The receiver's latest stamp, with what was read after it came; null before the first. */
  readonly echo: Echo | null;
}

/** When the receiver's own clock showed `stampMs`, the sender's log did not reach beyond the heartbeat's `last`. */
export interface Echo {
  readonly stampMs: number;
  /** By the sender's lease: whatever was committed anywhere then is at or below this; null while it holds none. */
  readonly commit: Lsn | null;
}

export interface HeartbeatAck {
  readonly kind: 'heartbeatAck';
  readonly term: Term;
  readonly sentMs: number;
  readonly received: Lsn;
  readonly flushed: Lsn;
  readonly applied: Lsn;
  /** How much the sender wants to lead; a leader hands over to an in-sync follower with more. 0: never, or not now. */
  readonly priority: number;
  /** The sender's clock, from an origin of its own that nobody else knows; comes back with a later heartbeat. */
  readonly stampMs: number;
}

/** The leader hands over: campaign at once, without a pre-vote, when your log reaches `last`. */
export interface CampaignNow {
  readonly kind: 'campaignNow';
  readonly term: Term;
  readonly last: Position;
  /** An operator wants it so: leadership does not return to a preferred node on its own. */
  readonly keep: boolean;
}

/** An operator wants the sender to lead: hand over to it. Repeated until it leads or its patience ends. */
export interface LeadershipWanted {
  readonly kind: 'leadershipWanted';
  readonly term: Term;
}

/**
 * Told to nodes that are no members of the shard: so they can send clients to the leader, and a replica that was removed
 * asks for no votes.
 */
export interface LeaderNotice {
  readonly kind: 'leaderNotice';
  readonly term: Term;
  /** Who takes part: by the latest membership, or by the latest that is committed. */
  readonly members: readonly NodeId[];
}

/** What the leader of a shard says of it. */
export interface LedShard {
  readonly shard: number;
  readonly term: Term;
  /** As in `LeaderNotice`. */
  readonly members: readonly NodeId[];
  /** Everybody votes, is in sync, and no change of members is under way. */
  readonly whole: boolean;
  readonly keys: number;
  readonly bytes: number;
}

/**
 * A node speaks for itself, not for a shard, so the term is 0 and no core hears it: where it is, and all that it leads.
 * Instead of a `LeaderNotice` for each shard, to nodes that know it.
 */
export interface NodeNotice {
  readonly kind: 'nodeNotice';
  readonly term: 0;
  /** Where other nodes reach it, `host:port`. */
  readonly peer: string;
  readonly zone: string;
  /** It has seen all nodes that the cluster began with when none of them had promised anything. */
  readonly sawNew: boolean;
  readonly led: readonly LedShard[];
}

/** A replica asks the leader for a commit position that is no older than this question. */
export interface ReadIndexRequest {
  readonly kind: 'readIndexRequest';
  readonly term: Term;
  /** Never reused by the sender, whoever the leader is. */
  readonly context: number;
  /** A valid lease is proof enough; else only a majority that answers a heartbeat which left after the question came. */
  readonly byLease: boolean;
}

export interface ReadIndexResponse {
  readonly kind: 'readIndexResponse';
  readonly term: Term;
  readonly context: number;
  /** Null when the receiver of the question is no leader that can prove it. */
  readonly commit: Lsn | null;
}

/** The log you need is gone: fetch this checkpoint instead. */
export interface SnapshotOffer {
  readonly kind: 'snapshotOffer';
  readonly term: Term;
  readonly checkpoint: Position;
}

/** A follower fetches a piece of a checkpoint. Not the core's business: it travels on the bulk lane. */
export interface SnapshotRequest {
  readonly kind: 'snapshotRequest';
  readonly term: Term;
  readonly checkpoint: Position;
  readonly offset: number;
  readonly maxBytes: number;
}

export interface SnapshotChunk {
  readonly kind: 'snapshotChunk';
  readonly term: Term;
  readonly checkpoint: Position;
  readonly offset: number;
  /** Size of the whole checkpoint in bytes; 0 when the sender has no such checkpoint any more; -1 when it is busy with another. */
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
}

/** What one step of a copy of slots brings: its beginning, keys as they were, what changed since, or its end. */
export type SlotContent = 'begin' | 'pieces' | 'effects' | 'end';

/**
 * A step of a copy of slots, from the leader of the shard that gives them to the leader of the one that takes them. Not
 * the core's business, like the two below.
 */
export interface SlotCopy {
  readonly kind: 'slotCopy';
  /** The sender's, and the shard that it leads. */
  readonly term: Term;
  readonly from: number;
  /** The move, by the epoch of the metadata that began it. */
  readonly began: number;
  /** Which copy of the sender's term this is, and which step of that: from 1 up. */
  readonly attempt: number;
  readonly sequence: number;
  readonly content: SlotContent;
  /** Where the sender's shard froze the slots (end), else 0. */
  readonly lsn: Lsn;
  /** Pieces of a checkpoint, effects, or at the end the time of the sender's shard as a double. */
  readonly bytes: Uint8Array;
}

/** The receiver of a copy has committed its steps up to this one. */
export interface SlotCopied {
  readonly kind: 'slotCopied';
  readonly term: Term;
  readonly began: number;
  /** The copy: the term of who copies, and the attempt. */
  readonly copyTerm: Term;
  readonly attempt: number;
  readonly sequence: number;
}

/** The leader of a shard wants the metadata to let a move begin, to finish it, or to give it up for now. */
export interface SlotStep {
  readonly kind: 'slotStep';
  readonly term: Term;
  readonly step: 'begin' | 'finish' | 'abandon';
  /** The move, except to begin one. */
  readonly began: number;
  /** What is to begin. */
  readonly from: number;
  readonly to: number;
  readonly slots: readonly { readonly from: number; readonly to: number }[];
}
