/**
 * A growing buffer to encode into. Finished pieces are taken as views of one slab, so that encoding a batch
 * costs no allocation of its own; a slab that is full is left to whoever still holds a view of it.
 */
export class ByteWriter {
  buffer: Buffer;
  /** Where the piece being written begins. */
  start = 0;
  /** Where the next byte goes. */
  offset = 0;
  readonly #slabBytes: number;

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
    this.buffer = Buffer.allocUnsafeSlow(slabBytes);
  }

  /** Bytes of the piece being written. */
  get length(): number {
    return this.offset - this.start;
  }

  /** Makes room for `bytes` more. May move the piece to a new slab: re-read `buffer` and `offset` afterwards. */
  reserve(bytes: number): void {
    if (this.offset + bytes <= this.buffer.length) return;
    const length = this.length;
    const slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, (length + bytes) * 2));
    this.buffer.copy(slab, 0, this.start, this.offset);
    this.buffer = slab;
    this.start = 0;
    this.offset = length;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.offset++] = value;
  }

  u16(value: number): void {
    this.reserve(2);
    this.buffer.writeUInt16LE(value, this.offset);
    this.offset += 2;
  }

  u32(value: number): void {
    this.reserve(4);
    this.buffer.writeUInt32LE(value, this.offset);
    this.offset += 4;
  }

  /** An integer in [0, 2^53), in eight bytes. */
  u64(value: number): void {
    this.reserve(8);
    writeU64(this.buffer, this.offset, value);
    this.offset += 8;
  }

  f64(value: number): void {
    this.reserve(8);
    this.buffer.writeDoubleLE(value, this.offset);
    this.offset += 8;
  }

  /** A byte string (latin1), preceded by its length as u32. */
  bytes(value: string): void {
    const length = value.length;
    this.reserve(4 + length);
    this.buffer.writeUInt32LE(length, this.offset);
    this.offset += 4;
    this.raw(value);
  }

  /** A byte string (latin1) without its length. */
  raw(value: string): void {
    const length = value.length;
    this.reserve(length);
    if (length < 24) {
      const buffer = this.buffer;
      let offset = this.offset;
      for (let i = 0; i < length; i++) buffer[offset++] = value.charCodeAt(i);
      this.offset = offset;
    } else {
      this.offset += this.buffer.latin1Write(value, this.offset, length);
    }
  }

  copy(source: Uint8Array): void {
    this.reserve(source.length);
    this.buffer.set(source, this.offset);
    this.offset += source.length;
  }

  /** Ends the piece and returns it as a view; the next piece starts behind it. */
  take(): Buffer {
    const piece = this.buffer.subarray(this.start, this.offset);
    this.start = this.offset;
    return piece;
  }

  /** Drops what was written of the piece beyond `length`. */
  rewind(length: number): void {
    this.offset = this.start + length;
  }
}

/** Writes an integer in [0, 2^53) as eight bytes, little endian. */
export function writeU64(buffer: Buffer, offset: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  buffer.writeUInt32LE(value - high * 0x1_0000_0000, offset);
  buffer.writeUInt32LE(high, offset + 4);
}
