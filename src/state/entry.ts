import type { Bytes } from '../bytes/types.ts';

/** A string's value is the byte string itself; collections are objects with a `type`. */
export type Value = Bytes;

/** Names as the TYPE command gives them. */
export type TypeName = 'string';

/** What the keyspace holds for one key. Mutated only by the keyspace's apply functions. */
export class Entry {
  value: Value;
  /** Milliseconds since the epoch; 0 means never. */
  expiresAt: number;
  /** LSN of the last write to the key: what a reply that saw it waits for. */
  lsn: number;

  constructor(value: Value, expiresAt: number, lsn: number) {
    this.value = value;
    this.expiresAt = expiresAt;
    this.lsn = lsn;
  }
}

export function typeOf(_value: Value): TypeName {
  return 'string';
}

/** Estimate of the memory that an entry takes beside the bytes of its key and value. */
const entryOverheadBytes = 150;

export function memoryOf(key: Bytes, value: Value): number {
  return entryOverheadBytes + key.length + value.length;
}
