import type { NodeId, SnapshotRequest } from '../core/types.ts';
import { runTask } from '../env/task.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { ReplicaContext } from './replica-context.ts';

/** A follower that stopped asking gives up its turn after this, in ms. */
const turnMs = 5000;

/** Hands out checkpoints piece by piece, to one follower at a time. */
export class SnapshotSender {
  readonly #shard: number;
  readonly #context: ReplicaContext;
  readonly #checkpointer: Checkpointer;
  #serving: { readonly follower: NodeId; lastMs: number } | null = null;

  constructor(shard: number, context: ReplicaContext, checkpointer: Checkpointer) {
    this.#shard = shard;
    this.#context = context;
    this.#checkpointer = checkpointer;
  }

  answer(follower: NodeId, request: SnapshotRequest): void {
    if (request.maxBytes === 0) {
      // The follower found it damaged.
      this.#context.logger.warn(
        { shard: this.#shard, follower, lsn: request.checkpoint.lsn },
        'a follower refused this checkpoint: cutting another',
      );
      this.#checkpointer.wanted = true;
      return;
    }
    const now = this.#context.clock.monotonicMs();
    const turn = this.#serving;
    if (turn !== null && turn.follower !== follower && now - turn.lastMs < turnMs) {
      this.#send(follower, request, -1, Buffer.alloc(0));
      return;
    }
    this.#serving = { follower, lastMs: now };
    const id = { shard: this.#shard, ...request.checkpoint };
    const bytes = Math.min(request.maxBytes, this.#context.options.snapshotPieceBytes);
    runTask(this.#context.checkpoints.readPiece(id, request.offset, bytes), (error, piece) => {
      if (error !== null)
        this.#context.logger.warn({ shard: this.#shard, error: error.message }, 'cannot read a checkpoint');
      const gone = piece === undefined || piece === null;
      this.#send(follower, request, gone ? 0 : piece.totalBytes, gone ? Buffer.alloc(0) : piece.bytes);
      if (!gone && request.offset + piece.bytes.length >= piece.totalBytes) this.#serving = null;
      this.#context.touched();
    });
  }

  #send(follower: NodeId, request: SnapshotRequest, totalBytes: number, bytes: Buffer): void {
    const { checkpoint, offset, term } = request;
    const lsn = this.#checkpointer.latest?.lsn ?? 0;
    this.#context.logger.debug({ shard: this.#shard, follower, offset, latest: lsn }, 'snapshot piece');
    this.#context.peers.send(
      follower,
      this.#shard,
      { kind: 'snapshotChunk', term, checkpoint, offset, totalBytes, bytes },
      'bulk',
    );
  }
}
