import type { LagByStage, LagView } from '../commands/types.ts';
import type { Core } from '../core/core.ts';
import type { Leadership, Stage } from '../core/leadership.ts';
import { doubtfulHeartbeats } from '../core/options.ts';
import type { Progress } from '../core/progress.ts';

const noLag: LagView = { entries: 0, bytes: 0, ms: 0 };

function byStage(of: (stage: Stage) => LagView): LagByStage {
  return { received: of('received'), flushed: of('flushed'), applied: of('applied') };
}

/** What a leader knows of how far a follower is behind. A time from before its own term is not known: it counts from there. */
export function lagOfFollower(
  core: Core,
  leadership: Leadership,
  progress: Progress,
  now: number,
): LagByStage {
  const end = core.lastLsn;
  const heardMs = Math.max(progress.heardMs, leadership.startedMs);
  const silent = now - heardMs > doubtfulHeartbeats * core.options.heartbeatMs;
  return byStage((stage) => {
    const lsn = Math.min(progress[stage], end);
    const lackedNothing = lsn === end ? now : Math.max(leadership.ends.asOf(lsn), leadership.startedMs);
    return {
      entries: end - lsn,
      bytes: lsn === end ? 0 : core.bytesFrom(lsn + 1),
      ms: now - (silent ? Math.min(lackedNothing, heardMs) : lackedNothing),
    };
  });
}

/** The least bound, in ms, within which a follower can be expected to serve a read, as its leader knows; it asks for proof by a round trip. */
export function leastBoundMs({ applied }: LagByStage, progress: Progress): number {
  return Math.max(applied.ms, progress.roundTripMs);
}

/**
 * What a replica that does not lead knows of how far it is behind the newest end of the leader's log that it heard of.
 * Stamps that come back say how old that knowledge is; until the first one it counts from the start of this replica.
 */
export function ownLag(core: Core, now: number): LagByStage {
  if (core.leadership !== null) return { received: noLag, flushed: noLag, applied: noLag };
  const { following } = core;
  const received = Math.max(Math.min(core.lastLsn, following.verified), core.commit);
  const end = Math.max(following.leaderLast, received);
  const positions = { received, flushed: Math.min(core.flushed, received), applied: core.applied };
  // The leader's count begins where it knows this log to end; what was heard of since is counted here.
  const beyond = Math.max(0, following.lackedBytes - core.bytesFrom(following.held + 1));
  return byStage((stage) => {
    const lsn = positions[stage];
    return {
      entries: end - lsn,
      bytes: lsn === end ? 0 : beyond + (lsn < core.lastLsn ? core.bytesFrom(lsn + 1) : 0),
      ms: ownLagMs(core, lsn, lsn === end, now),
    };
  });
}

function ownLagMs(
  { following, options, leader, startedMs }: Core,
  lsn: number,
  complete: boolean,
  now: number,
) {
  const vouchedMs = now - Math.max(following.vouchedEnds.asOf(lsn), startedMs);
  if (leader === null || vouchedMs > doubtfulHeartbeats * options.heartbeatMs) return vouchedMs;
  return complete ? 0 : Math.min(vouchedMs, now - following.heardEnds.asOf(lsn));
}
