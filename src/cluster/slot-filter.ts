import type { Bytes } from '../bytes/types.ts';
import type { BitOperation } from '../state/bit-operations.ts';
import type { EffectSink } from '../state/effects.ts';
import { type SlotRange, slotOf, slotsIn } from '../state/slot.ts';

/** Passes on the effects on keys of some slots. Keys of one effect are always in the same slot. */
export class SlotFilter implements EffectSink {
  /** Effects that passed. */
  passed = 0;
  readonly #ranges: readonly SlotRange[];
  readonly #slots: ReadonlySet<number>;
  readonly #out: EffectSink;

  constructor(ranges: readonly SlotRange[], out: EffectSink) {
    this.#ranges = ranges;
    this.#slots = new Set(slotsIn(ranges));
    this.#out = out;
  }

  #has(key: Bytes): boolean {
    if (!this.#slots.has(slotOf(key))) return false;
    this.passed += 1;
    return true;
  }

  putString(key: Bytes, value: Bytes, expiresAt: number): void {
    if (this.#has(key)) this.#out.putString(key, value, expiresAt);
  }

  appendString(key: Bytes, suffix: Bytes): void {
    if (this.#has(key)) this.#out.appendString(key, suffix);
  }

  setRange(key: Bytes, offset: number, value: Bytes): void {
    if (this.#has(key)) this.#out.setRange(key, offset, value);
  }

  combineBits(operation: BitOperation, target: Bytes, sources: readonly Bytes[]): void {
    if (this.#has(target)) this.#out.combineBits(operation, target, sources);
  }

  remove(key: Bytes): void {
    if (this.#has(key)) this.#out.remove(key);
  }

  setExpiry(key: Bytes, expiresAt: number): void {
    if (this.#has(key)) this.#out.setExpiry(key, expiresAt);
  }

  rename(from: Bytes, to: Bytes): void {
    if (this.#has(from)) this.#out.rename(from, to);
  }

  copy(from: Bytes, to: Bytes): void {
    if (this.#has(from)) this.#out.copy(from, to);
  }

  /** All keys of the shard went, those of these slots among them. */
  clear(): void {
    this.passed += 1;
    const nothing = { began: 0, other: 0, term: 0, count: 0 };
    this.#out.changeSlots({ kind: 'empty', ...nothing, slots: this.#ranges });
  }

  hashSet(key: Bytes, field: Bytes, value: Bytes): void {
    if (this.#has(key)) this.#out.hashSet(key, field, value);
  }

  hashRemove(key: Bytes, field: Bytes): void {
    if (this.#has(key)) this.#out.hashRemove(key, field);
  }

  setAdd(key: Bytes, member: Bytes): void {
    if (this.#has(key)) this.#out.setAdd(key, member);
  }

  setRemove(key: Bytes, member: Bytes): void {
    if (this.#has(key)) this.#out.setRemove(key, member);
  }

  sortedSetPut(key: Bytes, member: Bytes, score: number): void {
    if (this.#has(key)) this.#out.sortedSetPut(key, member, score);
  }

  sortedSetRemove(key: Bytes, member: Bytes): void {
    if (this.#has(key)) this.#out.sortedSetRemove(key, member);
  }

  sortedSetRemoveRange(key: Bytes, index: number, count: number): void {
    if (this.#has(key)) this.#out.sortedSetRemoveRange(key, index, count);
  }

  listInsert(key: Bytes, index: number, item: Bytes): void {
    if (this.#has(key)) this.#out.listInsert(key, index, item);
  }

  listAppend(key: Bytes, item: Bytes): void {
    if (this.#has(key)) this.#out.listAppend(key, item);
  }

  listSet(key: Bytes, index: number, item: Bytes): void {
    if (this.#has(key)) this.#out.listSet(key, index, item);
  }

  listRemove(key: Bytes, index: number, count: number): void {
    if (this.#has(key)) this.#out.listRemove(key, index, count);
  }

  /** A matter of the shard that these effects come from. */
  changeSlots(): void {}

  /** Slots of another move: they cannot be these. */
  loadPieces(): void {}
}
