import type { Bytes } from '../bytes/types.ts';
import type { BatchBuilder } from '../log/batch.ts';
import type { BitOperation } from '../state/bit-operations.ts';
import { EffectEncoder } from '../state/effect-codec.ts';
import type { EffectSink } from '../state/effects.ts';
import type { Keyspace } from '../state/keyspace.ts';
import { slotOf, slotsIn } from '../state/slot.ts';
import { type SlotChange, slotPhase } from '../state/slot-fences.ts';
import type { ReadyKeys } from './blocked-clients.ts';

/** Told of keys as they change, so that watching transactions notice. */
export interface WatchList {
  /** True when any key is watched. */
  readonly active: boolean;
  changed(key: Bytes): void;
  /** All keys go: those that exist change. */
  allRemoved(exists: (key: Bytes) => boolean): void;
}

/**
 * Where a leader's commands put their effects: into the open entry of the log and, in the same step, into the state.
 * The entry begins with the first effect, so a command that changes nothing logs nothing.
 */
export class LeaderEffects implements EffectSink {
  /** True between the first effect and `close`. */
  opened = false;
  readonly #encoder: EffectEncoder;
  readonly #keyspace: Keyspace;
  readonly #watches: WatchList;
  readonly #blocked: ReadyKeys;
  readonly #open: () => void;

  /** @param open begins the entry and sets the keyspace's write LSN */
  constructor(
    builder: BatchBuilder,
    keyspace: Keyspace,
    watches: WatchList,
    blocked: ReadyKeys,
    open: () => void,
  ) {
    this.#encoder = new EffectEncoder(builder.payload);
    this.#keyspace = keyspace;
    this.#watches = watches;
    this.#blocked = blocked;
    this.#open = open;
  }

  #begin(key: Bytes): void {
    if (this.#keyspace.fences.active) this.#checkFence(key);
    this.#openOnce();
    if (this.#watches.active) this.#watches.changed(key);
  }

  /** What is frozen was promised to another shard as it is: to change it would lose what is written from here on. */
  #checkFence(key: Bytes): void {
    const phase = this.#keyspace.fences.phaseOf(slotOf(key));
    if (phase === slotPhase.frozen || phase === slotPhase.imported)
      throw new Error(`a key of slot ${slotOf(key)} is to change, which is being moved`);
  }

  #openOnce(): void {
    if (this.opened) return;
    this.opened = true;
    this.#open();
    this.#encoder.begin();
  }

  /** A key holds elements that somebody may wait for. */
  #filled(key: Bytes): void {
    if (this.#blocked.active) this.#blocked.ready(key);
  }

  putString(key: Bytes, value: Bytes, expiresAt: number): void {
    this.#begin(key);
    this.#encoder.putString(key, value, expiresAt);
    this.#keyspace.putString(key, value, expiresAt);
  }

  appendString(key: Bytes, suffix: Bytes): void {
    this.#begin(key);
    this.#encoder.appendString(key, suffix);
    this.#keyspace.appendString(key, suffix);
  }

  setRange(key: Bytes, offset: number, value: Bytes): void {
    this.#begin(key);
    this.#encoder.setRange(key, offset, value);
    this.#keyspace.setRange(key, offset, value);
  }

  combineBits(operation: BitOperation, target: Bytes, sources: readonly Bytes[]): void {
    this.#begin(target);
    this.#encoder.combineBits(operation, target, sources);
    this.#keyspace.combineBits(operation, target, sources);
  }

  remove(key: Bytes): void {
    this.#begin(key);
    this.#encoder.remove(key);
    this.#keyspace.remove(key);
  }

  setExpiry(key: Bytes, expiresAt: number): void {
    this.#begin(key);
    this.#encoder.setExpiry(key, expiresAt);
    this.#keyspace.setExpiry(key, expiresAt);
  }

  rename(from: Bytes, to: Bytes): void {
    this.#begin(from);
    if (this.#watches.active) this.#watches.changed(to);
    this.#encoder.rename(from, to);
    this.#keyspace.rename(from, to);
    this.#filled(to);
  }

  copy(from: Bytes, to: Bytes): void {
    this.#begin(to);
    this.#encoder.copy(from, to);
    this.#keyspace.copy(from, to);
    this.#filled(to);
  }

  clear(): void {
    this.#openOnce();
    if (this.#watches.active) this.#watches.allRemoved((key) => this.#keyspace.peek(key) !== undefined);
    this.#encoder.clear();
    this.#keyspace.clear();
  }

  hashSet(key: Bytes, field: Bytes, value: Bytes): void {
    this.#begin(key);
    this.#encoder.hashSet(key, field, value);
    this.#keyspace.hashSet(key, field, value);
  }

  hashRemove(key: Bytes, field: Bytes): void {
    this.#begin(key);
    this.#encoder.hashRemove(key, field);
    this.#keyspace.hashRemove(key, field);
  }

  setAdd(key: Bytes, member: Bytes): void {
    this.#begin(key);
    this.#encoder.setAdd(key, member);
    this.#keyspace.setAdd(key, member);
  }

  setRemove(key: Bytes, member: Bytes): void {
    this.#begin(key);
    this.#encoder.setRemove(key, member);
    this.#keyspace.setRemove(key, member);
  }

  sortedSetPut(key: Bytes, member: Bytes, score: number): void {
    this.#begin(key);
    this.#encoder.sortedSetPut(key, member, score);
    this.#keyspace.sortedSetPut(key, member, score);
    this.#filled(key);
  }

  sortedSetRemove(key: Bytes, member: Bytes): void {
    this.#begin(key);
    this.#encoder.sortedSetRemove(key, member);
    this.#keyspace.sortedSetRemove(key, member);
  }

  sortedSetRemoveRange(key: Bytes, index: number, count: number): void {
    this.#begin(key);
    this.#encoder.sortedSetRemoveRange(key, index, count);
    this.#keyspace.sortedSetRemoveRange(key, index, count);
  }

  listInsert(key: Bytes, index: number, item: Bytes): void {
    this.#begin(key);
    this.#encoder.listInsert(key, index, item);
    this.#keyspace.listInsert(key, index, item);
    this.#filled(key);
  }

  listAppend(key: Bytes, item: Bytes): void {
    this.#begin(key);
    this.#encoder.listAppend(key, item);
    this.#keyspace.listAppend(key, item);
    this.#filled(key);
  }

  listSet(key: Bytes, index: number, item: Bytes): void {
    this.#begin(key);
    this.#encoder.listSet(key, index, item);
    this.#keyspace.listSet(key, index, item);
  }

  listRemove(key: Bytes, index: number, count: number): void {
    this.#begin(key);
    this.#encoder.listRemove(key, index, count);
    this.#keyspace.listRemove(key, index, count);
  }

  changeSlots(change: SlotChange): void {
    this.#openOnce();
    if (this.#watches.active && change.kind === 'surrender') {
      const mark = this.#keyspace.fences.marks.get(change.began);
      const slots = new Set(slotsIn(mark?.slots ?? change.slots));
      this.#watches.allRemoved((key) => slots.has(slotOf(key)));
    }
    this.#encoder.changeSlots(change);
    this.#keyspace.changeSlots(change);
  }

  loadPieces(pieces: Uint8Array): void {
    this.#openOnce();
    this.#encoder.loadPieces(pieces);
    this.#keyspace.loadPieces(pieces);
  }
}
