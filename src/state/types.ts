import type { Bytes } from '../bytes/types.ts';
import type { Entry } from './entry.ts';

/** Reading the whole keyspace. Entries that are found may be past their expiry. */
export interface KeyspaceView {
  /** Keys held, expired ones that were not yet deleted included. */
  readonly size: number;
  /** Keys that have an expiry. */
  readonly expiring: number;
  peek(key: Bytes): Entry | undefined;
  keys(): IterableIterator<Bytes>;
  randomKey(random: { below(bound: number): number }): Bytes | undefined;
  /**
   * One step of SCAN: visits at least `count` keys when there are so many, and returns the next cursor, 0 at the end.
   * A key that is present from the first to the last call is visited, however the keyspace changes in between.
   */
  scan(cursor: number, count: number, visit: (key: Bytes, entry: Entry) => void): number;
  countInSlot(slot: number): number;
  keysInSlot(slot: number, limit: number): Bytes[];
}

/**
 * What `shard` needs of a state machine: execute happens through commands; here is the rest. The keyspace of Redis
 * types is one implementation; a program that embeds a replica may bring its own.
 */
export interface StateMachine {
  /** Applies the payload of one entry (`bytes` from `start` to `end`). Throws `MalformedBytes` on nonsense. */
  applyEntry(bytes: Buffer, start: number, end: number, lsn: number): void;
  /** LSN of the last applied entry, of whatever kind. */
  appliedLsn: number;
  /**
   * Begins the one checkpoint that may run: the state as it is now. Later changes keep what it needs until its
   * slice was taken or it is abandoned.
   */
  beginCheckpoint(): CheckpointSlices;
  /** Empties the state and takes slices as `CheckpointSlices` gave them, in order. */
  restore(): CheckpointLoader;
  /** Commutative digest of the state as it is now: walks everything. 40 hexadecimal characters. */
  digest(): string;
}

export interface CheckpointSlices {
  /** The next slice of about `maxBytes` (a single entry may exceed it), null after the last. The view is valid until the next call. */
  next(maxBytes: number): Buffer | null;
  /** Part done, 0 to 1. */
  readonly progress: number;
  /** After the last slice: digest and number of keys. */
  readonly digest: string;
  readonly keys: number;
  abandon(): void;
}

export interface CheckpointLoader {
  /** Throws `MalformedBytes` on nonsense. */
  load(slice: Buffer): void;
  /** The digest of what was loaded; the state is usable from here on, with this applied LSN. */
  finish(appliedLsn: number): string;
}
