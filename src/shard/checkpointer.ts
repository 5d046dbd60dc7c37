import type { Lsn, Position } from '../core/types.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import type { CheckpointId, CheckpointWriter, Manifest } from '../state/checkpoint-store.ts';
import type { CheckpointSlices } from '../state/types.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** Bytes encoded at a time, between requests. */
const sliceBytes = 64 << 10;

/** A shard with less than this part of what makes a checkpoint due keeps at most so many times that much log, all shards together. */
const littlePart = 16;
const mostPinned = 4;
/** How often it looks. */
const pinsLookMs = 1000;

interface Running {
  readonly position: Position;
  readonly slices: CheckpointSlices;
  readonly timeMs: number;
  readonly beganMs: number;
  writer: CheckpointWriter | null;
  /** All slices are written: the manifest waits for the LSN to be committed and durable here. */
  complete: boolean;
  abandoned: boolean;
}

/** Cuts checkpoints at the marks of the log, and says which one is the latest. */
export class Checkpointer {
  latest: Position | null = null;
  latestManifest: Manifest | null = null;
  /** Checkpoints finished since the start, and how long the last one took, in ms. */
  finished = 0;
  lastMs = 0;
  /** Whether a follower is being sent a checkpoint, which must stay until then. */
  isSent: (checkpoint: Position) => boolean = () => false;
  readonly #replica: Replica;
  readonly #context: ReplicaContext;
  #running: Running | null = null;
  /** The one whose manifest is being written. */
  #finishing: Position | null = null;
  /** Somebody needs one that is not under way. */
  #wanted = false;
  /** Checkpoints on disk beside the latest one, oldest first. */
  #superseded: CheckpointId[] = [];
  #bytesSince = 0;
  #lastBeganMs = 0;
  #pinsSeenMs = 0;

  constructor(replica: Replica, context: ReplicaContext) {
    this.#replica = replica;
    this.#context = context;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  get progress(): number {
    return this.#running?.slices.progress ?? 0;
  }

  /** Log bytes were added. */
  logged(bytes: number): void {
    this.#bytesSince += bytes;
  }

  /** A follower needs one at or beyond `lsn`. What is under way may do. */
  want(lsn: Lsn): void {
    const underWay = this.#running?.abandoned === false ? this.#running.position : this.#finishing;
    if (underWay === null || underWay.lsn < lsn) this.#wanted = true;
  }

  startedServing(now: number): void {
    this.#lastBeganMs = Math.max(this.#lastBeganMs, now - this.#context.options.checkpointMs / 2);
  }

  /** Whether the leader should write a mark now. */
  isDue(now: number): boolean {
    if (this.#running !== null) return false;
    if (this.#wanted) return true;
    const { checkpointBytes, checkpointMs } = this.#context.options;
    const enough = this.#bytesSince >= checkpointBytes;
    const late = this.#bytesSince > 0 && now - this.#lastBeganMs >= checkpointMs;
    return enough || late || this.#holdsUpOthers(now);
  }

  /** A shard in which little happens keeps log of the others from being dropped, for the sake of a few entries. */
  #holdsUpOthers(now: number): boolean {
    if (now - this.#pinsSeenMs < pinsLookMs) return false;
    this.#pinsSeenMs = now;
    const { log, options } = this.#context;
    return (
      this.#bytesSince < options.checkpointBytes / littlePart &&
      log.pinnedBytes(this.#replica.shard) > mostPinned * options.checkpointBytes
    );
  }

  /** The state is as of this mark, now: begin. A mark that comes while another checkpoint runs is passed over. */
  begin(position: Position): void {
    this.#wanted = false;
    if (this.#running !== null) return;
    const now = this.#context.clock.monotonicMs();
    this.#bytesSince = 0;
    this.#lastBeganMs = now;
    const slices = this.#replica.keyspace.beginCheckpoint();
    const running: Running = {
      position,
      slices,
      timeMs: this.#replica.historyMs,
      beganMs: now,
      writer: null,
      complete: false,
      abandoned: false,
    };
    this.#running = running;
    runTask(this.#write(running), (error) => {
      if (error === null) this.positionsMoved();
      else this.#failed(running, error);
    });
  }

  *#write(running: Running): Task<void> {
    const { shard } = this.#replica;
    running.writer = yield* this.#context.checkpoints.create({ shard, ...running.position });
    for (;;) {
      if (running.abandoned) break;
      const slice = running.slices.next(sliceBytes);
      if (slice === null) break;
      yield* running.writer.write(slice);
    }
    running.complete = true;
  }

  #failed(running: Running, error: Error): void {
    this.#context.logger.warn(
      { shard: this.#replica.shard, lsn: running.position.lsn, error: error.message },
      'checkpoint failed',
    );
    running.complete = true;
    this.abandon();
  }

  /** Commit or flushed moved: a complete checkpoint may become a finished one. */
  positionsMoved(): void {
    const running = this.#running;
    if (running === null || !running.complete) return;
    if (running.abandoned) {
      this.#discard(running);
      return;
    }
    const { core } = this.#replica;
    if (Math.min(core.commit, core.flushed) < running.position.lsn) return;
    this.#running = null;
    this.#finishing = running.position;
    runTask(this.#finish(running), (error) => {
      this.#finishing = null;
      if (error !== null)
        this.#context.logger.warn({ shard: this.#replica.shard, error: error.message }, 'checkpoint failed');
      this.#context.touched();
    });
  }

  *#finish(running: Running): Task<void> {
    const { shard, core } = this.#replica;
    const { position, slices } = running;
    const membership = Buffer.from(this.#context.encodeMembership(core.memberships.at(position.lsn)));
    const manifest: Manifest = {
      shard,
      ...position,
      terms: core.log.runsThrough(position.lsn),
      membership: membership.toString('base64'),
      digest: slices.digest,
      keys: slices.keys,
      timeMs: running.timeMs,
    };
    yield* (running.writer as CheckpointWriter).finish(manifest);
    this.adopt(manifest, membership);
    this.finished += 1;
    this.lastMs = this.#context.clock.monotonicMs() - running.beganMs;
    this.#context.logger.info(
      { shard, lsn: position.lsn, keys: slices.keys, digest: slices.digest, ms: Math.round(this.lastMs) },
      'checkpoint finished',
    );
    yield* this.#removeSuperseded();
  }

  /** The previous checkpoint stays until the one after it: a damaged file then costs nothing. */
  *#removeSuperseded(): Task<void> {
    const going = this.#superseded.slice(0, -1).filter((id) => !this.isSent(id));
    this.#superseded = this.#superseded.filter((id) => !going.includes(id));
    for (const id of going) yield* this.#context.checkpoints.remove(id);
  }

  /** What was found on disk, newest first, and the one among them that was loaded. */
  found(ids: readonly CheckpointId[], loaded: Manifest): void {
    this.latest = { term: loaded.term, lsn: loaded.lsn };
    this.latestManifest = loaded;
    this.#superseded = ids.filter((id) => id.lsn !== loaded.lsn || id.term !== loaded.term).reverse();
  }

  /** This checkpoint is durable: log below it may go. */
  adopt(manifest: Manifest, membership: Buffer): void {
    const { shard, term, lsn } = manifest;
    // A damaged file of this name, if there was one, is this checkpoint now.
    this.#superseded = this.#superseded.filter((id) => id.lsn !== lsn || id.term !== term);
    if (this.latest !== null && this.latest.lsn >= lsn) {
      if (this.latest.lsn > lsn) this.#superseded.unshift({ shard, term, lsn });
      return;
    }
    if (this.latest !== null) this.#superseded.push({ shard, ...this.latest });
    this.latest = { term, lsn };
    this.latestManifest = manifest;
    this.#context.log.checkpointed(this.#replica.shard, this.latest, membership);
    this.#context.touched();
  }

  /** A checkpoint of state that may be taken back must not become one. */
  leadershipLost(): void {
    const running = this.#running;
    if (running !== null && running.position.lsn > this.#replica.core.commit) this.abandon();
  }

  abandon(): void {
    const running = this.#running;
    if (running === null || running.abandoned) return;
    running.abandoned = true;
    running.slices.abandon();
    if (running.complete) this.#discard(running);
  }

  #discard(running: Running): void {
    this.#running = null;
    if (running.writer === null) return;
    runTask(running.writer.abandon(), () => {});
  }
}
