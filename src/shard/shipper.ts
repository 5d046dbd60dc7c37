import { logUnreadable, planShipment, shipmentSent } from '../core/leading.ts';
import type { Message, NodeId, Position } from '../core/types.ts';
import type { Batch } from '../log/batch.ts';
import { DamagedLog } from '../log/damaged-log.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** Sends the followers of one replica their part of the log, from the cache or else from disk. */
export class Shipper {
  readonly #replica: Replica;
  readonly #context: ReplicaContext;
  readonly #wanting = new Set<NodeId>();
  /** Followers for whom the disk is being read. */
  readonly #reading = new Set<NodeId>();

  constructor(replica: Replica, context: ReplicaContext) {
    this.#replica = replica;
    this.#context = context;
  }

  /** There may be something for the follower: `ship` will look. */
  want(follower: NodeId): void {
    this.#wanting.add(follower);
  }

  /** Called at the end of a turn. */
  ship(): void {
    if (this.#wanting.size === 0) return;
    for (const follower of this.#wanting) this.#ship(follower);
    this.#wanting.clear();
  }

  #ship(follower: NodeId): void {
    const { core } = this.#replica;
    for (let plan = planShipment(core, follower); plan !== null; plan = planShipment(core, follower)) {
      if (plan.fromLsn > core.lastLsn) {
        this.#sendAppend(follower, plan.previous, []);
        return;
      }
      const batches = this.#context.log.cached(this.#replica.shard, plan.fromLsn, plan.maxBytes);
      if (batches === null) {
        this.#readAndShip(follower, plan.fromLsn, plan.maxBytes);
        return;
      }
      if (!this.#sendAppend(follower, plan.previous, batches)) return;
    }
  }

  #sendAppend(follower: NodeId, previous: Position, batches: readonly Batch[]): boolean {
    const { core } = this.#replica;
    let bytes = 0;
    for (const batch of batches) bytes += batch.bytes.length;
    const message: Message = {
      kind: 'append',
      term: core.term,
      previous,
      batches: batches.map(this.#context.spanOf),
      commit: core.commit,
      timeMs: core.timeMs,
      wantReceived: core.wantReceived,
      wantApplied: core.wantApplied,
    };
    if (!this.#context.peers.send(follower, this.#replica.shard, message, 'control')) return false;
    shipmentSent(core, follower, batches[batches.length - 1]?.lastLsn ?? previous.lsn, bytes);
    return true;
  }

  /** Catching up from disk: one read at a time per follower. */
  #readAndShip(follower: NodeId, fromLsn: number, maxBytes: number): void {
    if (this.#reading.has(follower)) return;
    this.#reading.add(follower);
    const { core } = this.#replica;
    const { term } = core;
    this.#context.log.read(this.#replica.shard, fromLsn, maxBytes, (error, batches) => {
      this.#reading.delete(follower);
      if (error !== null) {
        this.#context.logger.warn(
          { shard: this.#replica.shard, follower, fromLsn, error: error.message },
          'cannot read the log for a follower',
        );
        if (!(error instanceof DamagedLog) || core.term !== term) return;
        logUnreadable(core, error.lastLsn);
        this.#replica.shipTo(follower);
        return;
      }
      // Everything may have changed while the disk was read.
      const plan = core.term === term ? planShipment(core, follower) : null;
      if (plan !== null && plan.fromLsn === fromLsn && batches.length > 0)
        this.#sendAppend(follower, plan.previous, batches);
      this.#replica.shipTo(follower);
    });
  }
}
