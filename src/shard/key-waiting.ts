import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { BlockedClient, KeyWait } from './blocked-clients.ts';
import type { Replica } from './replica.ts';

/** The session whose command waits for keys. */
export interface KeyWaiter {
  /** The command runs once more on the replica where it waits, and comes back to `ran`. */
  runAgain(replica: Replica, spec: CommandSpec, args: Bytes[]): void;
  /** There was nothing until the deadline. That is an answer about the state: it depends on what came up to `lsn`. */
  foundNothing(replica: Replica, lsn: number, now: number): void;
  /** The replica leads no more: the command starts anew wherever the next leader is. */
  moveOn(spec: CommandSpec, args: Bytes[]): void;
}

/** A command of one session that waits for keys (BLPOP), on a replica that leads; the queue is its `blocked`. */
export class KeyWaiting implements BlockedClient {
  readonly #waiter: KeyWaiter;
  #wait: (KeyWait & { readonly replica: Replica }) | null = null;
  /** What the command that runs now asks to wait for. */
  #wanted: Pick<KeyWait, 'keys' | 'type' | 'deadlineMs'> | null = null;

  constructor(waiter: KeyWaiter) {
    this.#waiter = waiter;
  }

  get active(): boolean {
    return this.#wait !== null;
  }

  /** The command that runs now found nothing. `deadlineMs`: monotonic, infinite for ever. */
  want(keys: readonly Bytes[], type: KeyWait['type'], deadlineMs: number): void {
    this.#wanted = { keys, type, deadlineMs };
  }

  /** A command has run. Whoever waits on keeps his place in the queue. True when a wait is over. */
  ran(replica: Replica, spec: CommandSpec, args: Bytes[]): boolean {
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted === null) return this.end();
    if (this.#wait === null) {
      this.#wait = { ...wanted, client: this, replica, spec, args };
      replica.blocked.add(this.#wait);
    }
    return false;
  }

  /** Nobody serves it any more, though it waits until it is answered. */
  leaveQueue(): void {
    this.#wait?.replica.blocked.remove(this.#wait);
  }

  /** False when nothing waited. */
  end(): boolean {
    this.leaveQueue();
    const waited = this.#wait !== null;
    this.#wait = null;
    return waited;
  }

  /** The wait ends without a find, now. */
  giveUp(now: number): void {
    if (this.#wait === null) return;
    const { replica, keys } = this.#wait;
    let lsn = 0;
    for (const key of keys) lsn = Math.max(lsn, replica.keyspace.gateOf(key));
    this.end();
    this.#waiter.foundNothing(replica, lsn, now);
  }

  serve({ spec, args }: KeyWait): void {
    if (this.#wait !== null) this.#waiter.runAgain(this.#wait.replica, spec, args);
  }

  timedOut(_wait: KeyWait, now: number): void {
    this.giveUp(now);
  }

  leadershipEnded({ spec, args }: KeyWait): void {
    this.#wait = null;
    this.#waiter.moveOn(spec, args);
  }
}
