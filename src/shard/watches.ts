import type { Bytes } from '../bytes/types.ts';
import type { WatchList } from './leader-effects.ts';

/** A transaction that was begun with WATCH. */
export interface Watcher {
  watchedKeyChanged(): void;
}

/** Which keys of a shard are watched, and by whom. */
export class Watches implements WatchList {
  readonly #watchers = new Map<Bytes, Set<Watcher>>();

  get active(): boolean {
    return this.#watchers.size > 0;
  }

  add(key: Bytes, watcher: Watcher): void {
    let watchers = this.#watchers.get(key);
    if (watchers === undefined) {
      watchers = new Set();
      this.#watchers.set(key, watchers);
    }
    watchers.add(watcher);
  }

  remove(key: Bytes, watcher: Watcher): void {
    const watchers = this.#watchers.get(key);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#watchers.delete(key);
  }

  changed(key: Bytes): void {
    for (const watcher of this.#watchers.get(key) ?? []) watcher.watchedKeyChanged();
  }

  allRemoved(exists: (key: Bytes) => boolean): void {
    for (const [key, watchers] of this.#watchers)
      if (exists(key)) for (const watcher of watchers) watcher.watchedKeyChanged();
  }

  /** The state is replaced by another one: nobody can tell any more what changed. */
  stateReplaced(): void {
    for (const watchers of this.#watchers.values())
      for (const watcher of watchers) watcher.watchedKeyChanged();
  }
}
