import { crc32 } from 'node:zlib';
import type { Disk } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { step } from '../env/task.ts';
import type { Batch } from './batch.ts';
import { batchHoldsMembership } from './batch.ts';
import { decodeHardState, decodeOpening, encodeHardState } from './opening.ts';
import { comparePositions } from './positions.ts';
import { recordKind } from './record.ts';
import type { Found, FoundDamage, FoundRecord } from './scan.ts';
import { scanSegment } from './scan.ts';
import { checkSegmentHeader, readFile, segmentName, segmentNumber } from './segments.ts';
import { ShardLog } from './shard-log.ts';
import type { LogPosition, RecoveredShard } from './types.ts';

/** What is suspect about a shard until its log reaches beyond it again. */
interface Doubt {
  claimed: LogPosition | null;
  hardStateLost: boolean;
  where: string;
}

interface Shard {
  readonly log: ShardLog;
  readonly terms: LogPosition[];
  doubt: Doubt | null;
}

export interface Recovery {
  readonly shards: Map<number, { readonly log: ShardLog; readonly recovered: RecoveredShard }>;
  /** Numbers of the segment files, ascending. */
  readonly segments: readonly number[];
  /** Things that an operator should know and that did no harm. */
  readonly notes: readonly string[];
}

/** Reads the whole log back. Nothing is written. */
export function* recoverLog(disk: Disk, directory: string): Task<Recovery> {
  const names = yield* step<string[]>((done) => disk.list(directory, done));
  const segments = names.map(segmentNumber).filter((number): number is number => number !== null);
  const reader = new Reader();
  for (const [i, number] of segments.entries()) {
    const path = `${directory}/${segmentName(number)}`;
    const bytes = yield* readFile(disk, path);
    const note = checkSegmentHeader(bytes, number, path);
    if (note !== null) reader.notes.push(note);
    reader.segment(path, number, scanSegment(bytes, number), i);
  }
  return { shards: reader.finish(), segments, notes: reader.notes };
}

class Reader {
  readonly notes: string[] = [];
  readonly #shards = new Map<number, Shard>();
  /** Damage with nothing valid behind it yet. */
  #open: { damage: FoundDamage; where: string }[] = [];

  segment(path: string, number: number, found: readonly Found[], index: number): void {
    for (const item of found) {
      if (item.kind === 'damage') {
        this.#open.push({ damage: item, where: `${path} at offset ${item.offset}` });
        continue;
      }
      // Something valid follows: so the damage before it is no torn end.
      this.#settle(false);
      this.#record(item, number, index);
    }
  }

  finish(): Map<number, { log: ShardLog; recovered: RecoveredShard }> {
    this.#settle(true);
    const result = new Map<number, { log: ShardLog; recovered: RecoveredShard }>();
    for (const [id, shard] of this.#shards) {
      shard.log.allWritten();
      result.set(id, { log: shard.log, recovered: this.#describe(id, shard) });
    }
    return result;
  }

  #shard(id: number): Shard {
    let shard = this.#shards.get(id);
    if (shard === undefined) {
      shard = { log: new ShardLog(id), terms: [], doubt: null };
      this.#shards.set(id, shard);
    }
    return shard;
  }

  /** Decides what unreadable bytes mean, now that it is known whether anything valid follows them. */
  #settle(atEnd: boolean): void {
    const open = this.#open;
    if (open.length === 0) return;
    this.#open = [];
    if (atEnd && open.every((item) => item.damage.looksTorn)) {
      this.notes.push(`${open[0]?.where}: the last write was never finished; it had not been acknowledged`);
      return;
    }
    for (const { damage, where } of open) {
      this.notes.push(`${where}: damaged bytes`);
      this.#suspectWhat(damage, where, atEnd);
    }
  }

  #suspectWhat(damage: FoundDamage, where: string, atEnd: boolean): void {
    const { header } = damage;
    if (header === null) {
      // Whose these bytes were is unknown. When nothing follows, they may have held anything.
      for (const shard of this.#shards.values()) suspect(shard, where, atEnd ? null : shard.log.last, true);
      return;
    }
    const shard = this.#shard(header.shard);
    const { log } = shard;
    const known = log.last.lsn > 0 || log.base.lsn > 0 || log.hardState !== null;
    if (header.kind === recordKind.batch || header.kind === recordKind.reset) {
      suspect(shard, where, { term: header.term, lsn: header.lastLsn }, false);
    } else if (header.kind === recordKind.hardState) {
      // The other copy serves, when it came first; when it comes later it clears this.
      const sameAsKnown =
        log.hardState !== null && crc32(encodeHardState(log.hardState)) === header.payloadCrc;
      if (!sameAsKnown) suspect(shard, where, log.last, true);
    } else if (header.kind === recordKind.opening && !known) {
      suspect(shard, where, null, true);
    }
    // A cut is made good by what was written behind it, a checkpoint by its own file, an opening by older segments.
  }

  #record(found: FoundRecord, segment: number, segmentIndex: number): void {
    const { header } = found;
    const shard = this.#shard(header.shard);
    const log = shard.log;
    const position = { term: header.term, lsn: header.lastLsn };
    switch (header.kind) {
      case recordKind.batch:
        this.#batch(shard, found.batch as Batch, segment, found.offset);
        return;
      case recordKind.hardState: {
        log.hardState = decodeHardState(found.payload);
        if (shard.doubt !== null) shard.doubt.hardStateLost = false;
        return;
      }
      case recordKind.cut:
        if (position.lsn >= log.base.lsn && position.lsn <= log.last.lsn) {
          log.cut(position);
          while (
            shard.terms.length > 0 &&
            (shard.terms[shard.terms.length - 1] as LogPosition).lsn > position.lsn
          )
            shard.terms.pop();
        }
        return;
      case recordKind.reset:
        log.reset(position, header.firstLsn === 1);
        dropTerms(shard, position.lsn, header.firstLsn === 1);
        return;
      case recordKind.checkpoint:
        log.checkpoint = position;
        if (found.payload.length > 0 && log.memberships.length === 0) {
          log.memberships.push({ lsn: position.lsn, bytes: Buffer.from(found.payload) });
        }
        return;
      case recordKind.opening:
        this.#opening(shard, found, segmentIndex);
        return;
      case recordKind.madeGood:
        shard.doubt = null;
        return;
    }
  }

  #opening(shard: Shard, found: FoundRecord, segmentIndex: number): void {
    const opening = decodeOpening(found.payload);
    const log = shard.log;
    log.hardState = opening.hardState;
    log.checkpoint = opening.checkpoint;
    if (shard.doubt !== null) shard.doubt.hardStateLost = false;
    const known = log.last.lsn > 0 || log.base.lsn > 0;
    if (segmentIndex === 0 || !known) {
      log.base = opening.last;
      log.last = opening.last;
      log.memberships = opening.membership === null ? [] : [opening.membership];
    } else if (comparePositions(opening.last, log.last) > 0) {
      suspect(shard, 'an earlier segment', opening.last, false);
    }
  }

  #batch(shard: Shard, batch: Batch, segment: number, offset: number): void {
    const log = shard.log;
    if (batch.lastLsn <= log.base.lsn) return;
    if (batch.firstLsn > log.last.lsn + 1) {
      // A gap: what lies in it was unreadable. It may have been acknowledged, and so may this batch.
      suspect(
        shard,
        shard.doubt?.where ?? `segment ${segment} at offset ${offset}`,
        { term: batch.term, lsn: batch.lastLsn },
        false,
      );
      return;
    }
    if (batch.firstLsn <= log.last.lsn) {
      // Written again after damage was made good: what is there already stays, what differs is replaced.
      const end = batch.firstLsn - 1;
      log.cut({ term: termAt(shard, end), lsn: end });
      while (shard.terms.length > 0 && (shard.terms[shard.terms.length - 1] as LogPosition).lsn > end)
        shard.terms.pop();
    }
    const lastRun = shard.terms[shard.terms.length - 1];
    if (lastRun === undefined || lastRun.term !== batch.term) {
      shard.terms.push({ term: batch.term, lsn: batch.firstLsn });
    }
    log.addLocation(batch.firstLsn, batch.lastLsn, segment, offset, batch.bytes.length);
    log.last = { term: batch.term, lsn: batch.lastLsn };
    if ((batch.flags & batchHoldsMembership) !== 0) {
      for (const entry of batch.entries()) {
        log.memberships.push({
          lsn: entry.lsn,
          bytes: Buffer.from(batch.bytes.subarray(entry.start, entry.end)),
        });
      }
    }
  }

  #describe(id: number, shard: Shard): RecoveredShard {
    const { log } = shard;
    let doubt = shard.doubt;
    // What is suspect and has been written again, or lies below a checkpoint, is made good.
    if (doubt !== null && doubt.claimed !== null && !doubt.hardStateLost) {
      const held = comparePositions(log.last, log.checkpoint) > 0 ? log.last : log.checkpoint;
      if (comparePositions(doubt.claimed, held) <= 0 && doubt.claimed.lsn <= held.lsn) doubt = null;
    }
    return {
      shard: id,
      hardState: log.hardState,
      base: log.base,
      last: log.last,
      terms: shard.terms,
      checkpoint: log.checkpoint,
      memberships: log.memberships,
      damage:
        doubt === null
          ? null
          : { mayHaveAcknowledged: doubt.claimed, hardStateLost: doubt.hardStateLost, where: doubt.where },
    };
  }
}

function suspect(shard: Shard, where: string, claimed: LogPosition | null, hardStateLost: boolean): void {
  const doubt = shard.doubt;
  if (doubt === null) {
    shard.doubt = { claimed, hardStateLost, where };
    return;
  }
  doubt.hardStateLost ||= hardStateLost;
  if (claimed === null || doubt.claimed === null) doubt.claimed = null;
  else if (comparePositions(claimed, doubt.claimed) > 0) doubt.claimed = claimed;
}

function termAt(shard: Shard, lsn: number): number {
  for (let i = shard.terms.length - 1; i >= 0; i--) {
    const run = shard.terms[i] as LogPosition;
    if (run.lsn <= lsn) return run.term;
  }
  return shard.log.base.term;
}

function dropTerms(shard: Shard, lsn: number, keepSuffix: boolean): void {
  if (!keepSuffix) {
    shard.terms.length = 0;
    return;
  }
  while (shard.terms.length > 1 && (shard.terms[1] as LogPosition).lsn <= lsn + 1) shard.terms.shift();
  const first = shard.terms[0];
  if (first === undefined) return;
  if (shard.log.last.lsn <= lsn) shard.terms.length = 0;
  else if (first.lsn <= lsn) shard.terms[0] = { term: first.term, lsn: lsn + 1 };
}
