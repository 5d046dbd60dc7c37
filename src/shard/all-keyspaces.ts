import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import type { Entry } from '../state/entry.ts';
import { slotOf } from '../state/slot.ts';
import type { KeyspaceView } from '../state/types.ts';

/** Several shards' keys as one: what a command without keys sees on a node with several shards. */
export class AllKeyspaces implements KeyspaceView {
  readonly #views: readonly KeyspaceView[];

  constructor(views: readonly KeyspaceView[]) {
    this.#views = views;
  }

  get size(): number {
    let size = 0;
    for (const view of this.#views) size += view.size;
    return size;
  }

  get expiring(): number {
    let expiring = 0;
    for (const view of this.#views) expiring += view.expiring;
    return expiring;
  }

  peek(key: Bytes): Entry | undefined {
    const slot = slotOf(key);
    return this.#views.find((view) => view.countInSlot(slot) > 0)?.peek(key);
  }

  *keys(): IterableIterator<Bytes> {
    for (const view of this.#views) yield* view.keys();
  }

  /** Each key of all shards with the chance that it has in its own, weighted by how many that shard has. */
  randomKey(random: Random): Bytes | undefined {
    const { size } = this;
    if (size === 0) return undefined;
    let left = random.below(size);
    for (const view of this.#views) {
      if (left < view.size) return view.randomKey(random);
      left -= view.size;
    }
    return undefined;
  }

  /** A cursor says which shard and where in it; the shards come one after the other. */
  scan(cursor: number, count: number, visit: (key: Bytes, entry: Entry) => void): number {
    const shards = this.#views.length;
    let at = cursor % shards;
    let inner = Math.floor(cursor / shards);
    let visited = 0;
    for (;;) {
      inner = (this.#views[at] as KeyspaceView).scan(inner, count - visited, (key, entry) => {
        visited += 1;
        visit(key, entry);
      });
      if (inner !== 0) return inner * shards + at;
      at += 1;
      if (at === shards) return 0;
      if (visited >= count) return at;
    }
  }

  countInSlot(slot: number): number {
    let count = 0;
    for (const view of this.#views) count += view.countInSlot(slot);
    return count;
  }

  keysInSlot(slot: number, limit: number): Bytes[] {
    return this.#views.flatMap((view) => view.keysInSlot(slot, limit)).slice(0, limit);
  }
}
