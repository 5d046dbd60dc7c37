import { MalformedBytes } from '../bytes/byte-reader.ts';
import { frameHeaderBytes } from './frame.ts';

/** What must have arrived before the length of a frame is known. */
const lengthKnownBytes = 8;

/**
 * Cuts the stream of a link into frames: `push` a piece, then take frames with `next` until it answers null. A frame
 * that came in one piece is a view of it; one that came in several is put together in a buffer of its own.
 */
export class FrameAssembler {
  readonly #frameBytesMax: number;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Where views are taken from: the chunk itself, or a copy of its whole frames, which begin at `#viewsAt`. */
  #views: Buffer | null = null;
  #viewsAt = 0;
  /** The beginning of a frame whose length is not known yet. */
  readonly #head = Buffer.alloc(lengthKnownBytes);
  #headBytes = 0;
  #frame: Buffer | null = null;
  #filled = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** The piece before must have been used up. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#views = null;
  }

  /** The next whole frame; null when more bytes are needed. Throws `MalformedBytes` for an impossible length. */
  next(): Buffer | null {
    if (this.#frame === null && this.#headBytes === 0) {
      const left = this.#chunk.length - this.#at;
      if (left >= lengthKnownBytes) {
        const length = this.#lengthAt(this.#chunk, this.#at);
        if (length <= left) return this.#view(length);
        this.#frame = Buffer.allocUnsafeSlow(length);
        this.#filled = 0;
      }
    }
    return this.#continueFrame();
  }

  #continueFrame(): Buffer | null {
    if (this.#frame === null) {
      const end = Math.min(this.#chunk.length, this.#at + lengthKnownBytes - this.#headBytes);
      this.#chunk.copy(this.#head, this.#headBytes, this.#at, end);
      this.#headBytes += end - this.#at;
      this.#at = end;
      if (this.#headBytes < lengthKnownBytes) return null;
      this.#frame = Buffer.allocUnsafeSlow(this.#lengthAt(this.#head, 0));
      this.#head.copy(this.#frame);
      this.#filled = lengthKnownBytes;
      this.#headBytes = 0;
    }
    const frame = this.#frame;
    const copied = this.#chunk.copy(frame, this.#filled, this.#at);
    this.#at += copied;
    this.#filled += copied;
    if (this.#filled < frame.length) return null;
    this.#frame = null;
    return frame;
  }

  #lengthAt(buffer: Buffer, at: number): number {
    const length = buffer.readUInt32LE(at + 4);
    if (length < frameHeaderBytes || length > this.#frameBytesMax)
      throw new MalformedBytes(`a frame of ${length} bytes, at most ${this.#frameBytesMax} are taken`, 4);
    return length;
  }

  #view(length: number): Buffer {
    this.#views ??= this.#chooseViews();
    const start = this.#at - this.#viewsAt;
    this.#at += length;
    return this.#views.subarray(start, start + length);
  }

  /**
   * Batches live on in caches as views. A few small frames beside most of a large one (which is copied anyway) would
   * keep the whole piece alive, so they are copied too; the caches' limits in bytes then mean what they say.
   */
  #chooseViews(): Buffer {
    const chunk = this.#chunk;
    let end = this.#at;
    while (chunk.length - end >= lengthKnownBytes) {
      const length = chunk.readUInt32LE(end + 4);
      // An impossible length is met again, and reported, when its turn comes.
      if (length < frameHeaderBytes || length > chunk.length - end) break;
      end += length;
    }
    this.#viewsAt = 0;
    if ((end - this.#at) * 2 >= chunk.length) return chunk;
    this.#viewsAt = this.#at;
    return Buffer.from(chunk.subarray(this.#at, end));
  }
}
