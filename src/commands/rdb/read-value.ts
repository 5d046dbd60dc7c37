import { ByteReader, MalformedBytes } from '../../bytes/byte-reader.ts';
import type { Bytes } from '../../bytes/types.ts';
import { parseScore } from '../scores.ts';
import { lzfDecompress } from './lzf.ts';
import type { Budget } from './packed.ts';
import { readIntegerSet, readListpack, readZiplist, readZipmap } from './packed.ts';
import { rdbType } from './types.ts';

/** A value as a dump describes it: never empty, no field or member twice. */
export type DumpedValue =
  | { readonly type: 'string'; readonly text: Bytes }
  | { readonly type: 'list'; readonly items: readonly Bytes[] }
  | { readonly type: 'set'; readonly members: ReadonlySet<Bytes> }
  | { readonly type: 'hash'; readonly fields: ReadonlyMap<Bytes, Bytes> }
  | { readonly type: 'zset'; readonly scores: ReadonlyMap<Bytes, number> };

/** Reads the type and the value that a dump begins with. Throws `MalformedBytes`, or what the budget throws. */
export function readValue(bytes: Buffer, budget: Budget): DumpedValue {
  return new ValueReader(bytes, budget).read();
}

/** How the plain quicklist nodes are marked that hold a single large item. */
const plainNode = 1;
const packedNode = 2;

class ValueReader {
  readonly #reader: ByteReader;
  readonly #budget: Budget;

  constructor(bytes: Buffer, budget: Budget) {
    this.#reader = new ByteReader(bytes);
    this.#budget = budget;
  }

  read(): DumpedValue {
    const type = this.#reader.u8();
    switch (type) {
      case rdbType.string:
        return { type: 'string', text: this.#text() };
      case rdbType.list:
        return this.#list(this.#texts(this.#count()));
      case rdbType.quicklist:
      case rdbType.quicklist2:
        return this.#list(this.#nodes(type === rdbType.quicklist2));
      case rdbType.listZiplist:
        return this.#list(readZiplist(this.#block(), this.#budget));
      case rdbType.set:
        return this.#set(this.#texts(this.#count()));
      case rdbType.setIntegers:
        return this.#set(readIntegerSet(this.#block(), this.#budget));
      case rdbType.setListpack:
        return this.#set(readListpack(this.#block(), this.#budget));
      case rdbType.hash:
        return this.#hash(this.#texts(2 * this.#count()));
      case rdbType.hashZipmap:
        return this.#hash(readZipmap(this.#block(), this.#budget));
      case rdbType.hashZiplist:
        return this.#hash(readZiplist(this.#block(), this.#budget));
      case rdbType.hashListpack:
        return this.#hash(readListpack(this.#block(), this.#budget));
      case rdbType.sortedSet:
        return this.#sortedSet(this.#scored(() => this.#writtenScore()));
      case rdbType.sortedSet2:
        return this.#sortedSet(this.#scored(() => this.#reader.f64()));
      case rdbType.sortedSetZiplist:
        return this.#sortedSet(pairsOf(readZiplist(this.#block(), this.#budget), scoreOf));
      case rdbType.sortedSetListpack:
        return this.#sortedSet(pairsOf(readListpack(this.#block(), this.#budget), scoreOf));
      default:
        return this.#fail('an unknown type');
    }
  }

  #fail(what: string): never {
    throw new MalformedBytes(what, this.#reader.offset);
  }

  #list(items: readonly Bytes[]): DumpedValue {
    return items.length === 0 ? this.#fail('an empty list') : { type: 'list', items };
  }

  #set(elements: readonly Bytes[]): DumpedValue {
    const members = new Set(elements);
    if (members.size === 0 || members.size !== elements.length) this.#fail('no set');
    return { type: 'set', members };
  }

  #hash(elements: readonly Bytes[]): DumpedValue {
    const pairs = pairsOf(elements, (value) => value);
    const fields = new Map(pairs);
    if (fields.size === 0 || fields.size !== pairs.length) this.#fail('no hash');
    return { type: 'hash', fields };
  }

  #sortedSet(pairs: readonly (readonly [Bytes, number])[]): DumpedValue {
    const scores = new Map(pairs);
    if (scores.size === 0 || scores.size !== pairs.length) this.#fail('no sorted set');
    return { type: 'zset', scores };
  }

  /** A number of elements; `MAX_SAFE_INTEGER` at most, so reading them ends with the bytes. */
  #count(): number {
    const first = this.#reader.u8();
    const kind = first >> 6;
    if (kind === 0) return first;
    if (kind === 1) return ((first & 0x3f) << 8) | this.#reader.u8();
    if (first === 0x80) return this.#reader.view(4).readUInt32BE();
    if (first !== 0x81) this.#fail('an unknown length');
    const high = this.#reader.view(4).readUInt32BE();
    if (high >= 1 << 21) this.#fail('a length that nothing has');
    return high * 2 ** 32 + this.#reader.view(4).readUInt32BE();
  }

  /** A string: as it is, an integer, or compressed. Its bytes are taken from the budget. */
  #text(): Bytes {
    const bytes = this.#bytes();
    if (typeof bytes === 'string') return bytes;
    return bytes.latin1Slice(0, bytes.length);
  }

  #block(): Buffer {
    const bytes = this.#bytes();
    return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  }

  #bytes(): Buffer | Bytes {
    const reader = this.#reader;
    const code = reader.buffer[reader.offset];
    if (code === undefined || code >> 6 !== 3) {
      const length = this.#count();
      const view = reader.view(length);
      this.#budget.take(length);
      return view;
    }
    reader.u8();
    if (code === 0xc3) {
      const compressed = this.#count();
      const length = this.#count();
      const view = reader.view(compressed);
      // No byte of the compressed form makes more than this.
      if (length > compressed * 264) this.#fail('a length that nothing compresses so well');
      this.#budget.take(length);
      return lzfDecompress(view, length);
    }
    if (code > 0xc3) this.#fail('an unknown string');
    const width = 1 << (code & 3);
    this.#budget.take(width);
    return reader.view(width).readIntLE(0, width).toString();
  }

  #texts(count: number): Bytes[] {
    const texts: Bytes[] = [];
    for (let i = 0; i < count; i++) texts.push(this.#text());
    return texts;
  }

  #nodes(marked: boolean): Bytes[] {
    const items: Bytes[] = [];
    const count = this.#count();
    for (let i = 0; i < count; i++) {
      const kind = marked ? this.#count() : packedNode;
      if (kind !== plainNode && kind !== packedNode) this.#fail('an unknown part of a list');
      if (kind === plainNode) {
        const item = this.#text();
        if (item.length === 0) this.#fail('an empty part of a list');
        items.push(item);
        continue;
      }
      const read = marked ? readListpack : readZiplist;
      for (const item of read(this.#block(), this.#budget)) items.push(item);
    }
    return items;
  }

  #scored(score: () => number): [Bytes, number][] {
    const pairs: [Bytes, number][] = [];
    const count = this.#count();
    for (let i = 0; i < count; i++) {
      const member = this.#text();
      const value = score();
      if (Number.isNaN(value)) this.#fail('a score that is no number');
      pairs.push([member, value]);
    }
    return pairs;
  }

  /** A score in decimal digits behind their number, or a mark. */
  #writtenScore(): number {
    const length = this.#reader.u8();
    if (length >= 0xfd)
      return [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY][length - 0xfd] as number;
    const view = this.#reader.view(length);
    return parseScore(view.latin1Slice(0, length)) ?? Number.NaN;
  }
}

function scoreOf(text: Bytes): number {
  const score = parseScore(text);
  if (score === null) throw new MalformedBytes('a score that is no number', 0);
  return score;
}

/** Elements two by two. */
function pairsOf<T>(elements: readonly Bytes[], read: (second: Bytes) => T): [Bytes, T][] {
  if (elements.length % 2 !== 0) throw new MalformedBytes('half a pair', 0);
  const pairs: [Bytes, T][] = [];
  for (let i = 0; i < elements.length; i += 2)
    pairs.push([elements[i] as Bytes, read(elements[i + 1] as Bytes)]);
  return pairs;
}
