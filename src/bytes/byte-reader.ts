import { shortBytes, shortString } from './short-string.ts';

/** Thrown when bytes do not hold what their format promises: they end early or carry an impossible value. */
export class MalformedBytes extends Error {
  /** Where in the buffer the problem is. */
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`);
    this.name = 'MalformedBytes';
    this.offset = offset;
  }
}

/** Reads what `ByteWriter` wrote. Never reads beyond `end`; throws `MalformedBytes` instead. */
export class ByteReader {
  buffer: Buffer;
  offset: number;
  end: number;

  constructor(buffer: Buffer, offset = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  #take(bytes: number): number {
    const at = this.offset;
    if (bytes > this.end - at) throw new MalformedBytes(`${bytes} bytes wanted, ${this.end - at} left`, at);
    this.offset = at + bytes;
    return at;
  }

  u8(): number {
    return this.buffer[this.#take(1)] as number;
  }

  u16(): number {
    return this.buffer.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.#take(4));
  }

  /** An integer in [0, 2^53). */
  u64(): number {
    const at = this.#take(8);
    return readU64(this.buffer, at);
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.#take(8));
  }

  /** A byte string (latin1) preceded by its length as u32. */
  bytes(): string {
    const length = this.u32();
    const at = this.#take(length);
    return length <= shortBytes
      ? shortString(this.buffer, at, length)
      : this.buffer.latin1Slice(at, at + length);
  }

  /** A view of the next bytes. */
  view(bytes: number): Buffer {
    const at = this.#take(bytes);
    return this.buffer.subarray(at, at + bytes);
  }
}

/** Reads an integer in [0, 2^53) from eight bytes, little endian. */
export function readU64(buffer: Buffer, offset: number): number {
  const high = buffer.readUInt32LE(offset + 4);
  if (high > 0x1f_ffff) throw new MalformedBytes('an integer beyond 2^53', offset);
  return high * 0x1_0000_0000 + buffer.readUInt32LE(offset);
}
