import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { Replica } from './replica.ts';
import type { Watcher } from './watches.ts';

/** A key as WATCH saw it: where, and the LSN of its last write there; -1 when it was missing. */
export interface WatchedKey {
  readonly replica: Replica;
  readonly lsn: number;
}

export interface QueuedCommand {
  readonly spec: CommandSpec;
  readonly args: Bytes[];
}

/** What MULTI collects until EXEC, and what WATCH saw. */
export class Transaction implements Watcher {
  open = false;
  /** A command could not be queued: EXEC will refuse. */
  failed = false;
  /** A watched key changed: EXEC will do nothing. */
  dirty = false;
  commands: QueuedCommand[] = [];
  /** The slot of the keys; -1 before the first. */
  slot = -1;
  /** Keys in several slots were queued: EXEC will refuse. */
  crossSlot = false;
  /** The strongest need among the queued commands. */
  needs: 'nothing' | 'read' | 'write' = 'nothing';
  /** True when a queued command may take memory. */
  grows = false;
  #bytes = 0;
  readonly #watched = new Map<Bytes, WatchedKey>();

  begin(): void {
    this.open = true;
  }

  /** A command inside MULTI was refused. */
  fail(): void {
    if (this.open) this.failed = true;
  }

  /** False when the transaction would become larger than `maxBytes`; then it has failed. */
  queue(
    spec: CommandSpec,
    args: Bytes[],
    slot: number,
    needs: 'nothing' | 'read' | 'write',
    maxBytes: number,
  ): boolean {
    for (const arg of args) this.#bytes += arg.length + 16;
    if (this.#bytes > maxBytes) {
      this.failed = true;
      return false;
    }
    if (needs === 'write' || this.needs === 'nothing') this.needs = needs === 'nothing' ? this.needs : needs;
    // What will not run is not kept, and its keys only say where EXEC is answered.
    if (this.failed || this.dirty) {
      if (this.slot < 0) this.slot = slot;
      return true;
    }
    this.commands.push({ spec, args });
    if (spec.flags.includes('denyoom')) this.grows = true;
    if (slot >= 0 && this.slot >= 0 && slot !== this.slot) this.crossSlot = true;
    if (slot >= 0) this.slot = slot;
    return true;
  }

  end(): void {
    this.open = false;
    this.failed = false;
    this.commands = [];
    this.slot = -1;
    this.crossSlot = false;
    this.needs = 'nothing';
    this.grows = false;
    this.#bytes = 0;
  }

  watch(key: Bytes, seen: WatchedKey): void {
    if (this.#watched.has(key)) return;
    this.#watched.set(key, seen);
    seen.replica.watches.add(key, this);
  }

  unwatch(): void {
    for (const [key, { replica }] of this.#watched) replica.watches.remove(key, this);
    this.#watched.clear();
    this.dirty = false;
  }

  get watching(): number {
    return this.#watched.size;
  }

  get watchedKeys(): IterableIterator<[Bytes, WatchedKey]> {
    return this.#watched.entries();
  }

  watchedKeyChanged(): void {
    this.dirty = true;
  }
}
