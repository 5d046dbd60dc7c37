import { ByteWriter } from '../bytes/byte-writer.ts';
import type { NodeId, SlotContent, SlotCopied, SlotCopy, SlotStep } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import { type Batch, entryKind } from '../log/batch.ts';
import type { NodeLog } from '../log/types.ts';
import type { Replica } from '../shard/replica.ts';
import { decodeEffects, EffectEncoder } from '../state/effect-codec.ts';
import { slotOf, slotsCounted, slotsIn } from '../state/slot.ts';
import type { MoveMark, SlotChange } from '../state/slot-fences.ts';
import type { CheckpointSlices } from '../state/types.ts';
import type { Metadata, SlotMove } from './metadata.ts';
import { SlotFilter } from './slot-filter.ts';
import { nextBatch, outcomeFor } from './slot-moves.ts';

/** Slots and keys of one batch. */
const mostOfBatch = { slots: 1024, keys: 100_000 };
/** Bytes of one step, about. */
const stepBytes = 64 << 10;
/** What may be on its way and not yet committed on the other side. */
const windowBytes = 2 << 20;
/** The slots are frozen when no more than this is missing there. */
const freezeBytes = 256 << 10;
/** Log looked through in one go. */
const lookBytes = 512 << 10;
/** What was not answered for so long is sent again. */
const repeatMs = 100;
/** How often the metadata is asked for the same. */
const askMs = 100;
/** Slots that are frozen for so long are given up, so that clients go on; and after that none are moved for as long. */
const patienceMs = 5000;

export interface GiverParts {
  readonly logger: Logger;
  readonly log: Pick<NodeLog, 'cached' | 'read'>;
  send(to: NodeId, shard: number, message: SlotCopy): void;
  /** Who leads a shard, as far as this node knows. */
  leaderOf(shard: number): NodeId | null;
  ask(step: Omit<SlotStep, 'kind' | 'term'>): void;
  /** Bytes of keys per second that a copy takes at most. */
  bytesPerSecond(): number;
  slotsChanged(): void;
}

/** One copy of the slots of a move, from its beginning: keys as they were at one LSN, then what was logged since. */
interface Copy {
  readonly began: number;
  readonly move: SlotMove;
  readonly term: number;
  readonly attempt: number;
  /** Null when all keys are on their way. */
  slices: CheckpointSlices | null;
  /** The log was looked through up to here. */
  followed: number;
  readonly filter: SlotFilter;
  readonly encoded: ByteWriter;
  readonly encoder: EffectEncoder;
  /** Not known to be committed on the other side. */
  unanswered: SlotCopy[];
  unansweredBytes: number;
  sequence: number;
  /** When the other side was last heard, or was sent everything again. */
  heardMs: number;
  /** The other side has committed its beginning. */
  answered: boolean;
  ended: boolean;
  reading: boolean;
}

/** How far a shard is with the slots that it gives away, as its leader sees it since it began. */
export interface GivingProgress {
  readonly slotsLeft: number;
  readonly slotsMoved: number;
  /** Clients of some slots wait for the decision. */
  readonly frozen: boolean;
  readonly bytesPerSecond: number;
  /** -1 while that cannot be told. */
  readonly secondsLeft: number;
}

/** On the leader of a shard: gives slots to another one that are to be there, a batch at a time. */
export class SlotGiver {
  /** Bytes of keys and effects that were sent. */
  sentBytes = 0;
  readonly #replica: Replica;
  readonly #parts: GiverParts;
  #copy: Copy | null = null;
  #attempts = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  #frozenSinceMs: number | null = null;
  #restUntilMs = 0;
  /** Where no slots were to go. */
  #nothingAt = { epoch: -1, version: -1 };
  /** Since when this leader gives slots away without a pause, and how much it has given since. */
  #begun: { readonly ms: number; slots: number; bytes: number } | null = null;
  /** Bytes of keys that may leave now. */
  #allowance = 0;
  #allowedMs = 0;

  constructor(replica: Replica, parts: GiverParts) {
    this.#replica = replica;
    this.#parts = parts;
  }

  get busy(): boolean {
    return this.#copy !== null;
  }

  look(metadata: Metadata, now: number): void {
    const { shard, keyspace } = this.#replica;
    let frozen: MoveMark | null = null;
    for (const mark of keyspace.fences.marks.values())
      if (mark.gives && !this.#decide(mark, metadata)) frozen = mark;
    const [began, move] = [...metadata.moves].find(([, { from }]) => from === shard) ?? [0, null];
    if (this.#copy !== null && this.#copy.began !== began) this.stop();
    if (move === null) {
      this.#frozenSinceMs = null;
      if (frozen === null) this.#askForNext(metadata, now);
      return;
    }
    this.#giveUpInTime(began, frozen, now);
    const { fences } = keyspace;
    for (const slot of slotsIn(move.slots))
      if (frozen === null && !fences.serves(slot, metadata.since[slot] as number)) return;
    if (this.#copy === null) this.#begin(began, move, now);
    this.#refill(now);
    this.pump(now);
  }

  /** True when the move is over for this shard. */
  #decide(mark: MoveMark, metadata: Metadata): boolean {
    const { shard, keyspace } = this.#replica;
    const { began, slots } = mark;
    const outcome = outcomeFor(metadata, shard, mark, (slot) => keyspace.fences.sinceOf(slot));
    if (outcome !== 'moved' && outcome !== 'cancelled') return false;
    if (this.#copy?.began === began) this.stop();
    this.#log({ kind: outcome === 'moved' ? 'surrender' : 'thaw', began });
    if (keyspace.fences.marks.has(began)) return false;
    this.#frozenSinceMs = null;
    if (outcome === 'moved' && this.#begun !== null) this.#begun.slots += slotsCounted(slots);
    this.#parts.logger.info({ shard, move: began, slots: slotsCounted(slots) }, `slots given: ${outcome}`);
    this.#parts.slotsChanged();
    return true;
  }

  #log(change: Partial<SlotChange> & Pick<SlotChange, 'kind' | 'began'>): void {
    this.#replica.write(`a move of slots (${change.kind})`, ({ effects }) =>
      effects.changeSlots({ other: 0, term: 0, count: 0, slots: [], ...change }),
    );
  }

  #askForNext(metadata: Metadata, now: number): void {
    const { shard, keyspace } = this.#replica;
    // As a rule nothing is to go: then nothing is looked at.
    const lookedAt = this.#nothingAt;
    if (lookedAt.epoch === metadata.epoch && lookedAt.version === keyspace.fences.version) return;
    if (now - this.#askedMs < askMs || now < this.#restUntilMs) return;
    const mayGo = (slot: number): boolean => keyspace.fences.serves(slot, metadata.since[slot] as number);
    const batch = nextBatch(metadata, shard, mayGo, (slot) => keyspace.countInSlot(slot), mostOfBatch);
    if (batch === null) {
      this.#nothingAt = { epoch: metadata.epoch, version: keyspace.fences.version };
      this.#begun = null;
      return;
    }
    if (this.#parts.leaderOf(batch.to) === null) return;
    this.#askedMs = now;
    this.#begun ??= { ms: now, slots: 0, bytes: 0 };
    this.#parts.ask({ step: 'begin', began: 0, ...batch });
  }

  #giveUpInTime(began: number, frozen: MoveMark | null, now: number): void {
    if (frozen === null) {
      this.#frozenSinceMs = null;
      return;
    }
    this.#frozenSinceMs ??= now;
    if (now - this.#frozenSinceMs < patienceMs || now - this.#askedMs < askMs) return;
    this.#askedMs = now;
    this.#restUntilMs = now + patienceMs;
    this.#parts.ask({ step: 'abandon', began, from: 0, to: 0, slots: [] });
  }

  #begin(began: number, move: SlotMove, now: number): void {
    const { keyspace, core, lastLsn, shard } = this.#replica;
    const encoded = new ByteWriter(stepBytes * 2);
    const encoder = new EffectEncoder(encoded);
    this.#attempts += 1;
    this.#begun ??= { ms: now, slots: 0, bytes: 0 };
    this.#copy = {
      ...{ began, move, term: core.term, attempt: this.#attempts },
      slices: keyspace.beginCopy(move.slots),
      followed: lastLsn,
      filter: new SlotFilter(move.slots, encoder),
      ...{ encoded, encoder },
      ...{ unanswered: [], unansweredBytes: 0, sequence: 0, heardMs: now },
      ...{ answered: false, ended: false, reading: false },
    };
    this.#push(this.#copy, 'begin', Buffer.alloc(0));
    this.#parts.logger.info(
      { shard, move: began, to: move.to, slots: slotsCounted(move.slots), attempt: this.#attempts },
      'slots are being moved',
    );
  }

  /** The copy is over, or begins anew when it is still wanted. */
  stop(): void {
    this.#copy?.slices?.abandon();
    this.#copy = null;
    this.#replica.keepLogFrom = Number.POSITIVE_INFINITY;
  }

  #refill(now: number): void {
    const rate = this.#parts.bytesPerSecond();
    const passed = Math.min(now - this.#allowedMs, 100);
    this.#allowedMs = now;
    this.#allowance = Math.min(this.#allowance + (rate * passed) / 1000, Math.max(rate / 10, stepBytes));
  }

  /** Sends what may be sent. */
  pump(now: number): void {
    const copy = this.#copy;
    if (copy === null) return;
    const { core, shard } = this.#replica;
    if (core.term !== copy.term) {
      this.stop();
      return;
    }
    this.#repeat(copy, now);
    while (copy.slices !== null && copy.unansweredBytes < windowBytes && this.#allowance > 0) {
      const slice = copy.slices.next(stepBytes);
      if (slice === null) copy.slices = null;
      else {
        this.#allowance -= slice.length;
        this.#push(copy, 'pieces', Buffer.from(slice));
      }
    }
    if (copy.slices === null) this.#follow(copy);
    this.#replica.keepLogFrom = copy.followed + 1;
    if (this.#copy !== copy || copy.slices !== null || copy.ended) return;
    const mark = this.#replica.keyspace.fences.marks.get(copy.began);
    if (mark === undefined) {
      // Until the other side has begun to take it in, it may have to delete an earlier copy first.
      const little = copy.answered && copy.unansweredBytes <= freezeBytes;
      if (little && copy.followed >= core.commit) this.#freeze(copy);
    } else if (core.commit >= mark.lsn && copy.followed >= mark.lsn) {
      copy.ended = true;
      this.#push(copy, 'end', timeBytes(core.timeMs), mark.lsn);
      this.#parts.logger.debug({ shard, move: copy.began, lsn: mark.lsn }, 'everything was sent');
    }
  }

  /** From here on nothing changes in these slots. */
  #freeze({ began, move }: Copy): void {
    const { blocked } = this.#replica;
    this.#log({ kind: 'freeze', began, other: move.to, slots: move.slots });
    const slots = new Set(slotsIn(move.slots));
    blocked.keysLeave((key) => slots.has(slotOf(key)));
  }

  /** What was committed since the keys were read. */
  #follow(copy: Copy): void {
    const { core, shard } = this.#replica;
    while (copy.followed < core.commit && copy.unansweredBytes < windowBytes && !copy.reading) {
      const { followed } = copy;
      const batches = this.#parts.log.cached(shard, followed + 1, lookBytes);
      if (batches === null) this.#read(copy);
      else this.#sendChanges(copy, batches);
      if (copy.followed === followed) return;
    }
  }

  #read(copy: Copy): void {
    copy.reading = true;
    const { shard } = this.#replica;
    this.#parts.log.read(shard, copy.followed + 1, lookBytes, (error, batches) => {
      copy.reading = false;
      if (this.#copy !== copy) return;
      if (error === null) this.#sendChanges(copy, batches);
      else {
        this.#parts.logger.warn({ shard, error: error.message }, 'a copy of slots begins anew');
        this.stop();
      }
    });
  }

  #sendChanges(copy: Copy, batches: readonly Batch[]): void {
    const { core } = this.#replica;
    const { encoded, filter, encoder } = copy;
    encoder.begin();
    for (const batch of batches) {
      const entry = batch.cursor();
      while (entry.next() && entry.lsn <= core.commit) {
        if (entry.kind === entryKind.effects) decodeEffects(batch.bytes, entry.start, entry.end, filter);
        copy.followed = entry.lsn;
        if (encoded.length < stepBytes) continue;
        this.#push(copy, 'effects', Buffer.from(encoded.take()));
        encoder.begin();
      }
    }
    if (encoded.length > 0) this.#push(copy, 'effects', Buffer.from(encoded.take()));
  }

  #push(copy: Copy, content: SlotContent, bytes: Buffer, lsn = 0): void {
    const { term, began, attempt, move } = copy;
    copy.sequence += 1;
    const { sequence } = copy;
    const step: SlotCopy = {
      ...{ kind: 'slotCopy', term, from: move.from, began, attempt, sequence, content, lsn, bytes },
    };
    copy.unanswered.push(step);
    copy.unansweredBytes += bytes.length;
    this.sentBytes += bytes.length;
    if (this.#begun !== null) this.#begun.bytes += bytes.length;
    this.#send(copy, step);
  }

  #send({ move }: Copy, step: SlotCopy): void {
    const leader = this.#parts.leaderOf(move.to);
    if (leader !== null) this.#parts.send(leader, move.to, step);
  }

  #repeat(copy: Copy, now: number): void {
    if (copy.unanswered.length === 0 || now - copy.heardMs < repeatMs) return;
    copy.heardMs = now;
    for (const step of copy.unanswered) this.#send(copy, step);
  }

  /** The other side has come so far. */
  answered({ began, copyTerm, attempt, sequence }: SlotCopied, now: number): void {
    const copy = this.#copy;
    if (copy === null || copy.began !== began || copy.term !== copyTerm || copy.attempt !== attempt) return;
    const left = copy.unanswered.filter((step) => step.sequence > sequence);
    if (left.length < copy.unanswered.length) copy.heardMs = now;
    copy.answered = true;
    copy.unanswered = left;
    copy.unansweredBytes = left.reduce((bytes, step) => bytes + step.bytes.length, 0);
    this.pump(now);
  }

  /** Null while nothing is to go. */
  progress({ owners, wanted }: Metadata, now: number): GivingProgress | null {
    const begun = this.#begun;
    if (begun === null) return null;
    const { shard, keyspace } = this.#replica;
    const left = owners.reduce(
      (sum, owner, slot) => sum + (owner === shard && wanted[slot] !== shard ? 1 : 0),
      0,
    );
    const seconds = Math.max((now - begun.ms) / 1000, 0.001);
    return {
      slotsLeft: left,
      slotsMoved: begun.slots,
      frozen: keyspace.fences.freezing,
      bytesPerSecond: Math.round(begun.bytes / seconds),
      secondsLeft: begun.slots === 0 ? -1 : Math.ceil((left * seconds) / begun.slots),
    };
  }
}

/** What has expired by the time of this shard must not come back in the other one. */
function timeBytes(timeMs: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(timeMs);
  return bytes;
}
