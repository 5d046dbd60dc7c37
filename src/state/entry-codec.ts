import type { ByteReader } from '../bytes/byte-reader.ts';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember } from './collections.ts';
import { HashValue, ListValue, SetValue, SortedSetValue } from './collections.ts';
import type { Digest } from './digest.ts';
import { seedAt, seedOf } from './digest.ts';
import type { TypeName, Value } from './entry.ts';
import { stringValue } from './entry.ts';
import type { WrittenChunk } from './long-string.ts';
import { chunkBytes, LongString, maxStringBytes, plainStringBytes } from './long-string.ts';
import type { SlotFences } from './slot-fences.ts';

/**
 * The form of a key in a checkpoint: pieces of u8 type, u64 expiry, key; then for a plain string its bytes, for a long
 * one u32 length; then u32 count and so many elements. A large value is several pieces, one behind the other. The
 * elements of a long string are those of its chunks that hold anything but zeros. LSNs are left out: they differ
 * between replicas.
 */
const tags = { string: 1, hash: 2, list: 3, set: 4, zset: 5 } as const satisfies Record<TypeName, number>;
const longStringTag = 6;
/** Stands for the type where a piece is no key but what is known of moves of slots; as a rule there is none. */
export const fencesTag = 7;

export function encodeFences(out: ByteWriter, fences: SlotFences, digest: Digest): void {
  const from = out.length;
  out.u8(fencesTag);
  fences.write(out);
  digest.add(out.buffer, out.start + from, out.offset);
}

export function decodeFences(reader: ByteReader, digest: Digest, fences: SlotFences): void {
  const from = reader.offset;
  reader.u8();
  fences.read(reader);
  digest.add(reader.buffer, from, reader.offset);
}

/** An item or member; a field with its value; a member with its score; a chunk. */
type Element = Bytes | [Bytes, Bytes] | ScoredMember | WrittenChunk;

/** Writes one key after the other, a large one in pieces. A value must not change before its last piece: take a copy. */
export class EntryEncoder {
  readonly #digest: Digest;
  #key: Bytes = '';
  #expiresAt = 0;
  #value: Value = '';
  #elements: Iterator<Element, void> | null = null;
  /** Elements of the value that were written. */
  #written = 0;

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  /** True when the last key begun was written whole. */
  get idle(): boolean {
    return this.#elements === null;
  }

  /** Writes a key with a plain string; for any other, `more` does, until `idle`. */
  begin(out: ByteWriter, key: Bytes, value: Value, expiresAt: number): void {
    this.#key = key;
    this.#value = value;
    this.#expiresAt = expiresAt;
    if (typeof value === 'string') {
      const from = out.length;
      this.#head(out, tags.string);
      out.bytes(value);
      this.#digest.add(out.buffer, out.start + from, out.offset);
      return;
    }
    this.#written = 0;
    this.#elements = elementsOf(value);
  }

  /** Writes the next piece, of at most `maxElements`, until `out` holds about `maxBytes`. Returns how many it wrote. */
  more(out: ByteWriter, maxBytes: number, maxElements: number): number {
    const value = this.#value;
    const elements = this.#elements;
    if (elements === null || typeof value === 'string') return 0;
    const headAt = out.length;
    this.#head(out, tagOf(value));
    if (value instanceof LongString) out.u32(value.length);
    const seed = seedOf(out.buffer, out.start + headAt, out.offset);
    // The length counts even if all is zero.
    const alone = value instanceof LongString && this.#written === 0;
    if (alone) this.#digest.add(out.buffer, out.start + headAt, out.offset);
    const countAt = out.length;
    out.u32(0);
    let count = 0;
    while (count === 0 || (count < maxElements && out.length < maxBytes)) {
      const next = elements.next();
      if (next.done === true) {
        this.#elements = null;
        break;
      }
      const from = out.length;
      encodeElement(out, next.value);
      const seeded = value.type === 'list' ? seedAt(seed, this.#written) : seed;
      this.#digest.add(out.buffer, out.start + from, out.offset, seeded);
      this.#written += 1;
      count += 1;
    }
    if (count === 0 && !alone) out.rewind(headAt);
    else out.buffer.writeUInt32LE(count, out.start + countAt);
    return count;
  }

  #head(out: ByteWriter, tag: number): void {
    out.u8(tag);
    out.u64(this.#expiresAt);
    out.bytes(this.#key);
  }
}

function tagOf(value: Exclude<Value, string>): number {
  return value instanceof LongString ? longStringTag : tags[value.type];
}

function elementsOf(value: Exclude<Value, string>): Iterator<Element, void> {
  switch (value.type) {
    case 'string':
      return value.written();
    case 'hash':
      return value.fields.entries();
    case 'set':
      return value.members.keys();
    case 'list':
      return value.items.from();
    case 'zset':
      return value.order.from();
  }
}

function encodeElement(out: ByteWriter, element: Element): void {
  if (typeof element === 'string') out.bytes(element);
  else if (Array.isArray(element)) {
    out.bytes(element[0]);
    out.bytes(element[1]);
  } else if ('index' in element) {
    out.u32(element.index);
    out.copy(element.bytes);
  } else {
    out.bytes(element.member);
    out.f64(element.score);
  }
}

/** Answers the value to fill for a key: the one of an earlier piece, or what `make` makes, kept. */
type Keep = (key: Bytes, expiresAt: number, make: () => Value) => Value;

/** Reads one piece. Returns by how many bytes of memory a value grew that `keep` had seen without them. */
export function decodePiece(reader: ByteReader, digest: Digest, keep: Keep): number {
  const at = reader.offset;
  const tag = reader.u8();
  const expiresAt = reader.u64();
  const key = reader.bytes();
  if (tag === tags.string) {
    const value = stringValue(reader.bytes());
    digest.add(reader.buffer, at, reader.offset);
    keep(key, expiresAt, () => value);
    return 0;
  }
  const length = tag === longStringTag ? longLength(reader) : 0;
  const headEnd = reader.offset;
  const value = keep(key, expiresAt, () => {
    if (tag !== longStringTag) return emptyOf(tag, at);
    digest.add(reader.buffer, at, headEnd);
    return new LongString(length);
  });
  if (typeof value === 'string' || tagOf(value) !== tag) throw new MalformedBytes('a key with two types', at);
  if (value instanceof LongString && value.length !== length)
    throw new MalformedBytes('a string of two lengths', at);
  const seed = seedOf(reader.buffer, at, headEnd);
  const before = value.memoryBytes;
  for (let left = reader.u32(); left > 0; left--) {
    const from = reader.offset;
    const seeded = value.type === 'list' ? seedAt(seed, value.size) : seed;
    decodeElement(reader, value);
    digest.add(reader.buffer, from, reader.offset, seeded);
  }
  return value.memoryBytes - before;
}

function longLength(reader: ByteReader): number {
  const at = reader.offset;
  const length = reader.u32();
  if (length <= plainStringBytes || length > maxStringBytes)
    throw new MalformedBytes(`a long string of ${length} bytes`, at);
  return length;
}

function decodeChunk(reader: ByteReader, value: LongString): void {
  const at = reader.offset;
  const index = reader.u32();
  if (index >= value.chunks) throw new MalformedBytes('a chunk behind the end of its string', at);
  reader.view(Math.min(chunkBytes, value.length - index * chunkBytes)).copy(value.own(index));
}

function emptyOf(tag: number, at: number): Value {
  switch (tag) {
    case tags.hash:
      return new HashValue();
    case tags.list:
      return new ListValue();
    case tags.set:
      return new SetValue();
    case tags.zset:
      return new SortedSetValue();
    default:
      throw new MalformedBytes(`value type ${tag} is unknown`, at);
  }
}

function decodeElement(reader: ByteReader, value: Exclude<Value, string>): void {
  if (value instanceof LongString) {
    decodeChunk(reader, value);
    return;
  }
  const element = reader.bytes();
  switch (value.type) {
    case 'hash':
      value.set(element, reader.bytes());
      return;
    case 'set':
      value.add(element);
      return;
    case 'list':
      value.insert(value.size, element);
      return;
    case 'zset':
      value.put(element, reader.f64());
      return;
  }
}
