import type { Bytes } from '../bytes/types.ts';
import type { BitOperation } from './bit-operations.ts';
import type { SlotChange } from './slot-fences.ts';

/**
 * The closed set of primitive mutations: what an entry of the log is made of. Times are absolute, outcomes of chance
 * and of floating-point work are values, so that applying needs no clock, no randomness and no command code.
 *
 * The keyspace implements this interface by mutating; the encoder by writing bytes; `decodeEffects` drives a sink
 * from bytes. The leader's effects go to the encoder and then to its keyspace; a follower's come from the decoder.
 */
export interface EffectSink {
  /** Sets a string, whatever was there. `expiresAt` 0 means never. */
  putString(key: Bytes, value: Bytes, expiresAt: number): void;
  /** Appends to a string that exists (or creates it), keeping its expiry. */
  appendString(key: Bytes, suffix: Bytes): void;
  /** Overwrites part of a string, zero-padded up to `offset`, keeping its expiry; creates it when absent. */
  setRange(key: Bytes, offset: number, value: Bytes): void;
  /**
   * Puts at `target` what `sources` give bit by bit, without expiry; missing ones are empty. When all are, the target
   * goes. All keys are in one shard.
   */
  combineBits(operation: BitOperation, target: Bytes, sources: readonly Bytes[]): void;
  /** Deletes a key of any type. */
  remove(key: Bytes): void;
  /** Sets the expiry of a key that exists; 0 removes it. */
  setExpiry(key: Bytes, expiresAt: number): void;
  /** Moves a value with its expiry, replacing the target. Both keys are in one shard. */
  rename(from: Bytes, to: Bytes): void;
  /** Copies a value with its expiry, replacing the target. */
  copy(from: Bytes, to: Bytes): void;
  /** Removes all keys of the shard. */
  clear(): void;

  // Elements of collections. The first element creates the key, without expiry; with the last one the key goes. A key
  // of another type must have been removed before; an element or position that is not there changes nothing.

  hashSet(key: Bytes, field: Bytes, value: Bytes): void;
  hashRemove(key: Bytes, field: Bytes): void;
  setAdd(key: Bytes, member: Bytes): void;
  setRemove(key: Bytes, member: Bytes): void;
  /** Adds a member, or changes its score: any double but NaN. */
  sortedSetPut(key: Bytes, member: Bytes, score: number): void;
  sortedSetRemove(key: Bytes, member: Bytes): void;
  /** Removes `count` members in order of score from `index` on. */
  sortedSetRemoveRange(key: Bytes, index: number, count: number): void;
  /** Puts an item before the one at `index`: 0 is the head, the length is behind the tail. */
  listInsert(key: Bytes, index: number, item: Bytes): void;
  /** Puts an item behind the tail; what is pushed most often is a few bytes shorter. */
  listAppend(key: Bytes, item: Bytes): void;
  listSet(key: Bytes, index: number, item: Bytes): void;
  /** Removes `count` items from `index` on. */
  listRemove(key: Bytes, index: number, count: number): void;

  // Slots that move from one shard to another.

  /** A step of such a move, in the history of one of the two. */
  changeSlots(change: SlotChange): void;
  /** Keys of slots that are being imported, as pieces of a checkpoint: what is there already grows by them. */
  loadPieces(pieces: Uint8Array): void;
}
