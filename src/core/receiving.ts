import type { Core } from './core.ts';
import { startCampaign } from './election.ts';
import { invariant } from './invariant.ts';
import type {
  Append,
  BatchSpan,
  CampaignNow,
  Echo,
  Heartbeat,
  LeaderNotice,
  Lsn,
  NodeId,
  Position,
  ReadIndexResponse,
  SnapshotOffer,
} from './types.ts';

/** For how long a replica that was told that it is no member asks for no votes, in ms. */
const outsideMs = 1000;

type FromLeader = Append | Heartbeat | SnapshotOffer | CampaignNow;

/** Messages that only a leader sends. Any of them, in a current term, shows that there is one. */
export function followerReceives(core: Core, from: NodeId, message: FromLeader, now: number): void {
  if (mayHaveElectedAnother(core, now)) return;
  if (message.term < core.term) {
    answerDeposed(core, from, message);
    return;
  }
  invariant(core.leadership === null || message.term > core.term, `term ${message.term} has one leader`);
  core.follow(message.term, from, now);
  core.following.outsideUntilMs = null;
  core.following.heardMs = now;
  core.resetElectionTimer(now);
  switch (message.kind) {
    case 'append':
      appendReceived(core, from, message, now);
      return;
    case 'heartbeat':
      heartbeatReceived(core, from, message, now);
      return;
    case 'snapshotOffer':
      if (message.checkpoint.lsn > core.commit) core.output.fetchSnapshot(from, message.checkpoint);
      else acknowledgeCommitted(core);
      return;
    case 'campaignNow':
      if (core.flushed >= message.last.lsn && core.log.holds(message.last) && core.mayCampaign()) {
        startCampaign(core, now, { preVote: false, handover: true, keep: message.keep });
      }
      return;
  }
}

/**
 * A replica that forgot its votes may have helped to elect another leader than the one that it hears, and must not help
 * this one to commit. By that election this one lost its majority, so it steps down within an election timeout; until
 * then no leader is heard.
 */
function mayHaveElectedAnother(core: Core, now: number): boolean {
  if (core.doubt === null || core.doubt.mayHaveAcknowledged !== null) return false;
  return now - core.startedMs < core.options.electionMaxMs + core.options.heartbeatMs;
}

/** Tells a leader of the past that its term is over. */
function answerDeposed(core: Core, from: NodeId, message: FromLeader): void {
  const none = { received: 0, flushed: 0, applied: 0 };
  if (message.kind === 'heartbeat') {
    core.output.send(from, {
      kind: 'heartbeatAck',
      term: core.term,
      sentMs: message.sentMs,
      priority: core.priority,
      stampMs: 0,
      ...none,
    });
  } else {
    core.output.send(from, { kind: 'appendAck', term: core.term, ...none });
  }
}

/**
 * A leader names its members to who is none of them. A replica that was removed seldom hears of it otherwise, since
 * nobody sends it the log any more, and would ask for votes for ever. It still gives its own, and asks again when no
 * leader has said so for a while: what its log says counts, not what it is told.
 */
export function noticeReceived(core: Core, { term, members }: LeaderNotice, now: number): void {
  if (term < core.term || core.leadership !== null || members.includes(core.id)) return;
  core.following.outsideUntilMs = now + outsideMs;
}

/** What is committed agrees with every later leader's log, so it may be acknowledged without another proof. */
function acknowledgeCommitted(core: Core): void {
  core.following.verified = Math.max(core.following.verified, core.commit);
  core.acknowledge();
}

function heartbeatReceived(core: Core, from: NodeId, message: Heartbeat, now: number): void {
  const following = core.following;
  following.leaderLast = message.last;
  following.heardEnds.note(now, message.last);
  following.laggards = message.laggards;
  following.held = message.held;
  following.lackedBytes = message.lackedBytes;
  core.leaderEndsAt(message.last);
  following.heardCommit = Math.max(following.heardCommit, Math.min(message.commit, following.verified));
  core.timeMs = Math.max(core.timeMs, message.timeMs);
  core.raiseCommit();
  if (message.echo !== null) echoed(core, message.echo, message.last, now);
  core.output.send(from, {
    kind: 'heartbeatAck',
    term: core.term,
    sentMs: message.sentMs,
    received: following.verified,
    flushed: Math.min(core.flushed, following.verified),
    applied: Math.min(core.applied, following.verified),
    priority: core.wish,
    stampMs: core.stamps.write(now),
  });
}

function echoed({ stamps, following, output }: Core, echo: Echo, last: Lsn, now: number): void {
  const atMs = stamps.read(echo.stampMs, now);
  if (atMs === null) return;
  following.vouchedEnds.note(atMs, last);
  if (echo.commit !== null) output.fresh(atMs, echo.commit);
}

/** The leader's commit is as good here as in a heartbeat, and who asked waits for it. */
export function readIndexAnswered(
  core: Core,
  from: NodeId,
  { term, context, commit }: ReadIndexResponse,
): void {
  const current = term === core.term && from === core.leader ? commit : null;
  if (current !== null) {
    core.following.heardCommit = Math.max(
      core.following.heardCommit,
      Math.min(current, core.following.verified),
    );
    core.raiseCommit();
  }
  core.output.readIndex(context, current);
}

function appendReceived(core: Core, from: NodeId, message: Append, now: number): void {
  const { log, following } = core;
  const { previous } = message;
  following.leaderWantsApplied = message.wantApplied;
  core.timeMs = Math.max(core.timeMs, message.timeMs);
  // Everything up to the base is committed, so it agrees with any leader's log.
  if (previous.lsn >= log.base.lsn && !log.holds(previous)) {
    const hintLsn = Math.max(log.agreementWith(previous).lsn, core.commit);
    const hint = { lsn: hintLsn, term: log.termAt(hintLsn) };
    core.output.send(from, {
      kind: 'appendAck',
      term: core.term,
      refused: { previous, hint },
      received: 0,
      flushed: 0,
      applied: 0,
    });
    return;
  }
  let verified = Math.max(previous.lsn, log.base.lsn);
  let grew = false;
  for (const batch of message.batches) {
    grew = takeBatch(core, batch) || grew;
    verified = Math.max(verified, batch.lastLsn);
  }
  following.verified = Math.max(following.verified, verified);
  following.leaderLast = Math.max(following.leaderLast, verified);
  following.heardEnds.note(now, following.leaderLast);
  // Only what this very message verified may be committed by it.
  following.heardCommit = Math.max(following.heardCommit, Math.min(message.commit, verified));
  core.raiseCommit();
  if (!grew || message.wantReceived) core.acknowledge();
}

/** Adds the part of a batch that the log lacks; false when it lacks none. */
function takeBatch(core: Core, batch: BatchSpan): boolean {
  const { log } = core;
  if (batch.lastLsn <= log.base.lsn) return false;
  let from = Math.max(batch.firstLsn, log.base.lsn + 1);
  invariant(from <= log.lastLsn + 1, `batch ${batch.firstLsn} leaves no gap behind ${log.lastLsn}`);
  // All entries of a batch have its term, and terms never fall along a log: if the last shared entry agrees, all do.
  while (from <= log.lastLsn && from <= batch.lastLsn && log.termAt(from) === batch.term)
    from = nextRun(core, from, batch);
  if (from > batch.lastLsn) return false;
  if (from <= log.lastLsn) cut(core, { lsn: from - 1, term: log.termAt(from - 1) });
  log.append(batch.term, from, batch.lastLsn);
  if (batch.membership !== undefined) core.memberships.append(batch.lastLsn, batch.membership);
  core.output.appendToLog(batch, from);
  return true;
}

/** The first LSN behind `lsn` whose term may differ from the batch's. */
function nextRun(core: Core, lsn: number, batch: BatchSpan): number {
  const shared = Math.min(core.log.lastLsn, batch.lastLsn);
  return core.log.termAt(shared) === batch.term ? shared + 1 : lsn + 1;
}

function cut(core: Core, end: Position): void {
  invariant(end.lsn >= core.commit, `the cut at ${end.lsn} leaves the commit ${core.commit} alone`);
  core.log.cutAfter(end.lsn);
  if (end.lsn < core.unreadable) core.unreadable = 0;
  core.memberships.cutAfter(end.lsn);
  core.flushed = Math.min(core.flushed, end.lsn);
  core.output.cutLog(end);
}
