import type { Bytes } from '../bytes/types.ts';

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
}
