import { expect } from 'vitest';
import type { HandDisk, Opened } from './log-test-kit.ts';
import { batchOf, openOn, payloadsOf, readAll, smallOptions } from './log-test-kit.ts';
import { comparePositions } from './positions.ts';
import type { HardState, LogPosition, NodeLogOptions, RecoveredShard } from './types.ts';

/** What a test does to the log of a shard. Numbers are taken modulo what is possible. */
export type Operation =
  | { readonly kind: 'append'; readonly shard: number; readonly entries: number; readonly bytes: number }
  | { readonly kind: 'newTerm'; readonly shard: number }
  | { readonly kind: 'overwrite'; readonly shard: number; readonly back: number; readonly bytes: number }
  | { readonly kind: 'cut'; readonly shard: number; readonly back: number }
  | { readonly kind: 'reset'; readonly shard: number; readonly ahead: number; readonly keepSuffix: boolean }
  | { readonly kind: 'checkpoint'; readonly shard: number; readonly back: number }
  | { readonly kind: 'vote'; readonly shard: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'tick' }
  | { readonly kind: 'complete'; readonly count: number };

interface ModelEntry {
  readonly term: number;
  readonly payload: string;
}

/** One shard as it should be. Entry i has LSN base.lsn + 1 + i. */
interface ModelShard {
  base: LogPosition;
  entries: ModelEntry[];
  hardState: HardState | null;
  checkpoint: LogPosition;
  term: number;
}

const shardIds = [0, 1, 2];

export const workloadOptions: NodeLogOptions = {
  ...smallOptions,
  cacheBytes: 2_000,
  retentionBytes: 0,
  retentionMs: 0,
};

/** Runs operations against the log and against a plain model, and says which states a crash may leave. */
export class Workload {
  readonly hand: HandDisk;
  readonly opened: Opened;
  /** States of the model: the first one, and after each record that was queued. */
  readonly #states: Map<number, ModelShard>[];
  /** What was reported durable lies at or before this state. */
  #reported = 0;
  #serial = 0;

  constructor(hand: HandDisk, start?: ReadonlyMap<number, ModelShard>) {
    this.hand = hand;
    this.opened = openOn(hand, workloadOptions);
    this.#states = [new Map(start ?? shardIds.map((id) => [id, emptyShard()]))];
    for (const id of shardIds) {
      this.opened.log.attach(id, {
        durable: (position, hardState) => this.#durable(id, position, hardState),
      });
    }
  }

  /** Grows when the log reports that more is durable. */
  get reported(): number {
    return this.#reported;
  }

  get #state(): Map<number, ModelShard> {
    return this.#states[this.#states.length - 1] as Map<number, ModelShard>;
  }

  #shard(id: number): ModelShard {
    return this.#state.get(id) as ModelShard;
  }

  #become(id: number, changes: Partial<ModelShard>): void {
    this.#states.push(new Map(this.#state).set(id, { ...this.#shard(id), ...changes }));
  }

  /** Finds the first state that holds what was reported: the log must be there or further. */
  #durable(id: number, position: LogPosition | null, hardState: HardState | null): void {
    for (let i = this.#reported; i < this.#states.length; i++) {
      const shard = (this.#states[i] as Map<number, ModelShard>).get(id) as ModelShard;
      if (hardState !== null && (shard.hardState?.term ?? 0) < hardState.term) continue;
      if (position !== null && !holds(shard, position)) continue;
      this.#reported = i;
      return;
    }
    throw new Error(`shard ${id} never was where it was reported: ${JSON.stringify(position)}`);
  }

  perform(operation: Operation): void {
    const { log, clock } = this.opened;
    clock.nowMs += 1;
    switch (operation.kind) {
      case 'flush':
        log.flush();
        return;
      case 'tick':
        log.tick();
        return;
      case 'complete':
        for (let i = 0; i < operation.count; i++) this.hand.step();
        return;
      case 'newTerm':
        this.#become(operation.shard, { term: this.#shard(operation.shard).term + 1 });
        return;
      case 'vote':
        this.#vote(operation.shard);
        return;
      case 'append':
        this.#append(operation.shard, operation.entries, operation.bytes);
        return;
      case 'overwrite':
        this.#overwrite(operation.shard, operation.back, operation.bytes);
        return;
      case 'cut':
        this.#cut(operation.shard, operation.back);
        return;
      case 'reset':
        this.#reset(operation.shard, operation.ahead, operation.keepSuffix);
        return;
      case 'checkpoint':
        this.#checkpoint(operation.shard, operation.back);
        return;
    }
  }

  #vote(id: number): void {
    const term = this.#shard(id).term + 1;
    const hardState = { term, vote: term % 3 === 0 ? null : `n${term % 3}` };
    this.opened.log.putHardState(id, hardState);
    this.#become(id, { hardState, term });
  }

  #payloads(count: number, bytes: number): string[] {
    return Array.from({ length: count }, () => `${++this.#serial}:${'v'.repeat(bytes)}`);
  }

  #append(id: number, count: number, bytes: number): void {
    const { entries, base, term } = this.#shard(id);
    const payloads = this.#payloads(count, bytes);
    this.opened.log.append(batchOf(id, term, base.lsn + entries.length + 1, payloads));
    this.#become(id, { entries: [...entries, ...payloads.map((payload) => ({ term, payload }))] });
  }

  /** What a follower does when a new leader's entries differ from its own tail, without a cut. */
  #overwrite(id: number, back: number, bytes: number): void {
    const shard = this.#shard(id);
    const kept = this.#keepable(shard, back);
    const term = shard.term + 1;
    const payloads = this.#payloads(2, bytes);
    this.opened.log.append(batchOf(id, term, shard.base.lsn + kept + 1, payloads));
    const entries = [...shard.entries.slice(0, kept), ...payloads.map((payload) => ({ term, payload }))];
    this.#become(id, { entries, term });
  }

  /** How many entries stay when up to `back` are cut; what a checkpoint covers stays. */
  #keepable(shard: ModelShard, back: number): number {
    const floor = Math.max(0, shard.checkpoint.lsn - shard.base.lsn);
    return Math.max(Math.min(floor, shard.entries.length), shard.entries.length - back);
  }

  #cut(id: number, back: number): void {
    const shard = this.#shard(id);
    const entries = shard.entries.slice(0, this.#keepable(shard, back));
    this.opened.log.cut(id, lastOf({ ...shard, entries }));
    this.#become(id, { entries, term: shard.term + 1 });
  }

  #reset(id: number, ahead: number, keepSuffix: boolean): void {
    const shard = this.#shard(id);
    const inside = keepSuffix && shard.entries.length > 0;
    const lsn = inside
      ? shard.base.lsn + 1 + (ahead % shard.entries.length)
      : Math.max(lastOf(shard).lsn, shard.checkpoint.lsn) + ahead;
    const term = inside ? (shard.entries[lsn - shard.base.lsn - 1] as ModelEntry).term : shard.term;
    const base = { term, lsn };
    if (lsn < shard.checkpoint.lsn) return;
    this.opened.log.reset(id, base, keepSuffix);
    const entries = inside ? shard.entries.slice(lsn - shard.base.lsn) : [];
    this.#become(id, { base, entries });
    this.opened.log.checkpointed(id, base, Buffer.from(`members at ${lsn}`));
    this.#become(id, { checkpoint: base });
  }

  #checkpoint(id: number, back: number): void {
    const shard = this.#shard(id);
    const position = lastOf({ ...shard, entries: shard.entries.slice(0, this.#keepable(shard, back)) });
    if (position.lsn === 0 || position.lsn <= shard.checkpoint.lsn) return;
    this.opened.log.checkpointed(id, position, Buffer.from(`members at ${position.lsn}`));
    this.#become(id, { checkpoint: position });
  }

  /**
   * Checks a log that was opened from what a crash left: it must equal one of the states between the last reported
   * one and the last queued one. Returns that state.
   */
  check(hand: HandDisk, opened: Opened): Map<number, ModelShard> {
    for (const shard of opened.shards) expect(shard.damage).toBeNull();
    const found = new Map(opened.shards.map((shard) => [shard.shard, describe(hand, opened, shard)]));
    for (let i = this.#states.length - 1; i >= this.#reported; i--) {
      const state = this.#states[i] as Map<number, ModelShard>;
      if (shardIds.every((id) => matches(state.get(id) as ModelShard, found.get(id)))) return new Map(state);
    }
    const reported = this.#states[this.#reported] as Map<number, ModelShard>;
    throw new Error(`lost or invented: found ${brief(found)}, reported was ${brief(reported)}`);
  }

  /** Checks the running log against the model, reading from disk and cache. */
  checkRunning(): void {
    for (const id of shardIds) {
      const shard = this.#shard(id);
      const first = this.opened.log.firstLsn(id);
      const wanted = shard.entries.slice(first - shard.base.lsn - 1).map((entry) => entry.payload);
      expect(payloadsOf(readAll(this.hand, this.opened.log, id, first))).toEqual(wanted);
    }
  }
}

interface FoundShard {
  readonly recovered: RecoveredShard;
  readonly payloads: string[];
}

function describe(hand: HandDisk, opened: Opened, recovered: RecoveredShard): FoundShard {
  const batches = readAll(hand, opened.log, recovered.shard, recovered.base.lsn + 1);
  return { recovered, payloads: payloadsOf(batches) };
}

function matches(model: ModelShard, found: FoundShard | undefined): boolean {
  if (found === undefined)
    return model.entries.length === 0 && model.base.lsn === 0 && model.hardState === null;
  const { recovered, payloads } = found;
  const { base, last, checkpoint, hardState, terms } = recovered;
  const dropped = base.lsn - model.base.lsn;
  // Compaction may have moved the base up to the checkpoint, never beyond.
  if (dropped < 0 || base.lsn > Math.max(model.checkpoint.lsn, model.base.lsn)) return false;
  if (comparePositions(last, lastOf(model)) !== 0) return false;
  if (comparePositions(checkpoint, model.checkpoint) !== 0) return false;
  if (hardState?.term !== model.hardState?.term || hardState?.vote !== model.hardState?.vote) return false;
  const entries = model.entries.slice(dropped);
  if (payloads.join() !== entries.map((entry) => entry.payload).join()) return false;
  return entries.every((entry, i) => {
    const lsn = base.lsn + 1 + i;
    return terms.filter((run) => run.lsn <= lsn).at(-1)?.term === entry.term;
  });
}

function lastOf(shard: Pick<ModelShard, 'base' | 'entries'>): LogPosition {
  const last = shard.entries[shard.entries.length - 1];
  return last === undefined ? shard.base : { term: last.term, lsn: shard.base.lsn + shard.entries.length };
}

function holds(shard: ModelShard, position: LogPosition): boolean {
  const i = position.lsn - shard.base.lsn - 1;
  return i === -1 ? shard.base.term === position.term : shard.entries[i]?.term === position.term;
}

function emptyShard(): ModelShard {
  return {
    base: { term: 0, lsn: 0 },
    entries: [],
    hardState: null,
    checkpoint: { term: 0, lsn: 0 },
    term: 1,
  };
}

/** Without payloads of kilobytes. */
function brief(state: ReadonlyMap<number, unknown>): string {
  return JSON.stringify([...state], (_, value) => (typeof value === 'string' ? value.slice(0, 8) : value));
}
