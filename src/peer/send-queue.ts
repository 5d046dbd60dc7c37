import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Message } from '../core/types.ts';
import { writeMessage } from './codec.ts';

const slabBytes = 64 << 10;
/** Finished pieces of about this size leave the writer, so that a growing slab never copies more. */
const pieceBytes = 32 << 10;
/** Bulk bytes up to here are copied beside their header: cheaper than one more buffer in the system call. */
const copyBytesMax = 8 << 10;

/** Frames of one link that wait for the end of the turn. */
export class SendQueue {
  readonly #out = new ByteWriter(slabBytes);
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param bulkBytes as `bulkBytesOf(message)` */
  addMessage(shard: number, message: Message, bulkBytes: number): void {
    const out = this.#out;
    const before = out.length;
    const bulk = writeMessage(out, shard, message);
    this.#bytes += out.length - before + bulkBytes;
    for (const part of bulk) {
      if (part.length <= copyBytesMax) {
        out.copy(part);
      } else {
        this.#pieces.push(out.take(), part);
      }
    }
    if (out.length >= pieceBytes) this.#pieces.push(out.take());
  }

  addFrame(frame: Buffer): void {
    this.#out.copy(frame);
    this.#bytes += frame.length;
  }

  /** What waits, in order; afterwards nothing does. */
  take(): readonly Uint8Array[] {
    const pieces = this.#pieces;
    if (this.#out.length > 0) pieces.push(this.#out.take());
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }
}
