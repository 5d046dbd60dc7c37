import type { Bytes } from '../bytes/types.ts';
import type { Entry } from './entry.ts';
import { slotCount } from './slot.ts';

/** Goes around all keys for ever, a step at a time, whatever changes meanwhile: every key comes up once a round. */
export class KeyWalk {
  #slot = 0;
  #inSlot: IterableIterator<[Bytes, Entry]> | null = null;

  reset(): void {
    this.#inSlot = null;
  }

  /** The next key; undefined when there is none. */
  next(slots: readonly (Map<Bytes, Entry> | undefined)[]): [Bytes, Entry] | undefined {
    // Twice the number of slots: at worst it begins and ends in the same one.
    for (let moves = 0; moves <= 2 * slotCount; moves++) {
      const step = this.#inSlot?.next();
      if (step !== undefined && step.done !== true) return step.value;
      if (step !== undefined) this.#slot = (this.#slot + 1) % slotCount;
      this.#inSlot = slots[this.#slot]?.[Symbol.iterator]() ?? null;
      if (this.#inSlot === null) this.#slot = (this.#slot + 1) % slotCount;
    }
    return undefined;
  }
}
