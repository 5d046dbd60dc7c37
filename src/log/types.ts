import type { Batch } from './batch.ts';

/** A place in a shard's history: entries are identical if and only if shard, LSN and term agree. */
export interface LogPosition {
  readonly term: number;
  readonly lsn: number;
}

/** What a replica must never forget about elections. `vote` is null when it voted for nobody in `term`. */
export interface HardState {
  readonly term: number;
  readonly vote: string | null;
}

/** Told about one shard. Calls come from completed writes, never from inside another call into the log. */
export interface ShardLogListener {
  /**
   * Every record that was queued for the shard up to and including `position` (its last entry) and `hardState`
   * (its latest) is on stable storage. Either is null when this write held none for the shard. A cut or a reset
   * reports where the log ends behind it; what was cut while the write was in flight is never reported.
   */
  durable(position: LogPosition | null, hardState: HardState | null): void;
  /** A write has ended and the next one begins as soon as this returns: what is to be in it must be appended now. */
  nextWrite?(): void;
}

export interface NodeLogListener {
  /** A write, sync, truncate or directory sync failed: nothing more will be acknowledged until the log is opened again. */
  latched(error: Error): void;
  /** There is no room to prepare the next segment (true), or there is again (false). What is queued still completes. */
  spaceShort(short: boolean): void;
}

/** What a replica may have vouched for and cannot show. It is remembered over restarts until it is made good. */
export interface Doubt {
  /** The highest (term, LSN) that this replica may have acknowledged; null when even that is lost. */
  readonly mayHaveAcknowledged: LogPosition | null;
  /** The vote is lost too: both copies are bad. Stays so until `madeGood`, whatever hard states follow. */
  readonly hardStateLost: boolean;
  /** File and offset, for the log line and the operator. */
  readonly where: string;
}

/** What recovery found of one shard. */
export interface RecoveredShard {
  readonly shard: number;
  /** Null when none was ever written (a new replica) or both copies are bad (see `damage`). */
  readonly hardState: HardState | null;
  /** The entry before the first one held: where the log was compacted or reset to; {0, 0} for a log from the start. */
  readonly base: LogPosition;
  /** The last entry held without a gap; equals `base` when there is none. */
  readonly last: LogPosition;
  /** First LSN of each run of entries with one term, above `base`, ascending. */
  readonly terms: readonly LogPosition[];
  /** The last durable checkpoint that the log was told of; {0, 0} for none. */
  readonly checkpoint: LogPosition;
  /** Membership entries above `base`, and the membership that was in force at it, oldest first; the bytes are the core's. */
  readonly memberships: readonly { readonly lsn: number; readonly bytes: Buffer }[];
  /** Not null when bytes that may have been acknowledged are unreadable. A torn final write is no damage. */
  readonly damage: Doubt | null;
}

/** The replication log of one node, shared by its shards: one ordered stream of records, one durable write in flight. */
export interface NodeLog {
  /** Registers the listener of a shard (once, before its first record). */
  attach(shard: number, listener: ShardLogListener): void;
  /**
   * Queues a batch and keeps it in the cache for followers. Entries that are already held are skipped; from the first
   * one whose term differs on, the batch replaces what was there. It must not leave a gap, nor exceed `maxBatchBytes`.
   */
  append(batch: Batch): void;
  /** Queues a hard state; it and batches queued with it need one write. */
  putHardState(shard: number, hardState: HardState): void;
  /** Queues "the shard ends at this position": what was beyond it is void. */
  cut(shard: number, end: LogPosition): void;
  /** Queues "the shard holds nothing before and including this position" (a snapshot was installed); a matching suffix is kept. */
  reset(shard: number, base: LogPosition, keepSuffix: boolean): void;
  /** Tells that a checkpoint at this position is durable, with the membership at it: log below may be dropped. */
  checkpointed(shard: number, position: LogPosition, membership: Buffer): void;
  /** The largest batch that `append` takes, in bytes, header included. */
  readonly maxBatchBytes: number;
  /**
   * Queues "this replica may have vouched for more than it holds": recovery reports it as damage until it is made
   * good. It replaces what was in doubt before.
   */
  inDoubt(shard: number, doubt: Doubt): void;
  /**
   * Queues "what this replica may have forgotten is made good": recovery forgets damage found before this record.
   * Needed when `mayHaveAcknowledged` was null; a known position is made good by a log that reaches it.
   */
  madeGood(shard: number): void;
  /** True while a durable write is in flight: what is queued now leaves with the next one. */
  readonly writing: boolean;
  /** Bytes of batches that wait for the write in flight to end. They are in memory, so whoever appends must mind them. */
  readonly queuedBytes: number;
  /** The lowest LSN that must stay readable for followers; Infinity when none is needed. Caps in bytes and time still win. */
  retainFrom(shard: number, lsn: number): void;
  /**
   * Starts the write of everything queued. Called at the end of a turn; the log calls it itself when a write
   * completes and more was queued meanwhile.
   */
  flush(): void;
  /** First LSN that can still be read; `last + 1` when nothing is held. */
  firstLsn(shard: number): number;
  /** Batches that begin at exactly `lsn` or contain it (the first is then cut to start there), as far as the cache holds them without a gap; null when `lsn` is not cached. Stops after `maxBytes`, but returns at least one. */
  cached(shard: number, lsn: number, maxBytes: number): Batch[] | null;
  /**
   * The same from the cache or else from disk, with one read: it may return fewer than `maxBytes`, none beyond the end.
   * An LSN that is compacted is an error with code BW_LOG_COMPACTED, bytes that are not as they were written
   * BW_LOG_DAMAGED, with file and offset. May answer within the call.
   */
  read(
    shard: number,
    lsn: number,
    maxBytes: number,
    done: (error: Error | null, batches: Batch[]) => void,
  ): void;
  /**
   * Everything from `lsn` to the end of the shard's log as it is at the call, whatever is cut while the disk works.
   * Fails as `read` does, and when a segment goes away meanwhile. May answer within the call.
   */
  salvage(shard: number, lsn: number, done: (error: Error | null, batches: Batch[]) => void): void;
  /** Bytes of log from `lsn` to the end of the shard's log, estimated without reading. */
  bytesFrom(shard: number, lsn: number): number;
  /** How long the log from `lsn` on is surely kept for followers; null when that is not on its way to disk or dropped. */
  room(shard: number, lsn: number): LogRoom | null;
  /** Bytes of log, of all shards, that cannot be dropped before this shard has a newer checkpoint. */
  pinnedBytes(shard: number): number;
  /** Milliseconds that the write in flight has taken, or that what is queued waits for a segment; 0 when neither. */
  stalledMs(): number;
  /** Drops cached data and old segments where allowed, prepares segments; called about every 100 ms. */
  tick(): void;
  readonly stats: NodeLogStats;
  /** Writes what is queued, then closes the files. */
  close(done: (error: Error | null) => void): void;
}

/** How far a place in the log is from being dropped by the caps on what is kept for followers. */
export interface LogRoom {
  /** Bytes that may be written, and ms that may pass, before its segment may go. */
  readonly bytes: number;
  readonly ms: number;
  /** The same as parts of the caps, 0 to 1. */
  readonly bytesShare: number;
  readonly msShare: number;
  /** Bytes of log, of all shards, from there to the end. */
  readonly behind: number;
}

/** Plain counters, read by metrics. */
export interface NodeLogStats {
  flushes: number;
  bytesWritten: number;
  batchBytes: number;
  segments: number;
  logBytes: number;
  cacheBytes: number;
  flushMsTotal: number;
  flushMsMax: number;
  latched: boolean;
  spaceShort: boolean;
}

export interface NodeLogOptions {
  /** Bytes of one segment file, written in full before use. Default 64 MiB. */
  readonly segmentBytes: number;
  /** Bytes of recent batches kept in memory, all shards together. Default 64 MiB. */
  readonly cacheBytes: number;
  /** Log is kept for followers that lag up to this many bytes. Default 1 GiB. */
  readonly retentionBytes: number;
  /** … and up to this age in milliseconds. Default 12 h. */
  readonly retentionMs: number;
  /** Free space, in bytes, below which no new segment is prepared. Default 256 MiB. */
  readonly reserveBytes: number;
}
