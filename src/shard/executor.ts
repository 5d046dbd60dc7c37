import type { Bytes } from '../bytes/types.ts';
import type { CommandContext, CommandSpec, NodeServices, SessionControl } from '../commands/types.ts';
import type { Random } from '../env/random.ts';
import { BellwetherError } from '../errors.ts';
import type { BatchBuilder } from '../log/batch.ts';
import { entryKind } from '../log/batch.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { EffectSink } from '../state/effects.ts';
import type { Entry } from '../state/entry.ts';
import type { Keyspace } from '../state/keyspace.ts';
import type { KeyspaceView } from '../state/types.ts';
import { idleMs, usedBefore } from '../state/use-clock.ts';
import type { ReadyKeys } from './blocked-clients.ts';
import { LeaderEffects } from './leader-effects.ts';
import type { Watches } from './watches.ts';

/** What the executor needs of the replica around it. */
export interface ExecutorHost {
  /** The LSN that the next entry will have. */
  nextLsn(): number;
  /** The shard's last LSN, open batch included. */
  lastLsn(): number;
  /** Shard time, ms since the epoch. */
  timeMs(): number;
  /** What a command without keys sees: this shard's keys, and those of the others that the node serves. */
  wholeView(): KeyspaceView;
  /** Ends the open batch. */
  seal(): void;
  /** The largest batch that the log takes. */
  readonly maxBatchBytes: number;
}

/**
 * Runs commands against the state: on a leader into one entry of the open batch each, on a follower for reading only.
 * It is the `CommandContext` of every command of its replica.
 */
export class Executor implements CommandContext {
  reply!: ReplyWriter;
  session!: SessionControl;
  now = 0;
  readonly random: Random;
  readonly node: NodeServices;
  readonly #host: ExecutorHost;
  readonly #keyspace: Keyspace;
  readonly #builder: BatchBuilder;
  readonly #leaderEffects: LeaderEffects;
  readonly #watches: Watches;
  #leading = false;
  #policy = 0;
  #gate = 0;
  /** The last command looked at all keys, whatever their shard. */
  sawAll = false;

  constructor(
    host: ExecutorHost,
    keyspace: Keyspace,
    builder: BatchBuilder,
    watches: Watches,
    blocked: ReadyKeys,
    node: NodeServices,
    random: Random,
  ) {
    this.#host = host;
    this.#keyspace = keyspace;
    this.#builder = builder;
    this.node = node;
    this.random = random;
    this.#watches = watches;
    this.#leaderEffects = new LeaderEffects(builder, keyspace, watches, blocked, () => {
      builder.begin(entryKind.effects, this.#policy);
      keyspace.writeLsn = host.nextLsn();
    });
  }

  /**
   * Runs one command. Returns the LSN that its reply depends on; below 0 when it wrote: then the LSN is the negated one.
   */
  run(
    spec: CommandSpec,
    args: readonly Bytes[],
    session: SessionControl,
    reply: ReplyWriter,
    leading: boolean,
    policy: number,
  ): number {
    this.session = session;
    this.reply = reply;
    this.now = this.#host.timeMs();
    this.#leading = leading;
    this.#policy = policy;
    this.#gate = 0;
    this.sawAll = false;
    this.#keyspace.countsUses = !session.noTouch || spec.name === 'touch';
    try {
      (spec.run as NonNullable<CommandSpec['run']>)(this, args);
    } catch (error) {
      throw halfEntry(spec.name, error as Error);
    }
    this.#keyspace.countsUses = true;
    return this.#close() ? -this.#keyspace.appliedLsn : this.#gate;
  }

  /** The leader's own work (expiry, eviction): deletes keys as one entry; true when it wrote one. */
  removeKeys(keys: Iterable<Bytes>): boolean {
    this.#policy = 0;
    try {
      for (const key of keys) this.#leaderEffects.remove(key);
    } catch (error) {
      throw halfEntry('expiry or eviction', error as Error);
    }
    return this.#close();
  }

  /** A write of the node's own, as one entry at most; true when it wrote one. */
  own(name: string, write: (writer: Executor) => void): boolean {
    this.now = this.#host.timeMs();
    this.#leading = true;
    this.#policy = 0;
    try {
      write(this);
    } catch (error) {
      throw halfEntry(name, error as Error);
    }
    return this.#close();
  }

  #close(): boolean {
    if (!this.#leaderEffects.opened) return false;
    this.#leaderEffects.opened = false;
    this.#builder.end();
    this.#keyspace.appliedLsn = this.#keyspace.writeLsn;
    return true;
  }

  // What handlers see.

  get(key: Bytes): Entry | undefined {
    const entry = this.look(key);
    if (entry !== undefined && this.#keyspace.countsUses) entry.usedAt = this.#keyspace.useClock;
    return entry;
  }

  look(key: Bytes): Entry | undefined {
    const entry = this.#entryAt(key);
    if (entry === undefined || this.isLive(entry)) return entry;
    if (this.#leading && !this.#keyspace.isFenced(key)) this.#leaderEffects.remove(key);
    return undefined;
  }

  glance(key: Bytes): Entry | undefined {
    const entry = this.hidden(key);
    if (entry !== undefined && this.#keyspace.countsUses) entry.usedAt = this.#keyspace.useClock;
    return entry;
  }

  /** The same as `look`, except that an expired entry stays where it is. */
  hidden(key: Bytes): Entry | undefined {
    const entry = this.#entryAt(key);
    return entry !== undefined && this.isLive(entry) ? entry : undefined;
  }

  /** What is at a key, expired or not: the reply depends on it. */
  #entryAt(key: Bytes): Entry | undefined {
    const entry = this.#keyspace.peek(key);
    const gate = this.#keyspace.gateOf(key, entry);
    if (gate > this.#gate) this.#gate = gate;
    return entry;
  }

  get effects(): EffectSink {
    if (!this.#leading) throw new Error('only a leader writes');
    return this.#leaderEffects;
  }

  admits(bytes: number): boolean {
    const builder = this.#builder;
    // Half of a batch is for what requests bring along: in a transaction, other commands still follow.
    const most = this.#host.maxBatchBytes / 2;
    if (!this.#leaderEffects.opened && builder.bytes + bytes > most) this.#host.seal();
    return builder.bytes + bytes <= most;
  }

  get keyspace(): KeyspaceView {
    this.#gate = Math.max(this.#gate, this.#host.lastLsn());
    this.sawAll = true;
    return this.#host.wholeView();
  }

  markChanged(key: Bytes): void {
    if (this.#watches.active) this.#watches.changed(key);
  }

  idleMs(entry: Entry): number {
    return idleMs(entry.usedAt, this.#keyspace.useClock);
  }

  setIdle(key: Bytes, ms: number): void {
    const entry = this.#keyspace.peek(key);
    if (entry !== undefined) entry.usedAt = usedBefore(this.#keyspace.useClock, ms);
  }

  isLive(entry: Entry): boolean {
    return entry.expiresAt === 0 || entry.expiresAt > this.now;
  }
}

/** Half an entry must not become history, and its effects are in the state already: the process has to end. */
function halfEntry(name: string, error: Error): BellwetherError {
  return new BellwetherError('BW_INTERNAL', `${name} failed: ${error.message}`, 'Please report this.', {
    cause: error,
  });
}
