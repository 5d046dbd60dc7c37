import type { NodeId, Position, SnapshotChunk } from '../core/types.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import type { IncomingCheckpoint, Manifest } from '../state/checkpoint-store.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** A piece that did not come is asked for again after this, in ms. */
const retryMs = 1000;

interface Fetch {
  readonly checkpoint: Position;
  from: NodeId;
  incoming: IncomingCheckpoint | null;
  /** A piece is being written: the next one is asked for afterwards. */
  busy: boolean;
  /** All of it is here: it is installed once the state is not being rebuilt. */
  complete: boolean;
  askedMs: number;
  startedMs: number;
}

/** Fetches a checkpoint from the leader, piece by piece, checks all of it and puts it in place of log and state. */
export class SnapshotReceiver {
  /** True while the state is being replaced. */
  installing = false;
  installed = 0;
  readonly #replica: Replica;
  readonly #context: ReplicaContext;
  #fetch: Fetch | null = null;

  constructor(replica: Replica, context: ReplicaContext) {
    this.#replica = replica;
    this.#context = context;
  }

  get fetching(): boolean {
    return this.#fetch !== null;
  }

  /** The leader offers a checkpoint. Going on with one that is under way beats beginning a newer one. */
  fetch(from: NodeId, checkpoint: Position): void {
    const current = this.#fetch;
    if (this.installing) return;
    if (
      current !== null &&
      current.checkpoint.lsn === checkpoint.lsn &&
      current.checkpoint.term === checkpoint.term
    ) {
      current.from = from;
      return;
    }
    if (current?.busy === true || current?.complete === true) return;
    if (current !== null && current.incoming !== null) runTask(current.incoming.close(), () => {});
    const now = this.#context.clock.monotonicMs();
    const fetch: Fetch = {
      checkpoint,
      from,
      incoming: null,
      busy: true,
      complete: false,
      askedMs: now,
      startedMs: now,
    };
    this.#fetch = fetch;
    const { shard } = this.#replica;
    this.#context.logger.info(
      { shard, from, lsn: checkpoint.lsn },
      'too far behind the log: fetching a snapshot',
    );
    runTask(this.#context.checkpoints.receive({ shard, ...checkpoint }), (error, incoming) => {
      fetch.busy = false;
      if (error !== null || incoming === undefined) {
        this.#giveUp(fetch, error);
        return;
      }
      fetch.incoming = incoming;
      this.#ask(fetch);
    });
  }

  #ask(fetch: Fetch): void {
    const { incoming, from, checkpoint } = fetch;
    if (incoming === null || this.#fetch !== fetch) return;
    fetch.askedMs = this.#context.clock.monotonicMs();
    const maxBytes = this.#context.options.snapshotPieceBytes;
    const { shard, core } = this.#replica;
    const request = {
      kind: 'snapshotRequest',
      term: core.term,
      checkpoint,
      offset: incoming.received,
      maxBytes,
    } as const;
    this.#context.peers.send(from, shard, request, 'bulk');
    this.#context.touched();
  }

  tick(now: number): void {
    const fetch = this.#fetch;
    if (fetch === null || fetch.busy) return;
    if (fetch.complete) {
      this.#installWhenQuiet(fetch);
      return;
    }
    if (now - fetch.askedMs < retryMs) return;
    // The leader may have changed: whoever leads now has a checkpoint of its own to offer.
    if (this.#replica.core.leader === fetch.from) this.#ask(fetch);
    else this.#giveUp(fetch, null);
  }

  arrived(from: NodeId, chunk: SnapshotChunk): void {
    const fetch = this.#fetch;
    const incoming = fetch?.incoming ?? null;
    if (fetch === null || incoming === null || fetch.busy || from !== fetch.from) return;
    const { checkpoint } = fetch;
    const ours = chunk.checkpoint.lsn === checkpoint.lsn && chunk.checkpoint.term === checkpoint.term;
    if (!ours || chunk.totalBytes < 0) return; // not ours, or the leader is busy with another follower: `tick` asks again
    if (chunk.totalBytes === 0) {
      this.#giveUp(fetch, new Error('the leader no longer has it'));
      return;
    }
    if (chunk.offset !== incoming.received) return;
    fetch.busy = true;
    runTask(this.#take(fetch, incoming, chunk), (error) => {
      fetch.busy = false;
      if (error !== null) this.#giveUp(fetch, error);
    });
  }

  *#take(fetch: Fetch, incoming: IncomingCheckpoint, chunk: SnapshotChunk): Task<void> {
    yield* incoming.write(chunk.bytes);
    if (incoming.received < chunk.totalBytes) {
      fetch.busy = false;
      this.#ask(fetch);
      return;
    }
    fetch.complete = true;
    if (!this.#replica.restoring) yield* this.#install(fetch, incoming);
  }

  /** Two restores at once would leave a mixture of both. */
  #installWhenQuiet(fetch: Fetch): void {
    if (fetch.incoming === null || this.#replica.restoring) return;
    fetch.busy = true;
    runTask(this.#install(fetch, fetch.incoming), (error) => {
      fetch.busy = false;
      if (error !== null) this.#giveUp(fetch, error);
    });
  }

  /** Replaces the state first, so that all of it has been checked before the log gives way. */
  *#install(fetch: Fetch, incoming: IncomingCheckpoint): Task<void> {
    const { keyspace, core, shard, checkpointer, watches } = this.#replica;
    const { checkpoint } = fetch;
    if (checkpoint.lsn <= core.commit || core.leadership !== null) {
      yield* incoming.discard();
      this.#fetch = null;
      return;
    }
    this.installing = true;
    core.unfitToLead = true;
    watches.stateReplaced();
    checkpointer.abandon();
    let manifest: Manifest;
    try {
      manifest = yield* this.#context.checkpoints.load(incoming.path, keyspace.restore());
    } catch (error) {
      try {
        yield* incoming.discard();
      } finally {
        this.#refuse(fetch, error as Error);
      }
      return;
    }
    try {
      yield* incoming.install();
    } catch (error) {
      this.installing = false;
      this.#giveUp(fetch, error as Error);
      this.#replica.rebuild();
      return;
    }
    const keepSuffix = core.log.holds(checkpoint);
    this.#context.log.reset(shard, checkpoint, keepSuffix);
    const membership = Buffer.from(manifest.membership, 'base64');
    checkpointer.adopt(manifest, membership);
    core.snapshotInstalled(checkpoint, this.#context.decodeMembership(membership));
    core.log.learn(manifest.terms);
    this.#replica.historyIs(manifest.timeMs);
    core.unfitToLead = false;
    this.installing = false;
    this.#fetch = null;
    this.installed += 1;
    const ms = Math.round(this.#context.clock.monotonicMs() - fetch.startedMs);
    this.#context.logger.info(
      { shard, lsn: checkpoint.lsn, keys: manifest.keys, digest: manifest.digest, ms },
      'snapshot installed',
    );
    this.#context.touched();
  }

  /** What arrived does not hold together: the leader is to cut another one, and the own state is read again. */
  #refuse(fetch: Fetch, error: Error): void {
    const { shard, core } = this.#replica;
    this.installing = false;
    const request = {
      kind: 'snapshotRequest',
      term: core.term,
      checkpoint: fetch.checkpoint,
      offset: 0,
      maxBytes: 0,
    } as const;
    this.#context.peers.send(fetch.from, shard, request, 'bulk');
    this.#giveUp({ ...fetch, incoming: null }, error);
    this.#fetch = null;
    this.#replica.rebuild();
  }

  #giveUp(fetch: Fetch, error: Error | null): void {
    if (this.#fetch === fetch) this.#fetch = null;
    const { shard } = this.#replica;
    if (error !== null)
      this.#context.logger.warn(
        { shard, error: error.message },
        'fetching a snapshot failed; it will be tried again',
      );
    if (fetch.incoming !== null) runTask(fetch.incoming.close(), () => {});
  }
}
