import { crc32 } from 'node:zlib';
import { ByteReader, MalformedBytes } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { decodeMembership } from '../core/membership-codec.ts';
import type {
  Append,
  BatchSpan,
  LedShard,
  Message,
  Position,
  SlotCopy,
  SlotStep,
  SnapshotChunk,
} from '../core/types.ts';
import { Batch, batchHoldsMembership, entryKind } from '../log/batch.ts';
import { beginFrame, checkFrame, endFrame, frameHeaderBytes, frameKind } from './frame.ts';

type SlotRange = SlotStep['slots'][number];
const lastSlot = 16383;

/** In the order of their numbers on the wire. */
const slotContents = ['begin', 'pieces', 'effects', 'end'] as const;
const slotSteps = ['begin', 'finish', 'abandon'] as const;

/** How one kind of message is written. `bulk` bytes follow the control part and are never copied here. */
interface Codec<M extends Message> {
  /** Names the kind on the wire; never reused. */
  readonly id: number;
  write(out: ByteWriter, message: M): void;
  bulk?(message: M): readonly Uint8Array[];
  /** Reads the control part up to its end. `bulk` is what follows it, empty for kinds without `bulk`. */
  read(from: ByteReader, bulk: Buffer, shard: number): M;
}

type Codecs = { readonly [K in Message['kind']]: Codec<Extract<Message, { kind: K }>> };

const codecs: Codecs = {
  preVoteRequest: {
    id: 1,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.last);
    },
    read: (from) => ({ kind: 'preVoteRequest', term: from.u64(), last: readPosition(from) }),
  },
  preVoteResponse: {
    id: 2,
    write(out, message) {
      out.u64(message.term);
      out.u64(message.asked);
      writeFlag(out, message.granted);
    },
    read: (from) => ({
      kind: 'preVoteResponse',
      term: from.u64(),
      asked: from.u64(),
      granted: readFlag(from),
    }),
  },
  voteRequest: {
    id: 3,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.last);
      writeFlag(out, message.handover);
    },
    read: (from) => ({
      kind: 'voteRequest',
      term: from.u64(),
      last: readPosition(from),
      handover: readFlag(from),
    }),
  },
  voteResponse: {
    id: 4,
    write(out, message) {
      out.u64(message.term);
      out.u64(message.asked);
      writeFlag(out, message.granted);
    },
    read: (from) => ({ kind: 'voteResponse', term: from.u64(), asked: from.u64(), granted: readFlag(from) }),
  },
  append: {
    id: 5,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.previous);
      out.u64(message.commit);
      out.f64(message.timeMs);
      writeFlag(out, message.wantReceived);
      writeFlag(out, message.wantApplied);
      out.u32(message.batches.length);
      for (const batch of message.batches) out.u32(batch.bytes.length);
    },
    bulk: (message) => message.batches.map((batch) => batch.bytes),
    read: readAppend,
  },
  appendAck: {
    id: 6,
    write(out, message) {
      out.u64(message.term);
      out.u64(message.received);
      out.u64(message.flushed);
      out.u64(message.applied);
      writeFlag(out, message.refused !== undefined);
      if (message.refused !== undefined) {
        writePosition(out, message.refused.previous);
        writePosition(out, message.refused.hint);
      }
    },
    read(from) {
      const term = from.u64();
      const received = from.u64();
      const flushed = from.u64();
      const applied = from.u64();
      if (!readFlag(from)) return { kind: 'appendAck', term, received, flushed, applied };
      const refused = { previous: readPosition(from), hint: readPosition(from) };
      return { kind: 'appendAck', term, refused, received, flushed, applied };
    },
  },
  heartbeat: {
    id: 7,
    write(out, message) {
      out.u64(message.term);
      out.u64(message.commit);
      out.f64(message.sentMs);
      out.f64(message.timeMs);
      out.u64(message.last);
      out.u16(message.laggards.length);
      for (const node of message.laggards) out.bytes(node);
      out.u64(message.held);
      out.u64(message.lackedBytes);
      writeFlag(out, message.echo !== null);
      if (message.echo !== null) {
        out.f64(message.echo.stampMs);
        writeFlag(out, message.echo.commit !== null);
        if (message.echo.commit !== null) out.u64(message.echo.commit);
      }
    },
    read: (from) => ({
      kind: 'heartbeat',
      term: from.u64(),
      commit: from.u64(),
      sentMs: readFinite(from),
      timeMs: readWallMs(from),
      last: from.u64(),
      laggards: readNodes(from),
      held: from.u64(),
      lackedBytes: from.u64(),
      echo: readFlag(from) ? { stampMs: readFinite(from), commit: readFlag(from) ? from.u64() : null } : null,
    }),
  },
  heartbeatAck: {
    id: 8,
    write(out, message) {
      out.u64(message.term);
      out.f64(message.sentMs);
      out.u64(message.received);
      out.u64(message.flushed);
      out.u64(message.applied);
      out.f64(message.priority);
      out.f64(message.stampMs);
    },
    read: (from) => ({
      kind: 'heartbeatAck',
      term: from.u64(),
      sentMs: readFinite(from),
      received: from.u64(),
      flushed: from.u64(),
      applied: from.u64(),
      priority: readFinite(from),
      stampMs: readFinite(from),
    }),
  },
  campaignNow: {
    id: 9,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.last);
      writeFlag(out, message.keep);
    },
    read: (from) => ({
      kind: 'campaignNow',
      term: from.u64(),
      last: readPosition(from),
      keep: readFlag(from),
    }),
  },
  leadershipWanted: {
    id: 15,
    write: (out, message) => out.u64(message.term),
    read: (from) => ({ kind: 'leadershipWanted', term: from.u64() }),
  },
  leaderNotice: {
    id: 16,
    write(out, message) {
      out.u64(message.term);
      writeTexts(out, message.members);
    },
    read: (from) => ({ kind: 'leaderNotice', term: from.u64(), members: readTexts(from) }),
  },
  nodeNotice: {
    id: 20,
    write(out, message) {
      writeText(out, message.peer);
      writeText(out, message.zone);
      writeFlag(out, message.sawNew);
      out.u16(message.led.length);
      for (const one of message.led) writeLedShard(out, one);
    },
    read(from) {
      const peer = readText(from);
      const zone = readText(from);
      const sawNew = readFlag(from);
      const led: LedShard[] = [];
      for (let left = from.u16(); left > 0; left--) led.push(readLedShard(from));
      // Whatever a later version has to add.
      from.view(from.remaining);
      return { kind: 'nodeNotice', term: 0, peer, zone, sawNew, led };
    },
  },
  readIndexRequest: {
    id: 10,
    write(out, message) {
      out.u64(message.term);
      out.f64(message.context);
      writeFlag(out, message.byLease);
    },
    read: (from) => ({
      kind: 'readIndexRequest',
      term: from.u64(),
      context: readFinite(from),
      byLease: readFlag(from),
    }),
  },
  readIndexResponse: {
    id: 11,
    write(out, message) {
      out.u64(message.term);
      out.f64(message.context);
      writeFlag(out, message.commit !== null);
      if (message.commit !== null) out.u64(message.commit);
    },
    read: (from) => ({
      kind: 'readIndexResponse',
      term: from.u64(),
      context: readFinite(from),
      commit: readFlag(from) ? from.u64() : null,
    }),
  },
  snapshotOffer: {
    id: 12,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.checkpoint);
    },
    read: (from) => ({ kind: 'snapshotOffer', term: from.u64(), checkpoint: readPosition(from) }),
  },
  snapshotRequest: {
    id: 13,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.checkpoint);
      out.u64(message.offset);
      out.u64(message.maxBytes);
    },
    read: (from) => ({
      kind: 'snapshotRequest',
      term: from.u64(),
      checkpoint: readPosition(from),
      offset: from.u64(),
      maxBytes: from.u64(),
    }),
  },
  snapshotChunk: {
    id: 14,
    write(out, message) {
      out.u64(message.term);
      writePosition(out, message.checkpoint);
      out.u64(message.offset);
      // Shifted by one, since -1 has a meaning.
      out.u64(message.totalBytes + 1);
      out.u32(crc32(message.bytes));
    },
    bulk: (message) => [message.bytes],
    read: readChunk,
  },
  slotCopy: {
    id: 17,
    write(out, message) {
      out.u64(message.term);
      out.u32(message.from);
      out.u64(message.began);
      out.u64(message.attempt);
      out.u64(message.sequence);
      out.u8(slotContents.indexOf(message.content));
      out.u64(message.lsn);
      out.u32(crc32(message.bytes));
    },
    bulk: (message) => [message.bytes],
    read: readSlotCopy,
  },
  slotCopied: {
    id: 18,
    write(out, message) {
      out.u64(message.term);
      out.u64(message.began);
      out.u64(message.copyTerm);
      out.u64(message.attempt);
      out.u64(message.sequence);
    },
    read: (from) => ({
      kind: 'slotCopied',
      term: from.u64(),
      began: from.u64(),
      copyTerm: from.u64(),
      attempt: from.u64(),
      sequence: from.u64(),
    }),
  },
  slotStep: {
    id: 19,
    write(out, message) {
      out.u64(message.term);
      out.u8(slotSteps.indexOf(message.step));
      out.u64(message.began);
      out.u32(message.from);
      out.u32(message.to);
      out.u32(message.slots.length);
      for (const { from, to } of message.slots) {
        out.u16(from);
        out.u16(to);
      }
    },
    read: (from) => ({
      kind: 'slotStep',
      term: from.u64(),
      step: readOneOf(from, slotSteps),
      began: from.u64(),
      from: from.u32(),
      to: from.u32(),
      slots: readSlots(from),
    }),
  },
};

const codecsById: readonly (Codec<Message> | undefined)[] = Object.values(codecs).reduce(
  (byId: Codec<Message>[], codec) => {
    byId[codec.id] = codec as Codec<Message>;
    return byId;
  },
  [],
);

const nothing: readonly Uint8Array[] = [];

/**
 * Appends the frame of a message to the writer's piece, all but its bulk bytes: those are returned and follow it on
 * the wire.
 */
export function writeMessage(out: ByteWriter, shard: number, message: Message): readonly Uint8Array[] {
  const codec = codecs[message.kind] as Codec<Message>;
  const start = beginFrame(out);
  codec.write(out, message);
  endFrame(out, start, codec.id, shard, bulkBytesOf(message));
  return codec.bulk === undefined ? nothing : codec.bulk(message);
}

/** Bytes that `writeMessage` returns instead of writing them. */
export function bulkBytesOf(message: Message): number {
  if (message.kind === 'snapshotChunk' || message.kind === 'slotCopy') return message.bytes.length;
  let bytes = 0;
  if (message.kind === 'append') for (const batch of message.batches) bytes += batch.bytes.length;
  return bytes;
}

const scratch = new ByteWriter(64 << 10);

/** A message as a frame of its own: `header`, then `parts`, one behind the other. The parts are not copied. */
export function encodeMessage(
  shard: number,
  message: Message,
): { readonly header: Buffer; readonly parts: readonly Uint8Array[] } {
  const parts = writeMessage(scratch, shard, message);
  return { header: scratch.take(), parts };
}

/**
 * Reads a whole frame. Bytes in the message are views of it. Batches have been checked: their checksums, that they
 * belong to the shard, follow `previous` and each other without a gap, and that terms never fall.
 * Throws `MalformedBytes`.
 */
export function decodeMessage(frame: Buffer): { readonly shard: number; readonly message: Message } {
  const controlBytes = checkFrame(frame);
  const codec = codecsById[frameKind(frame)];
  if (codec === undefined) throw new MalformedBytes(`a frame of unknown kind ${frameKind(frame)}`, 16);
  if (codec.bulk === undefined && controlBytes !== frame.length)
    throw new MalformedBytes('bulk bytes behind a message without any', controlBytes);
  const shard = frame.readUInt32LE(12);
  const from = new ByteReader(frame, frameHeaderBytes, controlBytes);
  const message = codec.read(from, frame.subarray(controlBytes), shard);
  if (from.remaining !== 0) throw new MalformedBytes('bytes behind the end of a message', from.offset);
  return { shard, message };
}

function readAppend(from: ByteReader, bulk: Buffer, shard: number): Append {
  const term = from.u64();
  const previous = readPosition(from);
  const commit = from.u64();
  const timeMs = readWallMs(from);
  const wantReceived = readFlag(from);
  const wantApplied = readFlag(from);
  const count = from.u32();
  if (count * 4 !== from.remaining) throw new MalformedBytes('another number of batches', from.offset);
  const batches: BatchSpan[] = [];
  let end = previous;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = from.u32();
    if (length > bulk.length - at) throw new MalformedBytes('a batch beyond its frame', from.offset);
    const batch = readBatch(bulk.subarray(at, at + length), shard);
    const fits = i === 0 ? batch.firstLsn <= end.lsn + 1 : batch.firstLsn === end.lsn + 1;
    if (!fits || batch.lastLsn <= end.lsn || batch.term < end.term || batch.term > term)
      throw new MalformedBytes('a batch that does not continue the log before it', from.offset);
    batches.push(batch);
    end = { term: batch.term, lsn: batch.lastLsn };
    at += length;
  }
  if (at !== bulk.length) throw new MalformedBytes('bytes behind the last batch', from.offset);
  return { kind: 'append', term, previous, batches, commit, timeMs, wantReceived, wantApplied };
}

function readBatch(bytes: Buffer, shard: number): BatchSpan {
  const batch = Batch.parse(bytes);
  if (batch.shard !== shard) throw new MalformedBytes(`a batch of shard ${batch.shard}, not ${shard}`, 16);
  if (!Number.isSafeInteger(batch.lastLsn)) throw new MalformedBytes('a batch that ends beyond 2^53', 32);
  if ((batch.flags & batchHoldsMembership) === 0) return batch;
  const [entry, second] = batch.entries();
  if (entry === undefined || second !== undefined || entry.kind !== entryKind.membership)
    throw new MalformedBytes('a membership that is not alone in its batch', 14);
  const membership = decodeMembership(bytes.subarray(entry.start, entry.end));
  if (membership === null) throw new MalformedBytes('a membership that cannot be read', entry.start);
  return Object.assign(batch, { membership });
}

function readChunk(from: ByteReader, bulk: Buffer): SnapshotChunk {
  const term = from.u64();
  const checkpoint = readPosition(from);
  const offset = from.u64();
  const totalBytes = from.u64() - 1;
  if (from.u32() !== crc32(bulk))
    throw new MalformedBytes('a checkpoint piece with a wrong checksum', from.offset);
  return { kind: 'snapshotChunk', term, checkpoint, offset, totalBytes, bytes: bulk };
}

function writeLedShard(out: ByteWriter, { shard, term, members, whole, keys, bytes }: LedShard): void {
  out.u32(shard);
  out.u64(term);
  writeTexts(out, members);
  writeFlag(out, whole);
  out.u64(keys);
  out.u64(bytes);
}

function readLedShard(from: ByteReader): LedShard {
  return {
    shard: from.u32(),
    term: from.u64(),
    members: readTexts(from),
    whole: readFlag(from),
    keys: from.u64(),
    bytes: from.u64(),
  };
}

function writeText(out: ByteWriter, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  out.u16(bytes.length);
  out.copy(bytes);
}

function readText(from: ByteReader): string {
  return from.view(from.u16()).toString('utf8');
}

function readSlotCopy(from: ByteReader, bulk: Buffer): SlotCopy {
  const term = from.u64();
  const shard = from.u32();
  const began = from.u64();
  const attempt = from.u64();
  const sequence = from.u64();
  const content = readOneOf(from, slotContents);
  const lsn = from.u64();
  if (from.u32() !== crc32(bulk)) throw new MalformedBytes('keys with a wrong checksum', from.offset);
  return { kind: 'slotCopy', term, from: shard, began, attempt, sequence, content, lsn, bytes: bulk };
}

function readOneOf<T>(from: ByteReader, names: readonly T[]): T {
  const name = names[from.u8()];
  if (name === undefined) throw new MalformedBytes('a number that stands for nothing', from.offset - 1);
  return name;
}

function readSlots(reader: ByteReader): SlotRange[] {
  const slots: SlotRange[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const from = reader.u16();
    const to = reader.u16();
    if (from > to || to > lastSlot) throw new MalformedBytes('slots that are none', reader.offset - 4);
    slots.push({ from, to });
  }
  return slots;
}

function writeTexts(out: ByteWriter, texts: readonly string[]): void {
  out.u16(texts.length);
  for (const text of texts) writeText(out, text);
}

function readTexts(from: ByteReader): string[] {
  const texts: string[] = [];
  for (let left = from.u16(); left > 0; left--) texts.push(readText(from));
  return texts;
}

function writePosition(out: ByteWriter, position: Position): void {
  out.u64(position.term);
  out.u64(position.lsn);
}

function readPosition(from: ByteReader): Position {
  return { term: from.u64(), lsn: from.u64() };
}

function writeFlag(out: ByteWriter, flag: boolean): void {
  out.u8(flag ? 1 : 0);
}

function readNodes(from: ByteReader): string[] {
  const count = from.u16();
  const nodes: string[] = [];
  for (let i = 0; i < count; i++) nodes.push(from.bytes());
  return nodes;
}

function readFlag(from: ByteReader): boolean {
  const value = from.u8();
  if (value > 1) throw new MalformedBytes('a flag that is neither 0 nor 1', from.offset - 1);
  return value === 1;
}

function readFinite(from: ByteReader): number {
  const value = from.f64();
  if (!Number.isFinite(value)) throw new MalformedBytes('a number that is not finite', from.offset - 8);
  return value;
}

/** Milliseconds since the epoch. The receiver takes the maximum of what it hears, so nonsense must not get in. */
function readWallMs(from: ByteReader): number {
  const value = readFinite(from);
  if (value < 0 || value > Number.MAX_SAFE_INTEGER)
    throw new MalformedBytes('an impossible time', from.offset - 8);
  return value;
}
