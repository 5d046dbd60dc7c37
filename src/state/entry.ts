import type { Bytes } from '../bytes/types.ts';
import type { Collection } from './collections.ts';
import type { Due } from './expiry-index.ts';
import { LongString, plainStringBytes } from './long-string.ts';

/** A string: the byte string itself up to `plainStringBytes`, above that in chunks. */
export type StringValue = Bytes | LongString;

/** Long strings and collections are objects with a `type`. */
export type Value = StringValue | Collection;

/** Names as the TYPE command gives them. */
export type TypeName = 'string' | Collection['type'];

/** What the keyspace holds for one key. Mutated only by the keyspace's apply functions. */
export class Entry {
  value: Value;
  /** Milliseconds since the epoch; 0 means never. */
  expiresAt: number;
  /** LSN of the last write to the key: what a reply that saw it waits for. */
  lsn: number;
  /** The item of the expiry index, while it has one. */
  due: Due | null = null;
  /** Reading of the use clock when the key was last used. Each replica has its own view of it. */
  usedAt: number;

  constructor(value: Value, expiresAt: number, lsn: number, usedAt: number) {
    this.value = value;
    this.expiresAt = expiresAt;
    this.lsn = lsn;
    this.usedAt = usedAt;
  }
}

export function typeOf(value: Value): TypeName {
  return typeof value === 'string' ? 'string' : value.type;
}

export function stringValue(bytes: Bytes): StringValue {
  return bytes.length > plainStringBytes ? LongString.of(bytes) : bytes;
}

/** The value, to be changed apart from the original. */
export function copyOf(value: Value): Value {
  return typeof value === 'string' ? value : value.copy();
}

/** Estimate of the memory that an entry takes beside the bytes of its key and value. */
const entryOverheadBytes = 150;

export function memoryOf(key: Bytes, value: Value): number {
  return entryOverheadBytes + key.length + valueBytes(value);
}

export function valueBytes(value: Value): number {
  return typeof value === 'string' ? value.length : value.memoryBytes;
}
