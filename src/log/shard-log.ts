import { BellwetherError } from '../errors.ts';
import { ShardCache } from './batch-cache.ts';
import { History } from './history.ts';
import { origin } from './positions.ts';
import type { LogRecord, ShardState, StateRecord } from './record.ts';
import type { RecoveredLog } from './shard-recovery.ts';
import { settle } from './shard-recovery.ts';
import type { HardState, LogPosition, ShardLogListener } from './types.ts';

/** What one durable write holds for a shard: told when it has completed. */
export interface Report {
  readonly shard: ShardLog;
  position: LogPosition | null;
  hardState: HardState | null;
  checkpoint: LogPosition | null;
}

/** One shard's part of the node's log, while it is open. */
export class ShardLog {
  readonly shard: number;
  listener: ShardLogListener | null = null;
  /** As the replica sees it: what is queued included. Only batches that were handed to the disk are in the index. */
  history: History;
  readonly cache = new ShardCache();
  /** Lowest LSN that followers still need. Everything, until somebody says otherwise. */
  neededFrom = 0;
  /** The newest checkpoint whose record is on disk: only such a one lets log go. */
  durableCheckpoint: LogPosition;
  /** What was handed to the disk and is not reported yet: at most one write in flight and one being reported. */
  readonly unreported: Report[] = [];
  #written: ShardState;

  constructor(shard: number, recovered: RecoveredLog | null) {
    this.shard = shard;
    this.history = recovered?.history ?? new History(origin);
    const { base, last } = this.history;
    this.durableCheckpoint = recovered?.recovered.checkpoint ?? origin;
    this.cache.durableLsn = last.lsn;
    this.#written = {
      hardState: recovered?.recovered.hardState ?? null,
      base,
      last,
      checkpoint: this.durableCheckpoint,
      checkpointMembership: recovered?.checkpointMembership ?? null,
      doubt: recovered?.recovered.damage ?? null,
    };
  }

  /** What records that were handed to the disk say, to be repeated where a segment begins. */
  stateRecord(): StateRecord {
    const { last, doubt } = this.#written;
    return {
      kind: 'state',
      shard: this.shard,
      state: { ...this.#written, doubt: settle(doubt, last) },
      memberships: this.history.memberships.filter((membership) => membership.lsn <= last.lsn),
    };
  }

  /** Notes that a record goes to disk now, a batch to this place; updates what the write's report will say. */
  handOver(record: LogRecord, segment: number, offset: number, report: Report): void {
    const written = this.#written;
    switch (record.kind) {
      case 'batch': {
        const { term, firstLsn, lastLsn } = record;
        if (lastLsn > this.history.base.lsn) {
          this.history.index.add(firstLsn, lastLsn, segment, offset, record.length);
        }
        this.#written = { ...written, last: { term, lsn: lastLsn } };
        report.position = this.#written.last;
        return;
      }
      case 'hardState':
        this.#written = { ...written, hardState: record.hardState };
        report.hardState = record.hardState;
        return;
      case 'cut':
        this.#written = { ...written, last: record.end };
        report.position = record.end;
        return;
      case 'reset':
        this.#written = { ...written, base: record.base, last: record.last };
        report.position = record.last;
        return;
      case 'checkpointed':
        this.#written = { ...written, checkpoint: record.position, checkpointMembership: record.membership };
        report.checkpoint = record.position;
        return;
      case 'doubt':
        this.#written = { ...written, doubt: record.doubt };
        return;
      case 'madeGood':
        this.#written = { ...written, doubt: null };
        return;
      case 'state':
        return;
    }
  }

  /** The log was cut or reset: no write that is in flight may be reported beyond its new end (pitfall 3). */
  limitReports(end: LogPosition | null): void {
    for (const report of this.unreported) {
      if (report.position !== null && (end === null || report.position.lsn > end.lsn)) report.position = end;
    }
    this.cache.durableLsn = Math.min(this.cache.durableLsn, end?.lsn ?? 0);
  }

  /** Bytes of the batches from the one with `lsn` to the end, those that wait for their place on disk included. */
  bytesFrom(lsn: number): number {
    const { index, base } = this.history;
    return index.bytesFrom(lsn) + this.cache.bytesFrom(Math.max(lsn, index.lastLsn + 1, base.lsn + 1));
  }

  /** The segment and all before it are about to go. */
  dropThrough(segment: number): void {
    const lsn = this.history.index.lastLsnThrough(segment);
    if (lsn <= this.history.base.lsn) return;
    this.history.rebase({ term: this.history.termAt(lsn) as number, lsn });
    if (lsn > this.#written.base.lsn) this.#written = { ...this.#written, base: this.history.base };
  }

  /** Throws when a caller relies on something that the log does not hold: a bug, not a state of the disk. */
  require(condition: boolean, happened: string): void {
    if (condition) return;
    const { base, last } = this.history;
    throw new BellwetherError(
      'BW_INTERNAL',
      `${happened}; shard ${this.shard} holds LSN ${base.lsn + 1} to ${last.lsn}`,
      'Report this, with the log lines before it.',
    );
  }
}
