import { ByteReader, MalformedBytes } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import type { BitOperation } from './bit-operations.ts';
import { bitOperations } from './bit-operations.ts';
import type { EffectSink } from './effects.ts';
import { readRanges, type SlotChange, slotChangeKinds, writeRanges } from './slot-fences.ts';

/** The bytes of effects in an entry: one byte says which, its fields follow. A number never changes its meaning. */
const opcode = {
  putString: 1,
  putStringExpiring: 2,
  appendString: 3,
  setRange: 4,
  remove: 5,
  setExpiry: 6,
  rename: 7,
  copy: 8,
  clear: 9,
  hashSet: 10,
  hashRemove: 11,
  setAdd: 12,
  setRemove: 13,
  sortedSetPut: 14,
  sortedSetRemove: 15,
  listInsert: 16,
  listAppend: 17,
  listSet: 18,
  listRemove: 19,
  combineBits: 20,
  sortedSetRemoveRange: 21,
  changeSlots: 22,
  loadPieces: 23,
} as const;

/** In the place of a key's length: it is the key of the effect before. */
const sameKey = 0xffff_ffff;

/** Writes effects as the payload of an entry. */
export class EffectEncoder implements EffectSink {
  readonly #out: ByteWriter;
  /** Of the effect before in the same entry; null at its beginning. */
  #lastKey: Bytes | null = null;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** An entry begins. */
  begin(): void {
    this.#lastKey = null;
  }

  putString(key: Bytes, value: Bytes, expiresAt: number): void {
    const out = this.#out;
    if (expiresAt === 0) {
      out.u8(opcode.putString);
    } else {
      out.u8(opcode.putStringExpiring);
      out.u64(expiresAt);
    }
    this.#key(key);
    out.bytes(value);
  }

  appendString(key: Bytes, suffix: Bytes): void {
    this.#out.u8(opcode.appendString);
    this.#key(key);
    this.#out.bytes(suffix);
  }

  setRange(key: Bytes, offset: number, value: Bytes): void {
    this.#out.u8(opcode.setRange);
    this.#key(key);
    this.#out.u32(offset);
    this.#out.bytes(value);
  }

  combineBits(operation: BitOperation, target: Bytes, sources: readonly Bytes[]): void {
    this.#out.u8(opcode.combineBits);
    this.#key(target);
    this.#out.u8(bitOperations.indexOf(operation));
    this.#out.u32(sources.length);
    for (const source of sources) this.#out.bytes(source);
  }

  remove(key: Bytes): void {
    this.#out.u8(opcode.remove);
    this.#key(key);
  }

  setExpiry(key: Bytes, expiresAt: number): void {
    this.#out.u8(opcode.setExpiry);
    this.#key(key);
    this.#out.u64(expiresAt);
  }

  rename(from: Bytes, to: Bytes): void {
    this.#out.u8(opcode.rename);
    this.#key(from);
    this.#out.bytes(to);
  }

  copy(from: Bytes, to: Bytes): void {
    this.#out.u8(opcode.copy);
    this.#key(from);
    this.#out.bytes(to);
  }

  clear(): void {
    this.#out.u8(opcode.clear);
  }

  hashSet(key: Bytes, field: Bytes, value: Bytes): void {
    this.#element(opcode.hashSet, key, field);
    this.#out.bytes(value);
  }

  hashRemove(key: Bytes, field: Bytes): void {
    this.#element(opcode.hashRemove, key, field);
  }

  setAdd(key: Bytes, member: Bytes): void {
    this.#element(opcode.setAdd, key, member);
  }

  setRemove(key: Bytes, member: Bytes): void {
    this.#element(opcode.setRemove, key, member);
  }

  sortedSetPut(key: Bytes, member: Bytes, score: number): void {
    this.#element(opcode.sortedSetPut, key, member);
    this.#out.f64(score);
  }

  sortedSetRemove(key: Bytes, member: Bytes): void {
    this.#element(opcode.sortedSetRemove, key, member);
  }

  sortedSetRemoveRange(key: Bytes, index: number, count: number): void {
    this.#range(opcode.sortedSetRemoveRange, key, index, count);
  }

  listInsert(key: Bytes, index: number, item: Bytes): void {
    this.#element(opcode.listInsert, key, item);
    this.#out.u32(index);
  }

  listAppend(key: Bytes, item: Bytes): void {
    this.#element(opcode.listAppend, key, item);
  }

  listSet(key: Bytes, index: number, item: Bytes): void {
    this.#element(opcode.listSet, key, item);
    this.#out.u32(index);
  }

  listRemove(key: Bytes, index: number, count: number): void {
    this.#range(opcode.listRemove, key, index, count);
  }

  changeSlots({ kind, began, other, term, count, slots }: SlotChange): void {
    const out = this.#out;
    out.u8(opcode.changeSlots);
    out.u8(slotChangeKinds.indexOf(kind));
    for (const part of [began, other, term, count]) out.u64(part);
    writeRanges(out, slots);
  }

  loadPieces(pieces: Uint8Array): void {
    this.#out.u8(opcode.loadPieces);
    this.#out.u32(pieces.length);
    this.#out.copy(pieces);
  }

  /** A key that comes several times in a row is written once: what a command logs must not be longer than it by much. */
  #key(key: Bytes): void {
    if (key === this.#lastKey) this.#out.u32(sameKey);
    else this.#out.bytes(key);
    this.#lastKey = key;
  }

  #range(code: number, key: Bytes, index: number, count: number): void {
    this.#out.u8(code);
    this.#key(key);
    this.#out.u32(index);
    this.#out.u32(count);
  }

  #element(code: number, key: Bytes, element: Bytes): void {
    this.#out.u8(code);
    this.#key(key);
    this.#out.bytes(element);
  }
}

class EffectReader extends ByteReader {
  #lastKey: Bytes | null = null;

  begin(buffer: Buffer, offset: number, end: number): void {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
    this.#lastKey = null;
  }

  key(): Bytes {
    const at = this.offset;
    if (this.u32() !== sameKey) {
      this.offset = at;
      this.#lastKey = this.bytes();
    } else if (this.#lastKey === null) throw new MalformedBytes('the same key as before the first one', at);
    return this.#lastKey as Bytes;
  }
}

/** Reads the effects of one entry into a sink, in order. Throws `MalformedBytes` on anything that the encoder cannot write. */
export function decodeEffects(buffer: Buffer, start: number, end: number, sink: EffectSink): void {
  reader.begin(buffer, start, end);
  while (reader.remaining > 0) decodeEffect(reader, sink);
}

/** One for all: an entry is decoded without interruption, and there are many. */
const reader = new EffectReader(Buffer.alloc(0));

function decodeEffect(reader: EffectReader, sink: EffectSink): void {
  const at = reader.offset;
  const code = reader.u8();
  if (code === opcode.clear) {
    sink.clear();
    return;
  }
  if (code === opcode.putStringExpiring) {
    const expiresAt = reader.u64();
    const key = reader.key();
    sink.putString(key, reader.bytes(), expiresAt);
    return;
  }
  const decoded =
    decodeKeyEffect(code, reader, sink) ||
    decodeElementEffect(code, reader, sink) ||
    decodeListEffect(code, reader, sink) ||
    decodeRangeEffect(code, reader, sink) ||
    decodeBitEffect(code, reader, sink) ||
    decodeSlotEffect(code, reader, sink);
  if (!decoded) throw new MalformedBytes(`effect ${code} is unknown`, at);
}

/** Effects on strings and whole keys: false when it is none of these. */
function decodeKeyEffect(code: number, reader: EffectReader, sink: EffectSink): boolean {
  if (code > opcode.copy) return false;
  const key = reader.key();
  switch (code) {
    case opcode.putString:
      sink.putString(key, reader.bytes(), 0);
      return true;
    case opcode.appendString:
      sink.appendString(key, reader.bytes());
      return true;
    case opcode.setRange: {
      const offset = reader.u32();
      sink.setRange(key, offset, reader.bytes());
      return true;
    }
    case opcode.remove:
      sink.remove(key);
      return true;
    case opcode.setExpiry:
      sink.setExpiry(key, reader.u64());
      return true;
    case opcode.rename:
      sink.rename(key, reader.bytes());
      return true;
    case opcode.copy:
      sink.copy(key, reader.bytes());
      return true;
    default:
      return false;
  }
}

/** Effects on the elements of hashes, sets and sorted sets: false when it is none of these. */
function decodeElementEffect(code: number, reader: EffectReader, sink: EffectSink): boolean {
  if (code < opcode.hashSet || code > opcode.sortedSetRemove) return false;
  const key = reader.key();
  const element = reader.bytes();
  switch (code) {
    case opcode.hashSet:
      sink.hashSet(key, element, reader.bytes());
      return true;
    case opcode.hashRemove:
      sink.hashRemove(key, element);
      return true;
    case opcode.setAdd:
      sink.setAdd(key, element);
      return true;
    case opcode.setRemove:
      sink.setRemove(key, element);
      return true;
    case opcode.sortedSetPut: {
      const at = reader.offset;
      const score = reader.f64();
      if (Number.isNaN(score)) throw new MalformedBytes('a score that is not a number', at);
      sink.sortedSetPut(key, element, score);
      return true;
    }
    default:
      sink.sortedSetRemove(key, element);
      return true;
  }
}

/** Effects on the items of lists: false when it is none of these. */
function decodeListEffect(code: number, reader: EffectReader, sink: EffectSink): boolean {
  if (code < opcode.listInsert || code > opcode.listRemove) return false;
  const key = reader.key();
  if (code === opcode.listRemove) {
    const index = reader.u32();
    sink.listRemove(key, index, reader.u32());
    return true;
  }
  const item = reader.bytes();
  if (code === opcode.listAppend) sink.listAppend(key, item);
  else if (code === opcode.listInsert) sink.listInsert(key, reader.u32(), item);
  else sink.listSet(key, reader.u32(), item);
  return true;
}

/** The effect that removes a range of a sorted set: false when it is another. */
function decodeRangeEffect(code: number, reader: EffectReader, sink: EffectSink): boolean {
  if (code !== opcode.sortedSetRemoveRange) return false;
  const key = reader.key();
  const index = reader.u32();
  sink.sortedSetRemoveRange(key, index, reader.u32());
  return true;
}

/** The effect that combines strings: false when it is another. */
function decodeBitEffect(code: number, reader: EffectReader, sink: EffectSink): boolean {
  if (code !== opcode.combineBits) return false;
  const target = reader.key();
  const at = reader.offset;
  const operation = bitOperations[reader.u8()];
  const sources: Bytes[] = [];
  for (let left = reader.u32(); left > 0; left--) sources.push(reader.bytes());
  if (operation === undefined || sources.length === 0 || (operation === 'not' && sources.length > 1))
    throw new MalformedBytes('strings are combined in an unknown way', at);
  sink.combineBits(operation, target, sources);
  return true;
}

/** The effects of moving slots: false when it is another. */
function decodeSlotEffect(code: number, reader: EffectReader, sink: EffectSink): boolean {
  if (code === opcode.loadPieces) {
    sink.loadPieces(reader.view(reader.u32()));
    return true;
  }
  if (code !== opcode.changeSlots) return false;
  const at = reader.offset;
  const kind = slotChangeKinds[reader.u8()];
  if (kind === undefined) throw new MalformedBytes('slots change in an unknown way', at);
  const began = reader.u64();
  const other = reader.u64();
  const term = reader.u64();
  const count = reader.u64();
  sink.changeSlots({ kind, began, other, term, count, slots: readRanges(reader) });
  return true;
}
