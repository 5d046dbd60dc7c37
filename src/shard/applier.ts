import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import type { Batch } from '../log/batch.ts';
import { entryKind } from '../log/batch.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/**
 * Log bytes applied in one turn, so that catching up leaves room for everything else: some thousand small writes, which
 * take a few milliseconds.
 */
const bytesPerTurn = 512 << 10;

/** Applies committed entries in LSN order, and builds the state anew when what it holds was cut from history. */
export class Applier {
  /** True while the state is being built anew. */
  rebuilding = false;
  readonly #replica: Replica;
  readonly #context: ReplicaContext;
  #reading = false;
  /** Rises with every rebuild: what was read from disk for the old state is dropped. */
  #generation = 0;

  constructor(replica: Replica, context: ReplicaContext) {
    this.#replica = replica;
    this.#context = context;
  }

  /** Log is being read for it. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Applies what is committed and at hand; asks for another turn when there is more. */
  step(): void {
    const { keyspace, core, shard, serving } = this.#replica;
    if (serving || this.rebuilding || this.#reading || this.#replica.receiving) return;
    let budget = bytesPerTurn;
    while (keyspace.appliedLsn < core.commit) {
      if (budget <= 0) {
        this.#context.touched();
        return;
      }
      const batches = this.#context.log.cached(shard, keyspace.appliedLsn + 1, budget);
      if (batches === null) {
        this.#readMore();
        return;
      }
      for (const batch of batches) {
        budget -= batch.bytes.length;
        this.#apply(batch);
      }
    }
  }

  #apply(batch: Batch): void {
    const { keyspace, core, checkpointer } = this.#replica;
    if (batch.firstLsn > core.commit) return;
    this.#replica.historyReached(batch.timeMs);
    const entry = batch.cursor();
    while (entry.next()) {
      if (entry.lsn > core.commit) return;
      if (entry.lsn <= keyspace.appliedLsn) continue;
      if (entry.kind === entryKind.effects)
        keyspace.applyEntry(batch.bytes, entry.start, entry.end, entry.lsn);
      else keyspace.appliedLsn = entry.lsn;
      if (entry.kind === entryKind.mark) checkpointer.begin({ term: batch.term, lsn: entry.lsn });
    }
  }

  #readMore(): void {
    const { keyspace, shard } = this.#replica;
    this.#reading = true;
    const generation = this.#generation;
    this.#context.log.read(shard, keyspace.appliedLsn + 1, bytesPerTurn, (error, batches) => {
      this.#reading = false;
      if (error !== null) this.#context.fatal(error);
      else if (generation === this.#generation && !this.rebuilding && !this.#replica.receiving)
        for (const batch of batches) this.#apply(batch);
      this.#context.touched();
    });
  }

  /** The state holds entries that were cut: back to the last checkpoint, then forward again through the log. */
  rebuild(): void {
    this.#generation += 1;
    // A snapshot that is being installed replaces the state anyway; when it turns out to be bad, this is called again.
    if (this.rebuilding || this.#replica.receiving) return;
    this.rebuilding = true;
    this.#replica.core.unfitToLead = true;
    this.#replica.watches.stateReplaced();
    this.#replica.checkpointer.abandon();
    runTask(this.#load(), (error) => {
      this.rebuilding = false;
      this.#replica.core.unfitToLead = false;
      if (error !== null) this.#context.fatal(error);
      this.#context.touched();
    });
  }

  *#load(): Task<void> {
    const { keyspace, shard, checkpointer } = this.#replica;
    const checkpoint = checkpointer.latest;
    this.#replica.historyIs(checkpointer.latestManifest?.timeMs ?? 0);
    if (checkpoint === null) {
      keyspace.restore().finish(0);
    } else {
      yield* this.#context.checkpoints.load(
        this.#context.checkpoints.path({ shard, ...checkpoint }),
        keyspace.restore(),
      );
    }
    this.#context.logger.info({ shard, lsn: keyspace.appliedLsn }, 'state rebuilt from the last checkpoint');
  }
}
