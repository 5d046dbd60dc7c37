import type { Bytes } from '../bytes/types.ts';

/** Strings above this length are held as a `LongString`, up to it as a plain one: which form a value has depends on nothing else. */
export const plainStringBytes = 64 << 10;
/** Longest string, bytes. */
export const maxStringBytes = 512 << 20;
/** What one change copies at most, when the chunk is shared. */
export const chunkBytes = 16 << 10;

interface Chunk {
  /** Whose it is to change; null for the chunk of zeros, which is nobody's. */
  readonly owner: object | null;
  /** `chunkBytes` long, and zero beyond the end of the string. */
  readonly bytes: Buffer;
}

const zeros: Chunk = { owner: null, bytes: Buffer.alloc(chunkBytes) };

/**
 * A long byte string in chunks of one size, so that changing a byte, appending and copying do not take longer for its
 * length. A copy shares the chunks, and whoever changes one first takes its own. Chunks that nobody wrote to are one
 * and the same chunk of zeros.
 */
export class LongString {
  readonly type = 'string';
  #owner: object = {};
  #chunks: Chunk[] = [];
  #length = 0;

  /** A string of zeros. */
  constructor(length = 0) {
    this.#grow(length);
  }

  static of(text: Bytes): LongString {
    const made = new LongString();
    made.write(0, text);
    return made;
  }

  get length(): number {
    return this.#length;
  }

  get memoryBytes(): number {
    return this.#length;
  }

  get chunks(): number {
    return this.#chunks.length;
  }

  /** The same bytes, to be changed apart from these. */
  copy(): LongString {
    const twin = new LongString();
    twin.#chunks = this.#chunks.slice();
    twin.#length = this.#length;
    this.#owner = {};
    return twin;
  }

  /** Puts bytes at an offset; what is missing before them becomes zeros. */
  write(offset: number, text: Bytes): void {
    this.#grow(offset + text.length);
    let done = 0;
    while (done < text.length) {
      const at = (offset + done) % chunkBytes;
      const some = Math.min(chunkBytes - at, text.length - done);
      const target = this.own(Math.floor((offset + done) / chunkBytes));
      if (some === 1) target[at] = text.charCodeAt(done);
      else target.latin1Write(done === 0 && some === text.length ? text : text.slice(done, done + some), at);
      done += some;
    }
  }

  byteAt(index: number): number {
    return (this.#chunks[Math.floor(index / chunkBytes)] as Chunk).bytes[index % chunkBytes] as number;
  }

  /** The bytes from `from` to before `to` as a plain string. */
  slice(from: number, to: number): Bytes {
    let text = '';
    for (const piece of this.pieces(from, to)) text += piece.latin1Slice(0, piece.length);
    return text;
  }

  /** Views of the bytes from `from` to before `to`, valid until the next change. */
  *pieces(from = 0, to = this.#length): Generator<Buffer, void, undefined> {
    const end = Math.min(to, this.#length);
    for (let at = from; at < end; ) {
      const index = Math.floor(at / chunkBytes);
      const next = Math.min((index + 1) * chunkBytes, end);
      const { bytes } = this.#chunks[index] as Chunk;
      yield bytes.subarray(at - index * chunkBytes, next - index * chunkBytes);
      at = next;
    }
  }

  /** A view of one chunk, valid until the next change: `chunkBytes` long whatever the string's length is, zeros behind its end. */
  chunk(index: number): Buffer {
    return (this.#chunks[index] as Chunk).bytes;
  }

  /** True when a chunk is known to hold zeros only, without looking at it. */
  isBlank(index: number): boolean {
    return this.#chunks[index] === zeros;
  }

  /** One chunk, to be changed by whoever asks: but not beyond the end of the string. */
  own(index: number): Buffer {
    const chunk = this.#chunks[index] as Chunk;
    if (chunk.owner === this.#owner) return chunk.bytes;
    const bytes = Buffer.alloc(chunkBytes);
    if (chunk !== zeros) chunk.bytes.copy(bytes);
    this.#chunks[index] = { owner: this.#owner, bytes };
    return bytes;
  }

  /** Chunks that hold anything but zeros: their positions and their bytes, without what is behind the string's end. */
  *written(): Generator<WrittenChunk, void, undefined> {
    for (let index = 0; index < this.#chunks.length; index++) {
      const { bytes } = this.#chunks[index] as Chunk;
      if (this.isBlank(index) || bytes.equals(zeros.bytes)) continue;
      yield { index, bytes: bytes.subarray(0, Math.min(chunkBytes, this.#length - index * chunkBytes)) };
    }
  }

  #grow(length: number): void {
    if (length <= this.#length) return;
    this.#length = length;
    for (let at = this.#chunks.length; at * chunkBytes < length; at++) this.#chunks.push(zeros);
  }
}

export interface WrittenChunk {
  readonly index: number;
  readonly bytes: Buffer;
}
