import type { ByteReader } from '../bytes/byte-reader.ts';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import type { Value } from './entry.ts';

/** The form of one key in a checkpoint: u8 type, u64 expiry, key, value. LSNs are left out: they differ between replicas. */
const tag = { string: 1 } as const;

export function encodeEntry(out: ByteWriter, key: Bytes, value: Value, expiresAt: number): void {
  out.u8(tag.string);
  out.u64(expiresAt);
  out.bytes(key);
  out.bytes(value);
}

export function decodeEntry(reader: ByteReader): { key: Bytes; value: Value; expiresAt: number } {
  const at = reader.offset;
  const type = reader.u8();
  if (type !== tag.string) throw new MalformedBytes(`value type ${type} is unknown`, at);
  const expiresAt = reader.u64();
  const key = reader.bytes();
  return { key, value: reader.bytes(), expiresAt };
}
