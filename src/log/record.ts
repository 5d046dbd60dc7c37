import { ByteReader, MalformedBytes } from '../bytes/byte-reader.ts';
import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { Doubt, HardState, LogPosition } from './types.ts';

/** A membership and the LSN from which it is in force. */
export interface MembershipAt {
  readonly lsn: number;
  readonly bytes: Buffer;
}

/** What the stream of records says of one shard, so far. */
export interface ShardState {
  readonly hardState: HardState | null;
  readonly base: LogPosition;
  readonly last: LogPosition;
  readonly checkpoint: LogPosition;
  /** The membership at the checkpoint; null before the first. */
  readonly checkpointMembership: Buffer | null;
  readonly doubt: Doubt | null;
}

/** A batch stands behind the table; `previousTerm` is the term of the entry before it, so that a gap cannot hide. */
export interface BatchRecord {
  readonly kind: 'batch';
  readonly shard: number;
  readonly term: number;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly previousTerm: number;
  /** Bytes of the batch. */
  readonly length: number;
}

export interface StateRecord {
  readonly kind: 'state';
  readonly shard: number;
  readonly state: ShardState;
  /** Memberships up to `state.last` that a cut or an older base may call back, oldest first. */
  readonly memberships: readonly MembershipAt[];
}

export type LogRecord =
  | BatchRecord
  | StateRecord
  | { readonly kind: 'hardState'; readonly shard: number; readonly hardState: HardState }
  | { readonly kind: 'cut'; readonly shard: number; readonly end: LogPosition }
  /** `last` is where the shard's log ended after the reset; beyond `base` only when a suffix was kept. */
  | { readonly kind: 'reset'; readonly shard: number; readonly base: LogPosition; readonly last: LogPosition }
  | {
      readonly kind: 'checkpointed';
      readonly shard: number;
      readonly position: LogPosition;
      readonly membership: Buffer;
    }
  | { readonly kind: 'doubt'; readonly shard: number; readonly doubt: Doubt }
  | { readonly kind: 'madeGood'; readonly shard: number };

const kindNumbers = {
  batch: 1,
  state: 2,
  hardState: 3,
  cut: 4,
  reset: 5,
  checkpointed: 6,
  madeGood: 7,
  doubt: 8,
} as const;

export function encodeRecord(out: ByteWriter, record: LogRecord): void {
  out.u8(kindNumbers[record.kind]);
  out.u32(record.shard);
  switch (record.kind) {
    case 'batch':
      out.u64(record.term);
      out.u64(record.firstLsn);
      out.u64(record.lastLsn);
      out.u64(record.previousTerm);
      out.u32(record.length);
      return;
    case 'state':
      encodeState(out, record);
      return;
    case 'hardState':
      encodeHardState(out, record.hardState);
      return;
    case 'cut':
      encodePosition(out, record.end);
      return;
    case 'reset':
      encodePosition(out, record.base);
      encodePosition(out, record.last);
      return;
    case 'checkpointed':
      encodePosition(out, record.position);
      encodeBlob(out, record.membership);
      return;
    case 'doubt':
      encodeDoubt(out, record.doubt);
      return;
    case 'madeGood':
      return;
  }
}

function encodePosition(out: ByteWriter, position: LogPosition): void {
  out.u64(position.term);
  out.u64(position.lsn);
}

function encodeBlob(out: ByteWriter, bytes: Buffer): void {
  out.u32(bytes.length);
  out.copy(bytes);
}

function encodeHardState(out: ByteWriter, hardState: HardState): void {
  out.u64(hardState.term);
  out.u8(hardState.vote === null ? 0 : 1);
  encodeBlob(out, Buffer.from(hardState.vote ?? '', 'utf8'));
}

function encodeState(out: ByteWriter, record: StateRecord): void {
  const { hardState, base, last, checkpoint, checkpointMembership, doubt } = record.state;
  out.u8((hardState === null ? 0 : 1) | (checkpointMembership === null ? 0 : 2) | (doubt === null ? 0 : 4));
  if (hardState !== null) encodeHardState(out, hardState);
  encodePosition(out, base);
  encodePosition(out, last);
  encodePosition(out, checkpoint);
  if (checkpointMembership !== null) encodeBlob(out, checkpointMembership);
  if (doubt !== null) encodeDoubt(out, doubt);
  out.u32(record.memberships.length);
  for (const membership of record.memberships) {
    out.u64(membership.lsn);
    encodeBlob(out, membership.bytes);
  }
}

function encodeDoubt(out: ByteWriter, doubt: Doubt): void {
  const known = doubt.mayHaveAcknowledged;
  out.u8((known === null ? 0 : 1) | (doubt.hardStateLost ? 2 : 0));
  if (known !== null) encodePosition(out, known);
  encodeBlob(out, Buffer.from(doubt.where, 'utf8'));
}

/** The records of a table; null when it is none, although its checksum is right (written by a later version). */
export function decodeTable(table: Buffer, count: number): LogRecord[] | null {
  const reader = new ByteReader(table);
  const records: LogRecord[] = [];
  try {
    for (let i = 0; i < count; i++) records.push(decodeRecord(reader));
  } catch (error) {
    if (error instanceof MalformedBytes) return null;
    throw error;
  }
  return records;
}

function decodeRecord(reader: ByteReader): LogRecord {
  const kind = reader.u8();
  const shard = reader.u32();
  switch (kind) {
    case kindNumbers.batch:
      return {
        kind: 'batch',
        shard,
        term: reader.u64(),
        firstLsn: reader.u64(),
        lastLsn: reader.u64(),
        previousTerm: reader.u64(),
        length: reader.u32(),
      };
    case kindNumbers.state:
      return decodeState(reader, shard);
    case kindNumbers.hardState:
      return { kind: 'hardState', shard, hardState: decodeHardState(reader) };
    case kindNumbers.cut:
      return { kind: 'cut', shard, end: decodePosition(reader) };
    case kindNumbers.reset:
      return { kind: 'reset', shard, base: decodePosition(reader), last: decodePosition(reader) };
    case kindNumbers.checkpointed:
      return {
        kind: 'checkpointed',
        shard,
        position: decodePosition(reader),
        membership: decodeBlob(reader),
      };
    case kindNumbers.doubt:
      return { kind: 'doubt', shard, doubt: decodeDoubt(reader) };
    case kindNumbers.madeGood:
      return { kind: 'madeGood', shard };
    default:
      throw new MalformedBytes(`a record of unknown kind ${kind}`, reader.offset);
  }
}

function decodePosition(reader: ByteReader): LogPosition {
  return { term: reader.u64(), lsn: reader.u64() };
}

/** A copy: tables are views of a buffer that is used again. */
function decodeBlob(reader: ByteReader): Buffer {
  return Buffer.from(reader.view(reader.u32()));
}

function decodeHardState(reader: ByteReader): HardState {
  const term = reader.u64();
  const voted = reader.u8() === 1;
  const vote = decodeBlob(reader).toString('utf8');
  return { term, vote: voted ? vote : null };
}

function decodeState(reader: ByteReader, shard: number): StateRecord {
  const flags = reader.u8();
  const hardState = (flags & 1) === 0 ? null : decodeHardState(reader);
  const base = decodePosition(reader);
  const last = decodePosition(reader);
  const checkpoint = decodePosition(reader);
  const checkpointMembership = (flags & 2) === 0 ? null : decodeBlob(reader);
  const doubt = (flags & 4) === 0 ? null : decodeDoubt(reader);
  const memberships: MembershipAt[] = [];
  for (let count = reader.u32(); count > 0; count--) {
    memberships.push({ lsn: reader.u64(), bytes: decodeBlob(reader) });
  }
  return {
    kind: 'state',
    shard,
    state: { hardState, base, last, checkpoint, checkpointMembership, doubt },
    memberships,
  };
}

function decodeDoubt(reader: ByteReader): Doubt {
  const flags = reader.u8();
  const mayHaveAcknowledged = (flags & 1) === 0 ? null : decodePosition(reader);
  return {
    mayHaveAcknowledged,
    hardStateLost: (flags & 2) !== 0,
    where: decodeBlob(reader).toString('utf8'),
  };
}
