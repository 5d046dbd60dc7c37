import { ByteReader, MalformedBytes } from '../../bytes/byte-reader.ts';
import type { Bytes } from '../../bytes/types.ts';

/** Told how many bytes an element takes before it is kept; throws when there are too many. */
export interface Budget {
  take(bytes: number): void;
}

const end = 0xff;
/** A count that does not fit into its field. */
const unknownCount = 0xffff;

/** What all blocks share: one reader, and elements that are kept while the budget lasts. */
class Elements {
  readonly reader: ByteReader;
  readonly kept: Bytes[] = [];
  readonly #budget: Budget;

  constructor(block: Buffer, budget: Budget) {
    this.reader = new ByteReader(block);
    this.#budget = budget;
  }

  keep(element: Bytes): void {
    this.#budget.take(element.length);
    this.kept.push(element);
  }

  keepText(length: number): void {
    const view = this.reader.view(length);
    this.keep(view.latin1Slice(0, view.length));
  }

  /** A little-endian signed integer of so many bytes. */
  keepInteger(bytes: number): void {
    const view = this.reader.view(bytes);
    this.keep(bytes === 8 ? view.readBigInt64LE().toString() : view.readIntLE(0, bytes).toString());
  }

  fail(what: string): never {
    throw new MalformedBytes(what, this.reader.offset);
  }

  /** Checks the end mark and the number of elements that the header named. */
  finish(count: number): Bytes[] {
    if (this.reader.remaining !== 0) this.fail('bytes behind the end of a block');
    if (count !== unknownCount && count !== this.kept.length) this.fail('another number of elements');
    return this.kept;
  }
}

/** The elements of a listpack. */
export function readListpack(block: Buffer, budget: Budget): Bytes[] {
  const elements = new Elements(block, budget);
  const { reader } = elements;
  if (reader.u32() !== block.length) elements.fail('another length of a listpack');
  const count = reader.u16();
  for (;;) {
    const from = reader.offset;
    const code = reader.u8();
    if (code === end) return elements.finish(count);
    if (code < 0x80) elements.keep(String(code));
    else if (code < 0xc0) elements.keepText(code & 0x3f);
    else if (code < 0xe0) elements.keep(String((((code & 0x1f) << 27) | (reader.u8() << 19)) >> 19));
    else if (code < 0xf0) elements.keepText(((code & 0x0f) << 8) | reader.u8());
    else if (code === 0xf0) elements.keepText(reader.u32());
    else if (code <= 0xf4) elements.keepInteger(code === 0xf4 ? 8 : code - 0xf1 + 2);
    else elements.fail('an unknown element of a listpack');
    readBackLength(elements, reader.offset - from);
  }
}

/** Behind an element of a listpack stands its length, in groups of seven bits that are read from the back. */
function readBackLength(elements: Elements, length: number): void {
  const groups = length <= 127 ? 1 : length < 16383 ? 2 : length < 2097151 ? 3 : length < 268435455 ? 4 : 5;
  for (let group = groups - 1; group >= 0; group--) {
    const expected = Math.floor(length / 128 ** group) % 128;
    if (elements.reader.u8() !== (group === groups - 1 ? expected : expected | 0x80))
      elements.fail('another length behind an element');
  }
}

/** The elements of a ziplist: what Redis had before it had listpacks. */
export function readZiplist(block: Buffer, budget: Budget): Bytes[] {
  const elements = new Elements(block, budget);
  const { reader } = elements;
  if (reader.u32() !== block.length) elements.fail('another length of a ziplist');
  const tail = reader.u32();
  const count = reader.u16();
  let before = 0;
  let last = reader.offset;
  for (;;) {
    const from = reader.offset;
    const previous = reader.u8();
    if (previous === end) {
      if (tail !== last) elements.fail('another place of the last element');
      return elements.finish(count);
    }
    if ((previous < 0xfe ? previous : reader.u32()) !== before)
      elements.fail('another length before an element');
    readZiplistElement(elements);
    last = from;
    before = reader.offset - from;
  }
}

function readZiplistElement(elements: Elements): void {
  const { reader } = elements;
  const code = reader.u8();
  if (code < 0x40) elements.keepText(code);
  else if (code < 0x80) elements.keepText(((code & 0x3f) << 8) | reader.u8());
  else if (code === 0x80) elements.keepText(reader.view(4).readUInt32BE());
  else if (code === 0xc0) elements.keepInteger(2);
  else if (code === 0xd0) elements.keepInteger(4);
  else if (code === 0xe0) elements.keepInteger(8);
  else if (code === 0xf0) elements.keepInteger(3);
  else if (code === 0xfe) elements.keepInteger(1);
  else if (code >= 0xf1 && code <= 0xfd) elements.keep(String((code & 0x0f) - 1));
  else elements.fail('an unknown element of a ziplist');
}

/** The members of a set of integers, which stand in ascending order. */
export function readIntegerSet(block: Buffer, budget: Budget): Bytes[] {
  const elements = new Elements(block, budget);
  const { reader } = elements;
  const width = reader.u32();
  const count = reader.u32();
  if ((width !== 2 && width !== 4 && width !== 8) || count === 0 || width * count !== reader.remaining)
    elements.fail('no set of integers');
  let before: bigint | null = null;
  for (let i = 0; i < count; i++) {
    elements.keepInteger(width);
    const value = BigInt(elements.kept[i] as Bytes);
    if (before !== null && value <= before) elements.fail('integers out of order');
    before = value;
  }
  return elements.kept;
}

/** Fields and values of a hash in the form that Redis had first. */
export function readZipmap(block: Buffer, budget: Budget): Bytes[] {
  const elements = new Elements(block, budget);
  const { reader } = elements;
  const count = reader.u8();
  for (;;) {
    const field = reader.u8();
    if (field === end) {
      const pairs = count === 0xfe ? unknownCount : 2 * count;
      return elements.finish(pairs);
    }
    elements.keepText(field === 0xfe ? reader.u32() : field);
    const value = reader.u8();
    if (value === end) elements.fail('a field without a value');
    const length = value === 0xfe ? reader.u32() : value;
    const unused = reader.u8();
    elements.keepText(length);
    reader.view(unused);
  }
}
