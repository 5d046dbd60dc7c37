import type { NodeId, Position, SnapshotRequest } from '../core/types.ts';
import { runTask } from '../env/task.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { ReplicaContext } from './replica-context.ts';

/** A follower that stopped asking gives up its turn after this, in ms. */
const turnMs = 5000;
/** A follower that has all pieces may take this long to put them in place, in ms. */
const installMs = 60_000;

interface Turn {
  readonly follower: NodeId;
  readonly checkpoint: Position;
  readonly lastMs: number;
  /** The last piece has left. */
  done: boolean;
}

/** Hands out checkpoints piece by piece, to one follower at a time. */
export class SnapshotSender {
  readonly #shard: number;
  readonly #context: ReplicaContext;
  readonly #checkpointer: Checkpointer;
  #turn: Turn | null = null;

  constructor(shard: number, context: ReplicaContext, checkpointer: Checkpointer) {
    this.#shard = shard;
    this.#context = context;
    this.#checkpointer = checkpointer;
  }

  #current(): Turn | null {
    const turn = this.#turn;
    if (turn === null) return null;
    const silentMs = this.#context.clock.monotonicMs() - turn.lastMs;
    return silentMs < (turn.done ? installMs : turnMs) ? turn : null;
  }

  /** The checkpoint that this follower is fetching: offering it another one would make it begin anew. */
  sendingTo(follower: NodeId): Position | null {
    const turn = this.#current();
    return turn?.follower === follower ? turn.checkpoint : null;
  }

  isSending(checkpoint: Position): boolean {
    const sent = this.#current()?.checkpoint;
    return sent?.lsn === checkpoint.lsn && sent.term === checkpoint.term;
  }

  answer(follower: NodeId, request: SnapshotRequest): void {
    if (request.maxBytes === 0) {
      if (this.#turn?.follower === follower) this.#turn = null;
      // The follower found it damaged.
      this.#context.logger.warn(
        { shard: this.#shard, follower, lsn: request.checkpoint.lsn },
        'a follower refused this checkpoint: cutting another',
      );
      this.#checkpointer.want(request.checkpoint.lsn + 1);
      return;
    }
    const other = this.#current();
    if (other !== null && other.follower !== follower && !other.done) {
      this.#send(follower, request, -1, Buffer.alloc(0));
      return;
    }
    const { checkpoint } = request;
    const turn: Turn = { follower, checkpoint, lastMs: this.#context.clock.monotonicMs(), done: false };
    this.#turn = turn;
    const id = { shard: this.#shard, ...checkpoint };
    const bytes = Math.min(request.maxBytes, this.#context.options.snapshotPieceBytes);
    runTask(this.#context.checkpoints.readPiece(id, request.offset, bytes), (error, piece) => {
      if (error !== null)
        this.#context.logger.warn({ shard: this.#shard, error: error.message }, 'cannot read a checkpoint');
      const gone = piece === undefined || piece === null;
      this.#send(follower, request, gone ? 0 : piece.totalBytes, gone ? Buffer.alloc(0) : piece.bytes);
      if (gone && this.#turn === turn) this.#turn = null;
      turn.done = !gone && request.offset + piece.bytes.length >= piece.totalBytes;
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
