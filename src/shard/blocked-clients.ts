import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { Entry, TypeName } from '../state/entry.ts';
import { typeOf } from '../state/entry.ts';

/** Told of keys that came to hold elements, so that clients who wait for them are served. */
export interface ReadyKeys {
  /** True when anybody waits. */
  readonly active: boolean;
  ready(key: Bytes): void;
}

/** A command such as BLPOP that found none of its keys. */
export interface KeyWait {
  readonly client: BlockedClient;
  readonly spec: CommandSpec;
  readonly args: Bytes[];
  readonly keys: readonly Bytes[];
  /** What one of the keys must hold. */
  readonly type: TypeName;
  /** Monotonic ms; infinite for ever. */
  readonly deadlineMs: number;
}

export interface BlockedClient {
  /** One of the keys holds what the command waits for: it runs again, and waits on if it finds nothing after all. */
  serve(wait: KeyWait): void;
  timedOut(wait: KeyWait, now: number): void;
  /** Nobody will be served here any more. */
  leadershipEnded(wait: KeyWait): void;
}

/**
 * The clients of one shard that wait for keys, on its leader. They are served after the command, or the transaction,
 * that brought elements is complete: key by key in the order in which keys became ready, and for each key in the order
 * in which clients began to wait. What serving one brings (BLMOVE) is served behind it.
 */
export class BlockedClients implements ReadyKeys {
  readonly #peek: (key: Bytes) => Entry | undefined;
  readonly #byKey = new Map<Bytes, Set<KeyWait>>();
  readonly #all = new Set<KeyWait>();
  #ready = new Set<Bytes>();
  #serving = false;
  /** No deadline is before this. */
  #nextDeadlineMs = Number.POSITIVE_INFINITY;

  /** @param peek what a key holds now */
  constructor(peek: (key: Bytes) => Entry | undefined) {
    this.#peek = peek;
  }

  get active(): boolean {
    return this.#all.size > 0;
  }

  add(wait: KeyWait): void {
    this.#all.add(wait);
    this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, wait.deadlineMs);
    for (const key of wait.keys) {
      const waits = this.#byKey.get(key);
      if (waits === undefined) this.#byKey.set(key, new Set([wait]));
      else waits.add(wait);
    }
  }

  remove(wait: KeyWait): void {
    if (!this.#all.delete(wait)) return;
    for (const key of wait.keys) {
      const waits = this.#byKey.get(key);
      waits?.delete(wait);
      if (waits?.size === 0) this.#byKey.delete(key);
    }
  }

  ready(key: Bytes): void {
    if (this.#byKey.has(key)) this.#ready.add(key);
  }

  /** A command is complete: serves whom it brought something. */
  serve(): void {
    if (this.#serving || this.#ready.size === 0) return;
    this.#serving = true;
    while (this.#ready.size > 0) {
      const keys = this.#ready;
      this.#ready = new Set();
      for (const key of keys) this.#serveKey(key);
    }
    this.#serving = false;
  }

  /** Nobody begins to wait meanwhile: commands of those who are served go on at the end of the turn. */
  #serveKey(key: Bytes): void {
    for (const wait of this.#byKey.get(key) ?? []) {
      const entry = this.#peek(key);
      if (entry === undefined) return;
      if (typeOf(entry.value) === wait.type) wait.client.serve(wait);
    }
  }

  tick(now: number): void {
    if (now < this.#nextDeadlineMs) return;
    this.#nextDeadlineMs = Number.POSITIVE_INFINITY;
    for (const wait of this.#all) {
      if (wait.deadlineMs <= now) wait.client.timedOut(wait, now);
      else this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, wait.deadlineMs);
    }
  }

  /** Some keys are being moved to another shard: who waits for them begins anew, wherever they are then. */
  keysLeave(leave: (key: Bytes) => boolean): void {
    for (const wait of [...this.#all]) {
      if (!wait.keys.some(leave)) continue;
      this.remove(wait);
      wait.client.leadershipEnded(wait);
    }
  }

  leadershipEnded(): void {
    const waits = [...this.#all];
    this.#all.clear();
    this.#byKey.clear();
    this.#ready.clear();
    for (const wait of waits) wait.client.leadershipEnded(wait);
  }
}
