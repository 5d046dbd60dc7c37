import type { Core } from './core.ts';
import { Leadership } from './leadership.ts';
import { everyMember, isVoter, votesAlone } from './membership.ts';
import type { Progress } from './progress.ts';
import type {
  AppendAck,
  HeartbeatAck,
  LeaderNotice,
  Lsn,
  NodeId,
  Position,
  ReadIndexRequest,
} from './types.ts';

/** How often a follower that waits for a checkpoint is told again where to get one. */
const snapshotOfferMs = 500;
/** A leader gives a preferred node its place back only after leading quietly for this long. */
const priorityHandoverMs = 3000;

/** What to send to a follower next: entries from `fromLsn`, at most `maxBytes` (at least one batch). */
export interface Shipment {
  readonly previous: Position;
  readonly fromLsn: Lsn;
  readonly maxBytes: number;
}

/** Opens a term: the no-op's LSN is taken at once, its bytes are the driver's (`output.roleChanged`, `core.leadership.firstLsn`). */
export function openLeadership(core: Core, kept: boolean, now: number): void {
  const firstLsn = core.lastLsn + 1;
  core.log.append(core.term, firstLsn, firstLsn);
  const leadership = new Leadership(core.id, core.term, firstLsn, core.membership, now, core.options);
  leadership.kept = kept;
  core.leadership = leadership;
  sendHeartbeats(core, leadership, now);
  for (const follower of leadership.followers.keys()) core.output.shipTo(follower);
}

export function leaderTick(core: Core, leadership: Leadership, now: number): void {
  leadership.ends.note(now, core.lastLsn);
  const { heartbeatMs, electionMaxMs, electionMinMs } = core.options;
  // A leader without another voter has nobody to yield to: its clients wait for the disk.
  const alone = votesAlone(core.membership, core.id);
  const stalledMs = core.diskStalledSinceMs === null || alone ? 0 : now - core.diskStalledSinceMs;
  // Who hears a leader that can neither commit nor feed its followers would wait for it for ever.
  const waitingMs = leadership.waitingMs(core.commit, core.lastLsn, now);
  const useless =
    waitingMs >= electionMaxMs && leadership.hasNothingFor(core.membership, sendableBehind(core));
  const heard = leadership.heardMajority(core.membership, now, electionMaxMs);
  if (!heard || stalledMs > electionMinMs || useless) {
    core.follow(core.term, null, now);
    return;
  }
  const handover = leadership.handover;
  if (handover !== null && now >= handover.deadlineMs) {
    leadership.handover = null;
    leadership.quietSinceMs = now;
    core.output.roleChanged();
  }
  if (now - leadership.heartbeatMs >= heartbeatMs) sendHeartbeats(core, leadership, now);
  // Heartbeats that reads asked for must not put this off for ever.
  if (now - leadership.lookedMs >= heartbeatMs) {
    leadership.lookedMs = now;
    for (const [follower, progress] of leadership.followers) {
      if (progress.state === 'snapshot' && now - progress.offeredMs >= snapshotOfferMs)
        core.output.needsSnapshot(follower);
      else if (progress.state !== 'snapshot') core.output.shipTo(follower);
    }
    core.output.positionsChanged();
    returnToPreferred(core, leadership, now);
  }
}

export function leaderEndOfTurn(core: Core, leadership: Leadership, now: number): void {
  if (!leadership.confirmationWanted) return;
  sendHeartbeats(core, leadership, now);
  if (votesAlone(core.membership, core.id)) answerReadIndexes(core, leadership, now);
}

function sendHeartbeats(core: Core, leadership: Leadership, now: number): void {
  leadership.heartbeatMs = now;
  if (core.diskStalledSinceMs !== null) return;
  leadership.confirmationWanted = false;
  for (const [follower, progress] of leadership.followers) sendHeartbeat(core, follower, progress, now);
}

function sendHeartbeat(core: Core, follower: NodeId, progress: Progress, now: number): void {
  const commit = Math.min(core.commit, progress.received);
  progress.commitSent = commit;
  progress.heartbeatSent(now);
  core.output.send(follower, {
    kind: 'heartbeat',
    term: core.term,
    commit,
    sentMs: now,
    timeMs: core.timeMs,
    last: core.lastLsn,
    laggards: core.laggards,
    held: progress.received,
    lackedBytes: progress.received < core.lastLsn ? core.bytesFrom(progress.received + 1) : 0,
    echo:
      progress.stampMs === null
        ? null
        : { stampMs: progress.stampMs, commit: holdsLease(core, now) ? core.commit : null },
  });
}

/**
 * True when no other leader can have committed anything that this one's commit lacks. `now` was read after whatever the
 * answer is to be no older than.
 */
function holdsLease(core: Core, now: number): boolean {
  return core.hasOwnCommit && (core.leadership?.leaseUntilMs(core.membership, now) ?? 0) > now;
}

/** What nodes that are no members are told. Who is to be removed counts as one until that is committed. */
export function noticeOf(core: Core): LeaderNotice {
  const members = new Set(everyMember(core.membership));
  for (const node of everyMember(core.memberships.at(core.commit))) members.add(node);
  return { kind: 'leaderNotice', term: core.term, members: [...members] };
}

/** Tells followers of a commit that no append carried to them. */
export function pushCommit(core: Core, now: number): void {
  if (core.leadership === null || core.diskStalledSinceMs !== null) return;
  for (const [follower, progress] of core.leadership.followers) {
    if (progress.state === 'replicate' && progress.commitSent < Math.min(core.commit, progress.received)) {
      sendHeartbeat(core, follower, progress, now);
    }
  }
}

/** A follower spoke, or (null) the leader's own log became durable. */
export function leaderReceives(
  core: Core,
  leadership: Leadership,
  from: NodeId,
  message: AppendAck | HeartbeatAck | ReadIndexRequest | null,
  now: number,
): void {
  if (message === null) {
    advanceCommit(core, leadership, now);
    return;
  }
  if (message.kind === 'readIndexRequest') {
    askedForReadIndex(core, leadership, from, message, now);
    return;
  }
  const progress = leadership.followers.get(from);
  if (progress === undefined) return;
  progress.heardMs = now;
  if (message.kind === 'heartbeatAck') heartbeatAnswered(core, leadership, from, progress, message, now);
  else appendAnswered(core, leadership, from, progress, message, now);
}

function appendAnswered(
  core: Core,
  leadership: Leadership,
  from: NodeId,
  progress: Progress,
  ack: AppendAck,
  now: number,
): void {
  if (ack.refused !== undefined) {
    refused(core, from, progress, ack.refused);
    return;
  }
  const rose = acknowledge(core, progress, ack);
  progress.trackCaughtUp(core.lastLsn, now, core.options.inSyncLagMs);
  // A follower that is past what cannot be sent goes on from the log, whatever it was offered.
  const knowsEnough = progress.received >= sendableBehind(core);
  if (progress.state === 'probe' || (progress.state === 'snapshot' && knowsEnough)) progress.replicate();
  if (rose) {
    core.output.positionsChanged();
    advanceCommit(core, leadership, now);
    tellHandoverTarget(core, leadership);
  }
  core.output.shipTo(from);
}

/** A follower of this term never holds more of this log than there is: what it claims beyond is not believed. */
function acknowledge(core: Core, progress: Progress, ack: AppendAck | HeartbeatAck): boolean {
  const last = core.lastLsn;
  return progress.acknowledge(
    Math.min(ack.received, last),
    Math.min(ack.flushed, last),
    Math.min(ack.applied, last),
  );
}

function refused(
  core: Core,
  from: NodeId,
  progress: Progress,
  refusal: { previous: Position; hint: Position },
): void {
  // Only a refusal of what was sent last in this probe, or of something in the stream, says anything; older ones are stale.
  const stale =
    progress.state === 'probe'
      ? refusal.previous.lsn !== progress.next - 1
      : refusal.previous.lsn <= progress.flushed;
  if (stale || progress.state === 'snapshot') return;
  const agreed = core.log.agreementWith(refusal.hint);
  progress.lost(Math.min(refusal.hint.lsn, agreed.lsn));
  if (refusal.hint.lsn < core.log.base.lsn) {
    needSnapshot(core, from, progress);
    return;
  }
  progress.probe(Math.min(agreed.lsn + 1, refusal.previous.lsn));
  core.output.shipTo(from);
}

function heartbeatAnswered(
  core: Core,
  leadership: Leadership,
  from: NodeId,
  progress: Progress,
  ack: HeartbeatAck,
  now: number,
): void {
  const before = leadership.confirmedMs(core.membership, now);
  // An answer cannot be older than the term or younger than now: anything else is not this leader's stamp.
  if (ack.sentMs <= now && ack.sentMs >= leadership.startedMs) {
    progress.confirmedMs = Math.max(progress.confirmedMs, ack.sentMs);
    progress.roundTripMs = now - ack.sentMs;
  }
  progress.priority = ack.priority;
  progress.stampMs = ack.stampMs;
  const rose = acknowledge(core, progress, ack);
  progress.trackCaughtUp(core.lastLsn, now, core.options.inSyncLagMs);
  if (rose) {
    core.output.positionsChanged();
    advanceCommit(core, leadership, now);
    tellHandoverTarget(core, leadership);
  }
  if (progress.state === 'replicate' && progress.lostBefore(ack.sentMs, ack.received))
    progress.probe(ack.received + 1);
  else if (progress.state === 'probe') progress.probing = false;
  core.output.shipTo(from);
  const confirmed = leadership.confirmedMs(core.membership, now);
  if (confirmed > before) {
    answerReadIndexes(core, leadership, confirmed);
    core.output.leadershipConfirmed();
  }
}

/** Commit = the highest LSN of this term that is durable on a majority of voters, and everything below it. */
function advanceCommit(core: Core, leadership: Leadership, now: number): void {
  const held = leadership.heldBy(core.membership, core.majority, 'flushed', core.flushed);
  if (held <= core.commit || core.log.termAt(held) !== core.term) return;
  core.commit = held;
  core.output.committed(held);
  tellHandoverTarget(core, leadership);
  const removed = !isVoter(core.membership, core.id) && core.memberships.currentLsn <= held;
  if (removed) core.follow(core.term, null, now);
}

/** Entries behind this LSN can be sent; who lacks others needs a checkpoint at or beyond it. */
export function sendableBehind(core: Core): Lsn {
  return Math.max(core.log.base.lsn, core.unreadable);
}

/** What this follower may be sent now; null when nothing. */
export function planShipment(core: Core, follower: NodeId): Shipment | null {
  const progress = core.leadership?.followers.get(follower);
  if (progress === undefined || progress.state === 'snapshot' || progress.probing) return null;
  if (progress.next <= sendableBehind(core)) {
    needSnapshot(core, follower, progress);
    return null;
  }
  const { inflightBytes, appendBytes } = core.options;
  const room = inflightBytes - progress.inflightBytes;
  if (room <= 0) return null;
  if (progress.next > core.lastLsn && progress.state === 'replicate') return null;
  const lsn = progress.next - 1;
  return {
    previous: { term: core.log.termAt(lsn), lsn },
    fromLsn: progress.next,
    maxBytes: Math.min(room, appendBytes),
  };
}

/** The driver sent what `planShipment` asked for, up to `lastLsn` (`fromLsn - 1` when there was nothing to send but the probe). */
export function shipmentSent(core: Core, follower: NodeId, lastLsn: Lsn, bytes: number): void {
  const progress = core.leadership?.followers.get(follower);
  if (progress === undefined) return;
  progress.commitSent = core.commit;
  progress.sent(lastLsn, bytes);
}

/** An entry cannot be read back: only a checkpoint at or beyond it helps followers that lack it. */
export function logUnreadable(core: Core, lsn: Lsn): void {
  core.unreadable = Math.max(core.unreadable, lsn);
}

function needSnapshot(core: Core, follower: NodeId, progress: Progress): void {
  progress.awaitSnapshot(0);
  core.output.needsSnapshot(follower);
}

/** There is a checkpoint that brings this follower forward: tell it. */
export function offerSnapshot(core: Core, follower: NodeId, checkpoint: Position, now: number): void {
  const progress = core.leadership?.followers.get(follower);
  if (progress === undefined || progress.state !== 'snapshot') return;
  progress.awaitSnapshot(checkpoint.lsn);
  progress.offeredMs = now;
  core.output.send(follower, { kind: 'snapshotOffer', term: core.term, checkpoint });
}

/** The lowest LSN that some follower still needs from this leader's log; Infinity when none does. */
export function lowestNeeded(core: Core): Lsn {
  let lowest = Number.POSITIVE_INFINITY;
  for (const progress of core.leadership?.followers.values() ?? []) {
    const from = progress.state === 'snapshot' ? progress.snapshotLsn + 1 : progress.flushed + 1;
    lowest = Math.min(lowest, from);
  }
  return lowest;
}

function askedForReadIndex(
  core: Core,
  leadership: Leadership,
  from: NodeId,
  request: ReadIndexRequest,
  now: number,
): void {
  if (!core.hasOwnCommit) {
    answerReadIndex(core, from, request.context, null);
    return;
  }
  if (request.byLease && holdsLease(core, now)) {
    answerReadIndex(core, from, request.context, core.commit);
    return;
  }
  leadership.readIndexes.push({ from, context: request.context, commit: core.commit, askedMs: now });
  leadership.confirmationWanted = true;
}

function answerReadIndexes(core: Core, leadership: Leadership, confirmedMs: number): void {
  const waiting = leadership.readIndexes.splice(0);
  for (const item of waiting) {
    if (item.askedMs > confirmedMs) leadership.readIndexes.push(item);
    else answerReadIndex(core, item.from, item.context, item.commit);
  }
}

/** To whoever asked, this leader itself included. */
function answerReadIndex(core: Core, to: NodeId, context: number, commit: Lsn | null): void {
  if (to === core.id) core.output.readIndex(context, commit);
  else core.output.send(to, { kind: 'readIndexResponse', term: core.term, context, commit });
}

/**
 * Begins to hand leadership to a voter; false when that cannot be tried. The leader stops accepting; the driver must
 * have nothing unsealed. Given up after an election timeout: then `accepting` is true again.
 * @param keep the new leader does not give leadership back to a preferred node on its own
 */
export function handOver(core: Core, target: NodeId, now: number, keep = false): boolean {
  const leadership = core.leadership;
  if (leadership === null || leadership.handover !== null || target === core.id) return false;
  const progress = leadership.followers.get(target);
  if (progress === undefined || !isVoter(core.membership, target) || progress.state !== 'replicate')
    return false;
  // A node that never leads would let the writes wait for nothing.
  if (progress.priority === 0) return false;
  leadership.handover = { target, deadlineMs: now + core.options.electionMaxMs, keep, told: false };
  leadership.leaseOver = true;
  core.output.roleChanged();
  tellHandoverTarget(core, leadership);
  return true;
}

function tellHandoverTarget(core: Core, leadership: Leadership): void {
  const handover = leadership.handover;
  if (handover === null || handover.told) return;
  const progress = leadership.followers.get(handover.target);
  // With everything committed, no client of this leader is left without its answer.
  if (progress === undefined || progress.flushed < core.lastLsn || core.commit < core.lastLsn) return;
  handover.told = true;
  const { target, keep } = handover;
  core.output.send(target, { kind: 'campaignNow', term: core.term, last: core.log.last, keep });
}

/** A follower was told to take over: it gets leadership if it could do without a pause that clients notice. */
export function leadershipWanted(core: Core, leadership: Leadership, from: NodeId, now: number): void {
  const progress = leadership.followers.get(from);
  if (progress === undefined || !core.hasOwnCommit || !leadership.isInSync(progress, now)) return;
  handOver(core, from, now, true);
}

function returnToPreferred(core: Core, leadership: Leadership, now: number): void {
  if (
    leadership.handover !== null ||
    leadership.kept ||
    now - leadership.quietSinceMs < priorityHandoverMs ||
    !core.hasOwnCommit
  )
    return;
  for (const [follower, progress] of leadership.followers) {
    if (
      progress.priority > core.priority &&
      leadership.isInSync(progress, now) &&
      handOver(core, follower, now)
    )
      return;
  }
}
