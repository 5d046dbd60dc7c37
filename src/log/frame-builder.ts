import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Batch } from './batch.ts';
import { frameBytes, payloadStart, sealFrame } from './frame.ts';
import type { LogRecord } from './record.ts';
import { encodeRecord } from './record.ts';
import type { ShardLog } from './shard-log.ts';

/** Batches of one durable write, in bytes, unless a single one is larger. */
const maxPayloadBytes = 4 << 20;
/** A slab beyond this is not kept. */
const maxSlabBytes = 8 << 20;

export interface QueuedRecord {
  readonly shard: ShardLog;
  readonly record: LogRecord;
  /** The batch of a batch record. */
  readonly batch: Batch | null;
}

export interface BuiltFrame {
  /** A view of the slab: valid until the next frame is built. */
  readonly bytes: Buffer;
  /** How many of the queued records it holds. */
  readonly taken: number;
  /** Offset of the first payload in the frame. */
  readonly payloadStart: number;
}

/** Encodes queued records into one slab: one copy per batch, nothing else that grows with its size. */
export class FrameBuilder {
  readonly #table = new ByteWriter(64 << 10);
  readonly #allocate: (bytes: number) => Buffer;
  #slab: Buffer;

  /** @param allocate memory that the disk writes from */
  constructor(allocate: (bytes: number) => Buffer) {
    this.#allocate = allocate;
    this.#slab = allocate(1 << 20);
  }

  /**
   * A frame of at most `room` bytes with the opening records and as many of the queued ones as fit; null when not even
   * one does.
   */
  build(
    queue: readonly QueuedRecord[],
    openings: readonly LogRecord[],
    room: number,
    about: { segment: number; offset: number; sequence: number; wallMs: number },
  ): BuiltFrame | null {
    const table = this.#table;
    table.rewind(0);
    for (const opening of openings) encodeRecord(table, opening);
    let apart = openings.length > 0;
    let payload = 0;
    let taken = 0;
    let length = frameBytes(table.length, 0, apart);
    for (const { record } of queue) {
      const before = table.length;
      const bytes = record.kind === 'batch' ? record.length : 0;
      if (taken > 0 && payload + bytes > maxPayloadBytes) break;
      encodeRecord(table, record);
      const nowApart = apart || record.kind !== 'batch';
      const nowLength = frameBytes(table.length, payload + bytes, nowApart);
      if (nowLength > room) {
        table.rewind(before);
        break;
      }
      apart = nowApart;
      length = nowLength;
      payload += bytes;
      taken += 1;
    }
    if (length > room || (taken === 0 && queue.length > 0)) return null;
    return this.#seal(queue, taken, payload, length, { ...about, records: openings.length + taken });
  }

  #seal(
    queue: readonly QueuedRecord[],
    taken: number,
    payload: number,
    length: number,
    about: { segment: number; offset: number; records: number; sequence: number; wallMs: number },
  ): BuiltFrame {
    const slab = this.#space(length);
    const table = this.#table.buffer.subarray(this.#table.start, this.#table.offset);
    const start = payloadStart(table.length);
    let at = start;
    for (let i = 0; i < taken; i++) {
      const batch = queue[i]?.batch;
      if (batch) at += batch.bytes.copy(slab, at);
    }
    sealFrame(slab, table, payload, length, about);
    return { bytes: slab.subarray(0, length), taken, payloadStart: start };
  }

  #space(bytes: number): Buffer {
    if (bytes <= this.#slab.length) return this.#slab;
    if (bytes > maxSlabBytes) return Buffer.allocUnsafeSlow(bytes);
    this.#slab = this.#allocate(Math.min(bytes * 2, maxSlabBytes));
    return this.#slab;
  }
}
