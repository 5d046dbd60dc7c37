import { ByteReader } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import type { HardState, LogPosition } from './types.ts';

/** What a segment repeats of each shard at its beginning, so that older segments can go. */
export interface ShardOpening {
  readonly hardState: HardState | null;
  /** Entries in older segments reach to here. */
  readonly last: LogPosition;
  readonly checkpoint: LogPosition;
  /** The membership in force, with the LSN of its entry; null before the first. */
  readonly membership: { readonly lsn: number; readonly bytes: Buffer } | null;
}

export function encodeHardState(hardState: HardState): Buffer {
  const out = new ByteWriter(64);
  out.u64(hardState.term);
  out.u8(hardState.vote === null ? 0 : 1);
  out.bytes(hardState.vote ?? '');
  return out.take();
}

export function decodeHardState(bytes: Buffer): HardState {
  const reader = new ByteReader(bytes);
  const term = reader.u64();
  const voted = reader.u8() === 1;
  const vote = reader.bytes();
  return { term, vote: voted ? vote : null };
}

export function encodeOpening(opening: ShardOpening): Buffer {
  const out = new ByteWriter(512);
  out.u8(opening.hardState === null ? 0 : 1);
  out.copy(encodeHardState(opening.hardState ?? { term: 0, vote: null }));
  for (const position of [opening.last, opening.checkpoint]) {
    out.u64(position.term);
    out.u64(position.lsn);
  }
  out.u8(opening.membership === null ? 0 : 1);
  out.u64(opening.membership?.lsn ?? 0);
  out.copy(opening.membership?.bytes ?? Buffer.alloc(0));
  return out.take();
}

export function decodeOpening(bytes: Buffer): ShardOpening {
  const reader = new ByteReader(bytes);
  const hasHardState = reader.u8() === 1;
  const term = reader.u64();
  const voted = reader.u8() === 1;
  const vote = reader.bytes();
  const last = { term: reader.u64(), lsn: reader.u64() };
  const checkpoint = { term: reader.u64(), lsn: reader.u64() };
  const hasMembership = reader.u8() === 1;
  const lsn = reader.u64();
  const membership = Buffer.from(reader.view(reader.remaining));
  return {
    hardState: hasHardState ? { term, vote: voted ? vote : null } : null,
    last,
    checkpoint,
    membership: hasMembership ? { lsn, bytes: membership } : null,
  };
}
