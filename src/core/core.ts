import type { Campaign } from './campaign.ts';
import { answerPreVote, answerVote, campaignReceives, campaignTick, startCampaign } from './election.ts';
import { Following } from './following.ts';
import { invariant } from './invariant.ts';
import type { Leadership } from './leadership.ts';
import { leaderEndOfTurn, leaderReceives, leadershipWanted, leaderTick, openLeadership } from './leading.ts';
import { isOneStep, isVoter, MembershipLog, majorityOf } from './membership.ts';
import type { CoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import { Progress } from './progress.ts';
import { followerReceives, noticeReceived, readIndexAnswered } from './receiving.ts';
import { Stamps } from './stamps.ts';
import { TermIndex } from './term-index.ts';
import type { HardState, Lsn, Membership, Message, NodeId, Position, Term } from './types.ts';
import { comparePositions, origin } from './types.ts';

export type Role = 'leader' | 'follower' | 'candidate' | 'learner';

/** What a replica knows when it starts. */
export interface CoreInit {
  readonly id: NodeId;
  readonly hardState: HardState;
  /** The entry before the first one held, the first LSN of each term's run above it, and the last LSN. */
  readonly base: Position;
  readonly runs: readonly Position[];
  readonly lastLsn: Lsn;
  /** Known to be committed (a checkpoint's LSN); 0 when nothing is. */
  readonly commit: Lsn;
  readonly membership: Membership;
  readonly membershipLsn: Lsn;
  /** Memberships of the log above `membershipLsn`, oldest first. */
  readonly memberships: readonly { readonly lsn: Lsn; readonly membership: Membership }[];
  /**
   * Not null when this replica may have vouched for more than it holds: up to `mayHaveAcknowledged`, or for nobody
   * knows what when that is null (then it does not vote). Good again once it holds an entry of a leader's own term.
   */
  readonly doubt: { readonly mayHaveAcknowledged: Position | null } | null;
  readonly nowMs: number;
}

/** A uniformly random float in [0, 1), handed in so that runs can be repeated. */
export type RandomFloat = () => number;

/** Bytes of log from an LSN to the end, by who has the log. */
export type BytesFrom = (lsn: Lsn) => number;

/**
 * One replica of one shard, as a state machine without I/O, clock or chance of its own: Raft with pre-vote,
 * check-quorum, leases, hints and handover. Inputs are methods; what they cause goes to `CoreOutput`. All times are
 * monotonic milliseconds of this node. What the roles do lives in election.ts, leading.ts and receiving.ts.
 */
export class Core {
  readonly id: NodeId;
  readonly options: CoreOptions;
  readonly output: CoreOutput;
  readonly random: RandomFloat;
  readonly log: TermIndex;
  readonly memberships: MembershipLog;
  /** When this replica came up, monotonic ms. */
  readonly startedMs: number;
  readonly stamps: Stamps;

  term: Term;
  vote: NodeId | null;
  leader: NodeId | null = null;
  /** Own log known durable up to here. */
  flushed: Lsn;
  commit: Lsn;
  applied: Lsn;
  leadership: Leadership | null = null;
  campaign: Campaign | null = null;
  following: Following;
  doubt: { readonly mayHaveAcknowledged: Position | null } | null;
  /** Set while the disk hangs: no heartbeats, no campaigns. */
  diskStalledSinceMs: number | null = null;
  /** Set while this replica's state is being rebuilt or received: it votes and flushes, but does not lead. */
  unfitToLead = false;
  /** Campaigns later than others, and is handed no leadership: its state must be rebuilt first, or its log is damaged. */
  reluctant = false;
  /** An entry here could not be read back: none up to it is sent from this log. 0 when all can, as far as is known. */
  unreadable: Lsn = 0;
  /** This node is to lead nothing: no leader hands over to it, and it campaigns only when the others do not. */
  draining = false;
  /** Acks that a leader asks its followers for; set by the driver as the policies in use need them. */
  wantReceived = false;
  wantApplied = false;
  /** How much this replica wants to lead; 0: never. Set by the driver. */
  priority: number;
  /** Followers that lag too far for clients to be sent there; set by the driver while it leads. */
  laggards: readonly NodeId[] = [];
  readonly bytesFrom: BytesFrom;
  /** Shard time, carried by what a leader sends; set by the driver. */
  timeMs = 0;
  #durable: HardState;
  /** In doubt: the leader's term, and the end of its log when it was first heard in that term. */
  #doubtEnds: Position | null = null;
  /** Everybody is new: that is on its way to the disk. */
  #confirming = false;
  readonly #afterHardState: {
    readonly hardState: HardState;
    readonly to: NodeId;
    readonly message: Message;
  }[] = [];

  constructor(
    init: CoreInit,
    options: CoreOptions,
    output: CoreOutput,
    random: RandomFloat,
    bytesFrom: BytesFrom = () => 0,
  ) {
    this.id = init.id;
    this.options = options;
    this.priority = options.priority;
    this.output = output;
    this.random = random;
    this.bytesFrom = bytesFrom;
    this.startedMs = init.nowMs;
    this.stamps = new Stamps(random(), init.nowMs);
    this.log = new TermIndex(init.base, init.runs, init.lastLsn);
    this.memberships = new MembershipLog(init.membership, init.membershipLsn);
    for (const entry of init.memberships) this.memberships.append(entry.lsn, entry.membership);
    this.term = Math.max(init.hardState.term, this.log.last.term);
    this.vote = this.term === init.hardState.term ? init.hardState.vote : null;
    this.#durable = { term: this.term, vote: this.vote };
    this.flushed = init.lastLsn;
    this.commit = Math.max(init.commit, init.base.lsn);
    this.applied = this.commit;
    this.doubt = init.doubt;
    // A restarted voter may have just confirmed a lease: it behaves as if it had heard a leader now.
    this.following = new Following(init.nowMs);
    this.resetElectionTimer(init.nowMs);
  }

  get role(): Role {
    if (this.leadership !== null) return 'leader';
    if (this.campaign !== null) return 'candidate';
    return isVoter(this.membership, this.id) ? 'follower' : 'learner';
  }

  get membership(): Membership {
    return this.memberships.current;
  }

  get lastLsn(): Lsn {
    return this.log.lastLsn;
  }

  /** A leader that takes writes: not handing over. */
  get accepting(): boolean {
    return this.leadership !== null && this.leadership.handover === null;
  }

  /** True when this leader's term has a commit of its own, without which it may serve nothing. */
  get hasOwnCommit(): boolean {
    return this.leadership !== null && this.commit >= this.leadership.firstLsn;
  }

  // Inputs.

  /** Time passed; called about every 10 ms. */
  tick(now: number): void {
    if (now >= (this.following.outsideUntilMs ?? Number.POSITIVE_INFINITY))
      this.following.outsideUntilMs = null;
    if (this.leadership !== null) {
      leaderTick(this, this.leadership, now);
      return;
    }
    if (this.campaign !== null) {
      campaignTick(this, this.campaign, now);
    } else if (now >= this.following.electionDueMs) {
      if (this.mayCampaign()) startCampaign(this, now, { preVote: true, handover: false });
      else this.resetElectionTimer(now);
    }
  }

  /** The turn ends: what was asked for during it is sent in one round. */
  endOfTurn(now: number): void {
    if (this.leadership !== null) leaderEndOfTurn(this, this.leadership, now);
  }

  receive(from: NodeId, message: Message, now: number): void {
    switch (message.kind) {
      case 'preVoteRequest':
        answerPreVote(this, from, message, now);
        return;
      case 'voteRequest':
        answerVote(this, from, message, now);
        return;
      case 'preVoteResponse':
      case 'voteResponse':
        if (message.term > this.term) this.follow(message.term, null, now);
        else campaignReceives(this, from, message, now);
        return;
      case 'append':
      case 'heartbeat':
      case 'snapshotOffer':
      case 'campaignNow':
        followerReceives(this, from, message, now);
        return;
      case 'leadershipWanted':
        if (this.leadership !== null && message.term === this.term)
          leadershipWanted(this, this.leadership, from, now);
        return;
      case 'appendAck':
      case 'heartbeatAck':
        if (message.term > this.term) this.follow(message.term, null, now);
        else if (this.leadership !== null && message.term === this.term)
          leaderReceives(this, this.leadership, from, message, now);
        return;
      case 'readIndexRequest':
        if (this.leadership !== null) leaderReceives(this, this.leadership, from, message, now);
        else
          this.output.send(from, {
            kind: 'readIndexResponse',
            term: this.term,
            context: message.context,
            commit: null,
          });
        return;
      case 'readIndexResponse':
        readIndexAnswered(this, from, message);
        return;
      case 'leaderNotice':
        noticeReceived(this, message, now);
        return;
      case 'nodeNotice':
      case 'snapshotRequest':
      case 'snapshotChunk':
      case 'slotCopy':
      case 'slotCopied':
      case 'slotStep':
        return; // These are the driver's.
    }
  }

  /** The leader's driver executed `count` entries: they have the next LSNs and the current term. */
  extend(count: number): void {
    invariant(this.leadership !== null, 'only a leader extends the log');
    this.log.append(this.term, this.log.lastLsn + 1, this.log.lastLsn + count);
    for (const follower of this.leadership.followers.keys()) this.output.shipTo(follower);
  }

  /** True when a membership may be proposed now: one change at a time, after a commit in this term. */
  mayChangeMembership(): boolean {
    return this.accepting && this.hasOwnCommit && this.memberships.currentLsn <= this.commit;
  }

  /** The entry that `extend(1)` just added sets this membership. */
  membershipProposed(membership: Membership): void {
    invariant(this.leadership !== null, 'only a leader changes the membership');
    invariant(isOneStep(this.membership, membership), 'a membership changes by one voter at a time');
    this.memberships.append(this.log.lastLsn, membership);
    this.leadership.follow(membership, this.log.lastLsn);
  }

  /** Own entries are durable up to `position`. A completion for entries that were cut meanwhile changes nothing. */
  flushedThrough(position: Position, now: number): void {
    if (position.lsn <= this.flushed || !this.log.holds(position)) return;
    this.flushed = position.lsn;
    if (this.leadership !== null) {
      this.output.positionsChanged();
      leaderReceives(this, this.leadership, this.id, null, now);
      return;
    }
    this.clearDoubt();
    this.raiseCommit();
    this.acknowledge();
  }

  hardStateDurable(hardState: HardState, now: number): void {
    if (hardState.term < this.#durable.term) return;
    this.#durable = hardState;
    if (this.#confirming) {
      this.#confirming = false;
      this.doubt = null;
      if (this.leader === null)
        this.following.electionDueMs = now + this.random() * this.options.heartbeatMs * 3;
    }
    const waiting = this.#afterHardState.splice(0);
    for (const item of waiting) {
      if (item.hardState.term < this.term) continue;
      if (this.isDurable(item.hardState)) this.output.send(item.to, item.message);
      else this.#afterHardState.push(item);
    }
    if (this.campaign !== null) campaignReceives(this, this.id, null, now);
  }

  /** The state contains the effects of every entry through `lsn`. */
  appliedThrough(lsn: Lsn): void {
    if (lsn <= this.applied) return;
    this.applied = lsn;
    if (this.leadership !== null) this.output.positionsChanged();
    else if (this.following.leaderWantsApplied) this.acknowledge();
  }

  /** The disk hangs, or works again. A leader whose disk hangs falls silent, then yields. */
  diskStalled(stalled: boolean, now: number): void {
    if (stalled) this.diskStalledSinceMs ??= now;
    else if (this.diskStalledSinceMs !== null) {
      this.diskStalledSinceMs = null;
      if (this.leadership === null) this.following.electionDueMs = now + 2 * this.options.electionMaxMs;
    }
  }

  /** The link to a peer stands (again): what was under way on the old one is lost. */
  linkUp(peer: NodeId): void {
    const progress = this.leadership?.followers.get(peer);
    if (progress === undefined || progress.state === 'snapshot') return;
    // A probe goes on where it was: before the first answer nothing is known of what the follower holds.
    progress.probe(progress.state === 'probe' ? progress.next : progress.received + 1);
    this.output.shipTo(peer);
  }

  /** The peer came back with another data directory: what was known of its log is void. */
  peerReplaced(peer: NodeId): void {
    if (this.leadership === null || !this.leadership.followers.has(peer)) return;
    this.leadership.followers.set(peer, new Progress(this.lastLsn + 1));
    this.output.positionsChanged();
    this.output.shipTo(peer);
  }

  /** A hint that the peer's process is gone: with its leader lost, a follower need not wait for silence. */
  peerGone(peer: NodeId, now: number): void {
    if (peer !== this.leader || this.leadership !== null) return;
    const refusalEndsMs = Math.max(now, this.following.heardMs + this.options.voteRefusalMs);
    const hurried = refusalEndsMs + this.random() * 50 + this.#hesitationMs;
    this.following.electionDueMs = Math.min(this.following.electionDueMs, hurried);
    this.following.hurried = true;
  }

  /** Log up to `lsn` is no longer held. */
  compacted(lsn: Lsn): void {
    this.log.compactTo(Math.min(lsn, this.commit));
    this.memberships.compactTo(Math.min(lsn, this.commit));
  }

  /** A checkpoint replaced the state, and the log where it did not match. */
  snapshotInstalled(position: Position, membership: Membership): void {
    if (position.lsn <= this.commit) return;
    if (this.log.holds(position)) {
      this.log.compactTo(position.lsn);
    } else {
      this.log.resetTo(position);
      this.unreadable = 0;
      this.memberships.resetTo(position.lsn, membership);
      this.flushed = position.lsn;
    }
    this.flushed = Math.max(this.flushed, position.lsn);
    this.commit = position.lsn;
    this.applied = position.lsn;
    this.following.verified = Math.max(this.following.verified, position.lsn);
    this.output.committed(this.commit);
    this.clearDoubt();
    this.acknowledge();
  }

  /**
   * Every voter of a new cluster is as new as this one: nothing can have been forgotten. This replica votes once that
   * is durable, so that voters that have begun a cluster can always go on with it.
   */
  confirmFresh(): void {
    if (this.doubt === null || this.#confirming) return;
    this.#confirming = true;
    this.output.doubtCleared();
    this.persist();
  }

  // What the roles share.

  /** A leader said lately that this replica is none of the shard's any more. */
  get isOutside(): boolean {
    return this.following.outsideUntilMs !== null;
  }

  /**
   * Also who is no voter any more by a membership that may not be committed: the others may need what it holds to elect
   * anybody, and to commit that it is none. The membership before that one was committed when it was proposed, whatever
   * this replica knows of commits.
   */
  get #mayBeElected(): boolean {
    const { memberships, id } = this;
    if (isVoter(memberships.current, id)) return true;
    return memberships.currentLsn > this.commit && isVoter(memberships.at(memberships.currentLsn - 1), id);
  }

  mayCampaign(): boolean {
    return (
      this.#mayBeElected &&
      this.doubt === null &&
      !this.isOutside &&
      !this.unfitToLead &&
      this.priority > 0 &&
      this.diskStalledSinceMs === null
    );
  }

  resetElectionTimer(now: number): void {
    const { electionMinMs, electionMaxMs } = this.options;
    const spread = electionMinMs + this.random() * (electionMaxMs - electionMinMs);
    this.following.electionDueMs = now + spread + this.#hesitationMs;
  }

  /** How much later than others this replica campaigns. */
  get #hesitationMs(): number {
    const last = this.reluctant || this.draining || !isVoter(this.membership, this.id);
    return last ? this.options.electionMaxMs : 0;
  }

  /** How much this replica wants leadership handed to it; 0: not, or not now. */
  get wish(): number {
    return this.mayCampaign() && !this.draining && !this.reluctant ? this.priority : 0;
  }

  /** An operator wants this replica to lead: it asks its leader to hand over. */
  askForLeadership(): void {
    if (this.leader !== null && this.leader !== this.id)
      this.output.send(this.leader, { kind: 'leadershipWanted', term: this.term });
  }

  /** Becomes a follower of `leader` (null: unknown) in `term`, which is not lower than the current one. */
  follow(term: Term, leader: NodeId | null, now: number): void {
    invariant(term >= this.term, `term ${term} does not fall behind ${this.term}`);
    const changed =
      term > this.term || this.leader !== leader || this.leadership !== null || this.campaign !== null;
    if (!changed) return;
    if (term > this.term) {
      this.term = term;
      this.vote = null;
      this.persist();
    }
    if (this.leadership !== null) this.applied = Math.min(this.applied, this.commit);
    this.leadership = null;
    this.campaign = null;
    this.leader = leader;
    this.following.begin(leader);
    this.resetElectionTimer(now);
    this.output.roleChanged();
  }

  lead(now: number): void {
    const keep = this.campaign?.keep ?? false;
    this.campaign = null;
    this.leader = this.id;
    openLeadership(this, keep, now);
    this.output.roleChanged();
  }

  persist(): void {
    this.output.putHardState({ term: this.term, vote: this.vote });
  }

  isDurable(hardState: HardState): boolean {
    return this.#durable.term === hardState.term && this.#durable.vote === hardState.vote;
  }

  /** Sends once the current term and vote are durable. */
  sendAfterHardState(to: NodeId, message: Message): void {
    const hardState = { term: this.term, vote: this.vote };
    if (this.isDurable(hardState)) this.output.send(to, message);
    else this.#afterHardState.push({ hardState, to, message });
  }

  /** The position that candidates must reach for this replica's vote. */
  get vouchedFor(): Position {
    const claimed = this.doubt?.mayHaveAcknowledged ?? origin;
    return comparePositions(claimed, this.log.last) > 0 ? claimed : this.log.last;
  }

  /** A follower's commit: what it heard, as far as it is durable here. */
  raiseCommit(): void {
    const commit = Math.min(this.following.heardCommit, this.flushed);
    if (commit <= this.commit) return;
    this.commit = commit;
    this.output.committed(commit);
  }

  /** Tells the leader how far this follower's log agrees, is durable, is applied. */
  acknowledge(): void {
    const { leader, following } = this;
    if (leader === null || leader === this.id || following.verified === 0) return;
    this.output.send(leader, {
      kind: 'appendAck',
      term: this.term,
      received: following.verified,
      flushed: Math.min(this.flushed, following.verified),
      applied: this.applied,
    });
  }

  /** A leader says where its log ends. */
  leaderEndsAt(lsn: Lsn): void {
    if (this.doubt === null) return;
    if (this.#doubtEnds?.term !== this.term) this.#doubtEnds = { term: this.term, lsn };
    this.clearDoubt();
  }

  get majority(): number {
    return majorityOf(this.membership);
  }

  /** Called when a leader said where its log ends, and when more of it is durable here. */
  clearDoubt(): void {
    if (this.doubt === null || this.leader === null || this.following.verified === 0) return;
    const target = this.#doubtEnds;
    if (target === null || target.term !== this.term) return;
    const durable = Math.min(this.flushed, this.following.verified);
    // The leader's own no-op is durable here: so is everything that was committed when it was elected. What was
    // acknowledged to this very leader before it was forgotten lies below where its log ended when it was first heard.
    if (durable < target.lsn || durable < this.log.base.lsn || this.log.termAt(durable) !== this.term) return;
    this.doubt = null;
    this.output.doubtCleared();
  }
}
