import { crc32 } from 'node:zlib';
import { MalformedBytes, readU64 } from '../bytes/byte-reader.ts';
import { ByteWriter, writeU64 } from '../bytes/byte-writer.ts';

/**
 * The portable batch: what is written to the log, kept for followers and sent to them, byte for byte.
 * All entries of a batch have one term; their LSNs are consecutive.
 *
 *   0 u32 magic     4 u32 crc32 of everything from byte 8   8 u32 length in bytes, header included
 *  12 u16 version  14 u16 flags   16 u32 shard   20 u32 entries
 *  24 u64 term     32 u64 first LSN              40 u64 leader's shard time, ms since the epoch
 *  48 entries: u32 payload length, u8 kind, u8 flags, u16 policy under which it was answered,
 *     [u64 client, u64 sequence when flag 1 is set], payload
 */
export const batchHeaderBytes = 48;
export const entryHeaderBytes = 8;
const magic = 0x31425742;
const version = 1;

export const entryKind = { effects: 0, noop: 1, membership: 2, mark: 3 } as const;
export type EntryKind = (typeof entryKind)[keyof typeof entryKind];

/** Set in a batch's flags when its only entry is a membership. Such an entry always has a batch of its own. */
export const batchHoldsMembership = 1;
const entryHasToken = 1;

export interface EntryView {
  readonly lsn: number;
  readonly kind: EntryKind;
  readonly policy: number;
  /** The idempotency token's halves; 0 when there is none. */
  readonly client: number;
  readonly sequence: number;
  /** Where the payload lies in `batch.bytes`. */
  readonly start: number;
  readonly end: number;
}

export class Batch {
  readonly shard: number;
  readonly term: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly timeMs: number;
  readonly flags: number;
  /** Header and entries. */
  readonly bytes: Buffer;

  constructor(
    bytes: Buffer,
    shard: number,
    term: number,
    firstLsn: number,
    lastLsn: number,
    timeMs: number,
    flags: number,
  ) {
    this.bytes = bytes;
    this.shard = shard;
    this.term = term;
    this.firstLsn = firstLsn;
    this.lastLsn = lastLsn;
    this.timeMs = timeMs;
    this.flags = flags;
  }

  /** True when its only entry sets a membership. */
  get holdsMembership(): boolean {
    return (this.flags & batchHoldsMembership) !== 0;
  }

  /** Reads a batch that fills `bytes` exactly. Throws `MalformedBytes` when it is not one or its checksum is wrong. */
  static parse(bytes: Buffer): Batch {
    if (bytes.length < batchHeaderBytes)
      throw new MalformedBytes('a batch shorter than its header', bytes.length);
    if (bytes.readUInt32LE(0) !== magic) throw new MalformedBytes('no batch here', 0);
    if (bytes.readUInt32LE(8) !== bytes.length) throw new MalformedBytes('a batch of another length', 8);
    if (bytes.readUInt16LE(12) !== version) throw new MalformedBytes('a batch of an unknown version', 12);
    if (bytes.readUInt32LE(4) !== crc32(bytes.subarray(8)))
      throw new MalformedBytes('a batch with a wrong checksum', 4);
    const count = bytes.readUInt32LE(20);
    const firstLsn = readU64(bytes, 32);
    if (count === 0 || firstLsn === 0) throw new MalformedBytes('a batch without entries', 20);
    return new Batch(
      bytes,
      bytes.readUInt32LE(16),
      readU64(bytes, 24),
      firstLsn,
      firstLsn + count - 1,
      readU64(bytes, 40),
      bytes.readUInt16LE(14),
    );
  }

  /** The entries in order; the checksum has been verified, so a bad length here is a bug of the writer. */
  *entries(): Generator<EntryView> {
    const cursor = this.cursor();
    while (cursor.next()) {
      const { lsn, kind, start, end } = cursor;
      const token = cursor.token;
      yield {
        lsn,
        kind,
        policy: this.bytes.readUInt16LE(cursor.at + 6),
        client: token ? readU64(this.bytes, cursor.at + 8) : 0,
        sequence: token ? readU64(this.bytes, cursor.at + 16) : 0,
        start,
        end,
      };
    }
  }

  /** The same as `entries`, for who reads many: without an object for each. */
  cursor(): EntryCursor {
    return new EntryCursor(this);
  }

  /** The part from `lsn` on, as a batch of its own; this batch itself when it begins there. */
  from(lsn: number): Batch {
    if (lsn <= this.firstLsn) return this;
    return this.#part(lsn, this.lastLsn);
  }

  /** The part up to and including `lsn`. */
  through(lsn: number): Batch {
    if (lsn >= this.lastLsn) return this;
    return this.#part(this.firstLsn, lsn);
  }

  #part(firstLsn: number, lastLsn: number): Batch {
    let start = batchHeaderBytes;
    let end = batchHeaderBytes;
    for (const entry of this.entries()) {
      if (entry.lsn < firstLsn) start = entry.end;
      if (entry.lsn <= lastLsn) end = entry.end;
    }
    const bytes = Buffer.allocUnsafeSlow(batchHeaderBytes + end - start);
    this.bytes.copy(bytes, 0, 0, batchHeaderBytes);
    this.bytes.copy(bytes, batchHeaderBytes, start, end);
    finishHeader(bytes, this.shard, this.term, firstLsn, lastLsn - firstLsn + 1, this.timeMs, this.flags);
    return new Batch(bytes, this.shard, this.term, firstLsn, lastLsn, this.timeMs, this.flags);
  }
}

/** Stands on one entry of a batch after the other. */
export class EntryCursor {
  lsn: number;
  kind: EntryKind = entryKind.effects;
  /** Where the entry begins, and where its payload lies in the batch's bytes. */
  at: number;
  start = 0;
  end = batchHeaderBytes;
  token = false;
  readonly #bytes: Buffer;
  readonly #lastLsn: number;

  constructor({ bytes, firstLsn, lastLsn }: Batch) {
    this.#bytes = bytes;
    this.#lastLsn = lastLsn;
    this.lsn = firstLsn - 1;
    this.at = batchHeaderBytes;
  }

  /** Goes on to the next entry; false when there is none. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.end;
    if (this.lsn === this.#lastLsn) {
      if (at !== bytes.length) throw new MalformedBytes('a batch with bytes after its last entry', at);
      return false;
    }
    if (at + entryHeaderBytes > bytes.length)
      throw new MalformedBytes('a batch with fewer entries than it says', at);
    this.lsn += 1;
    this.at = at;
    this.kind = bytes[at + 4] as EntryKind;
    this.token = ((bytes[at + 5] as number) & entryHasToken) !== 0;
    this.start = at + entryHeaderBytes + (this.token ? 16 : 0);
    this.end = this.start + bytes.readUInt32LE(at);
    if (this.end > bytes.length) throw new MalformedBytes('an entry beyond its batch', at);
    return true;
  }
}

function finishHeader(
  bytes: Buffer,
  shard: number,
  term: number,
  firstLsn: number,
  count: number,
  timeMs: number,
  flags: number,
): void {
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt16LE(version, 12);
  bytes.writeUInt16LE(flags, 14);
  bytes.writeUInt32LE(shard, 16);
  bytes.writeUInt32LE(count, 20);
  writeU64(bytes, 24, term);
  writeU64(bytes, 32, firstLsn);
  writeU64(bytes, 40, timeMs);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
}

/** Encodes entries into the open batch of one shard. An entry is begun, filled through `payload`, then ended or abandoned. */
export class BatchBuilder {
  /** Where an entry's payload is encoded, between `begin` and `end`. */
  readonly payload: ByteWriter;
  readonly #shard: number;
  #count = 0;
  #flags = 0;
  #entryStart = 0;

  constructor(shard: number, slabBytes = 1 << 20) {
    this.#shard = shard;
    this.payload = new ByteWriter(slabBytes);
  }

  /** Entries in the open batch. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the open batch so far. */
  get bytes(): number {
    return this.payload.length;
  }

  begin(kind: EntryKind, policy: number): void {
    const out = this.payload;
    if (this.#count === 0) {
      out.reserve(batchHeaderBytes + entryHeaderBytes);
      out.offset = out.start + batchHeaderBytes;
    } else {
      out.reserve(entryHeaderBytes);
    }
    this.#entryStart = out.length;
    const at = out.offset;
    const buffer = out.buffer;
    buffer[at + 4] = kind;
    buffer[at + 5] = 0;
    buffer[at + 6] = policy & 0xff;
    buffer[at + 7] = policy >> 8;
    out.offset = at + entryHeaderBytes;
    if (kind === entryKind.membership) this.#flags |= batchHoldsMembership;
  }

  /** Payload bytes written since `begin`. */
  get entryBytes(): number {
    return this.payload.length - this.#entryStart - entryHeaderBytes;
  }

  end(): void {
    const out = this.payload;
    out.buffer.writeUInt32LE(this.entryBytes, out.start + this.#entryStart);
    this.#count += 1;
  }

  abandon(): void {
    this.payload.rewind(this.#count === 0 ? 0 : this.#entryStart);
  }

  /** Ends the batch. There must be at least one entry. */
  seal(term: number, firstLsn: number, timeMs: number): Batch {
    const bytes = this.payload.take();
    const count = this.#count;
    const flags = this.#flags;
    finishHeader(bytes, this.#shard, term, firstLsn, count, timeMs, flags);
    this.#count = 0;
    this.#flags = 0;
    return new Batch(bytes, this.#shard, term, firstLsn, firstLsn + count - 1, timeMs, flags);
  }
}
