import type { Progress } from '../core/progress.ts';
import type { NodeId } from '../core/types.ts';
import type { LogRoom } from '../log/types.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** How often the speed is measured at which a follower falls behind or catches up, in ms. */
const sampleMs = 1000;
/** How much the latest measurement weighs. */
const weight = 0.3;
/** A warning comes when less than this part is left of what is kept for followers, and is over above the second. */
const warnBelow = 0.5;
const calmAbove = 0.75;

/** How far a follower is from the place where the log that it needs is dropped. */
export interface FallOff {
  /** Bytes of log that may still be written before that. */
  readonly bytes: number;
  /** Time until that if all goes on as it does, in ms; Infinity when it never comes to that. */
  readonly ms: number;
}

interface Watched {
  /** Log behind the follower's position, of all shards, when it was measured last. */
  behind: number;
  lsn: number;
  atMs: number;
  /** Bytes per ms by which that grows; below 0 while the follower catches up. */
  growth: number;
  moves: boolean;
  state: 'fine' | 'warned' | 'fallen';
}

/** Foresees, on a leader, which followers fall behind the log that is kept for them, and says so before they do. */
export class FallOffWatch {
  readonly #replica: Replica;
  readonly #context: ReplicaContext;
  readonly #watched = new Map<NodeId, Watched>();

  constructor(replica: Replica, context: ReplicaContext) {
    this.#replica = replica;
    this.#context = context;
  }

  /** Null when the follower lacks nothing that is on disk. */
  of(node: NodeId, progress: Progress): FallOff | null {
    if (this.#hasFallen(progress)) return { bytes: 0, ms: 0 };
    const room = this.#roomOf(progress);
    return room === null ? null : foreseen(room, this.#watched.get(node));
  }

  /** Called often while this replica leads. */
  tick(now: number): void {
    const { leadership } = this.#replica.core;
    if (leadership === null) {
      this.#watched.clear();
      return;
    }
    for (const [node, progress] of leadership.followers) this.#look(node, progress, now);
    for (const node of this.#watched.keys()) if (!leadership.followers.has(node)) this.#watched.delete(node);
  }

  #look(node: NodeId, progress: Progress, now: number): void {
    const watched = this.#watched.get(node) ?? {
      behind: 0,
      lsn: progress.flushed,
      atMs: now,
      growth: 0,
      moves: true,
      state: 'fine',
    };
    this.#watched.set(node, watched);
    if (this.#hasFallen(progress)) {
      if (watched.state !== 'fallen') this.#say(node, 'fallen', watched, { bytes: 0, ms: 0 });
      return;
    }
    const room = this.#roomOf(progress);
    measure(watched, progress.flushed, room?.behind ?? 0, now);
    if (room === null || Math.min(room.bytesShare, room.msShare) > calmAbove) {
      if (watched.state !== 'fine') this.#say(node, 'fine', watched, null);
      return;
    }
    const shrinks = watched.moves && watched.growth < 0;
    const isShort = Math.min(room.bytesShare, room.msShare) < warnBelow;
    if (watched.state === 'fallen') watched.state = 'warned';
    else if (watched.state === 'fine' && isShort && !shrinks)
      this.#say(node, 'warned', watched, foreseen(room, watched));
  }

  #hasFallen(progress: Progress): boolean {
    const { log, lastLsn } = this.#replica.core;
    return progress.state === 'snapshot' || (progress.flushed < log.base.lsn && progress.flushed < lastLsn);
  }

  #roomOf({ flushed }: Progress): LogRoom | null {
    const { shard, core } = this.#replica;
    return flushed >= core.lastLsn ? null : this.#context.log.room(shard, flushed + 1);
  }

  #say(node: NodeId, state: Watched['state'], watched: Watched, fallOff: FallOff | null): void {
    watched.state = state;
    const { logger } = this.#context;
    const follower = { shard: this.#replica.shard, follower: node };
    if (state === 'fallen') {
      logger.warn(follower, 'the log no longer gives what a follower needs: it needs a snapshot');
    } else if (state === 'warned') {
      const bytes = fallOff?.bytes ?? 0;
      const ms = fallOff === null || fallOff.ms === Number.POSITIVE_INFINITY ? null : Math.round(fallOff.ms);
      logger.warn(
        { ...follower, bytesLeft: bytes, msLeft: ms },
        'a follower is falling off the log: more than half of what is kept for it is used',
      );
    } else {
      logger.info(follower, 'a follower is near the end of the log again');
    }
  }
}

function measure(watched: Watched, lsn: number, behind: number, now: number): void {
  const ms = now - watched.atMs;
  if (ms < sampleMs) return;
  const growth = (behind - watched.behind) / ms;
  watched.growth += weight * (growth - watched.growth);
  watched.moves = lsn !== watched.lsn;
  watched.behind = behind;
  watched.lsn = lsn;
  watched.atMs = now;
}

function foreseen(room: LogRoom, watched: Watched | undefined): FallOff {
  const growth = watched?.growth ?? 0;
  const byBytes = growth > 0 ? room.bytes / growth : Number.POSITIVE_INFINITY;
  // One that moves leaves old log behind it; one that does not is overtaken by the cap in time.
  const byAge = watched?.moves === false ? room.ms : Number.POSITIVE_INFINITY;
  return { bytes: room.bytes, ms: Math.min(byBytes, byAge) };
}
