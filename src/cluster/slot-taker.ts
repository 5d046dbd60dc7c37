import type { NodeId, SlotCopied, SlotCopy } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { Replica } from '../shard/replica.ts';
import { decodeEffects } from '../state/effect-codec.ts';
import { type SlotRange, slotsCounted, slotsIn } from '../state/slot.ts';
import type { MoveMark, SlotChange } from '../state/slot-fences.ts';
import type { Metadata } from './metadata.ts';
import { outcomeFor } from './slot-moves.ts';

/** Keys of slots that are gone which one tick deletes. */
const sweptAtOnce = 1000;
/** How often the metadata is asked to finish a move. */
const askMs = 50;

export interface TakerParts {
  readonly logger: Logger;
  send(to: NodeId, shard: number, message: SlotCopied): void;
  /** Asks the metadata to let the move be done. */
  finish(began: number): void;
  /** Clients may be served now, or go elsewhere. */
  slotsChanged(): void;
}

/** Where the steps of one copy come from, and those that are not committed here yet. */
interface Arriving {
  from: NodeId;
  shard: number;
  steps: { readonly sequence: number; readonly lsn: number }[];
  owed: boolean;
}

/** On the leader of a shard: takes slots in that come from another one, and deletes what is left of those that went. */
export class SlotTaker {
  readonly #replica: Replica;
  readonly #parts: TakerParts;
  readonly #arriving = new Map<number, Arriving>();
  /** Where the log was when a copy was first seen to be complete: it is there once that is committed. */
  readonly #completeLsn = new Map<number, number>();
  #askedMs = Number.NEGATIVE_INFINITY;
  #sweptVersion = -1;

  constructor(replica: Replica, parts: TakerParts) {
    this.#replica = replica;
    this.#parts = parts;
  }

  /** True while steps of a copy are awaited or told of. */
  get busy(): boolean {
    return this.#arriving.size > 0;
  }

  look(metadata: Metadata, now: number): void {
    const { fences } = this.#replica.keyspace;
    if (!fences.active) return;
    for (const mark of fences.marks.values()) if (!mark.gives) this.#decide(mark, metadata, now);
    if (fences.version !== this.#sweptVersion) this.#sweep();
  }

  #decide(mark: MoveMark, metadata: Metadata, now: number): void {
    const { shard, core, lastLsn, keyspace } = this.#replica;
    const { began, slots } = mark;
    const outcome = outcomeFor(metadata, shard, mark, () => 0);
    if (outcome === 'moved' || outcome === 'cancelled') {
      this.#arriving.delete(began);
      this.#completeLsn.delete(began);
      this.#log({ kind: outcome === 'moved' ? 'adopt' : 'drop', began });
      if (keyspace.fences.marks.has(began)) return;
      this.#parts.logger.info({ shard, move: began, slots: slotsCounted(slots) }, `slots ${outcome}`);
      this.#parts.slotsChanged();
      return;
    }
    if (outcome === null || mark.lsn === 0) return;
    const completeLsn = this.#completeLsn.get(began) ?? lastLsn;
    this.#completeLsn.set(began, completeLsn);
    if (core.commit < completeLsn || now - this.#askedMs < askMs) return;
    this.#askedMs = now;
    this.#parts.finish(began);
  }

  #log(change: Partial<SlotChange> & Pick<SlotChange, 'kind' | 'began'>): void {
    this.#replica.write(`a move of slots (${change.kind})`, ({ effects }) =>
      effects.changeSlots({ other: 0, term: 0, count: 0, slots: [], ...change }),
    );
  }

  /** Deletes some of what is left; a slot with many keys goes key by key. */
  #sweep(): void {
    const { keyspace } = this.#replica;
    const { version } = keyspace.fences;
    const whole: SlotRange[] = [];
    let left = sweptAtOnce;
    for (const [slot, keys] of keyspace.leftBehind()) {
      if (left <= 0) break;
      if (keys.size <= left) whole.push({ from: slot, to: slot });
      else if (whole.length === 0) {
        const some = [...take(keys.keys(), left)];
        this.#replica.write('deleting keys of a slot that is gone', ({ effects }) => {
          for (const key of some) effects.remove(key);
        });
        return;
      }
      left -= keys.size;
    }
    if (whole.length > 0) this.#log({ kind: 'empty', began: 0, slots: whole });
    else this.#sweptVersion = version;
  }

  /** A step of a copy, by the metadata's word that there is such a move. */
  received(from: NodeId, message: SlotCopy, metadata: Metadata): void {
    const { shard, keyspace } = this.#replica;
    const { began, term, attempt, sequence } = message;
    const move = metadata.moves.get(began);
    if (move?.to !== shard || move.from !== message.from) return;
    const mark = keyspace.fences.marks.get(began);
    // Whatever is copied again, it could not be more.
    const complete = mark !== undefined && mark.lsn > 0;
    const older = mark !== undefined && (mark.term - term || mark.attempt - attempt) < 0;
    if (message.content === 'begin' && !complete && (mark === undefined || older))
      this.#begin(message, move.slots, mark);
    else if (mark === undefined || mark.term !== term || mark.attempt !== attempt) return;
    else if (!complete && sequence === mark.sequence + 1) this.#take(message);
    const reached = keyspace.fences.marks.get(began);
    if (reached === undefined || reached.term !== term || reached.attempt !== attempt) return;
    const arriving = this.#arriving.get(began) ?? { from, shard: message.from, steps: [], owed: true };
    this.#arriving.set(began, arriving);
    arriving.from = from;
    arriving.owed = true;
    if (arriving.steps.at(-1)?.sequence !== reached.sequence)
      arriving.steps.push({ sequence: reached.sequence, lsn: keyspace.appliedLsn });
  }

  #begin({ from, began, term, attempt }: SlotCopy, slots: readonly SlotRange[], older: MoveMark | undefined) {
    const { keyspace } = this.#replica;
    // What an earlier attempt left is deleted bit by bit; the beginning is repeated until then.
    if (older !== undefined) this.#log({ kind: 'drop', began });
    this.#arriving.delete(began);
    // They came by this move or a later one, which only this node's metadata does not know to be over.
    for (const slot of slotsIn(slots)) if (keyspace.fences.sinceOf(slot) >= began) return;
    for (const slot of slotsIn(slots)) if (keyspace.heldInSlot(slot) > 0) return;
    this.#replica.write('a copy of slots begins', ({ effects }) => {
      effects.changeSlots({ kind: 'import', began, other: from, term, count: attempt, slots });
      effects.changeSlots({ kind: 'progress', began, other: 0, term: 0, count: 1, slots: [] });
    });
  }

  #take({ began, sequence, content, bytes, lsn }: SlotCopy): void {
    if (content === 'end') this.#takeTime(bytes);
    this.#replica.write('slots come in', ({ effects }) => {
      if (content === 'pieces') effects.loadPieces(bytes);
      else if (content === 'effects') {
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
        decodeEffects(buffer, 0, buffer.length, effects);
      }
      effects.changeSlots({ kind: 'progress', began, other: 0, term: 0, count: sequence, slots: [] });
      if (content === 'end')
        effects.changeSlots({ kind: 'imported', began, other: 0, term: 0, count: lsn, slots: [] });
    });
  }

  /** Whatever clock this node has: what has expired where the slots were is expired here too. */
  #takeTime(bytes: Uint8Array): void {
    const { core } = this.#replica;
    const timeMs =
      bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true) : 0;
    if (timeMs > core.timeMs && timeMs <= Number.MAX_SAFE_INTEGER) core.timeMs = timeMs;
  }

  /** Tells who copies how far that is committed here. */
  turnEnded(): void {
    const { core } = this.#replica;
    for (const [began, arriving] of this.#arriving) {
      const reached = arriving.steps.filter(({ lsn }) => lsn <= core.commit).at(-1);
      if (reached === undefined) continue;
      const { steps } = arriving;
      if (steps[0] !== reached) {
        arriving.steps = steps.slice(steps.indexOf(reached));
        arriving.owed = true;
      }
      const mark = this.#replica.keyspace.fences.marks.get(began);
      if (!arriving.owed || mark === undefined) continue;
      arriving.owed = false;
      const { term: copyTerm, attempt } = mark;
      const { sequence } = reached;
      this.#parts.send(arriving.from, arriving.shard, {
        ...{ kind: 'slotCopied', term: core.term, began, copyTerm, attempt, sequence },
      });
    }
  }
}

function* take<T>(items: Iterable<T>, count: number): Generator<T, void, undefined> {
  let left = count;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}
