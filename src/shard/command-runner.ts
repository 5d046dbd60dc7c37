import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { AckPolicy } from './ack-policy.ts';
import { AllKeepers } from './all-keepers.ts';
import type { Needs } from './command-needs.ts';
import { crossSlot, needsOf, slotOfCommand } from './command-needs.ts';
import { anyReplicaServes } from './read-level.ts';
import type { Replica } from './replica.ts';
import type { Gate } from './reply-queue.ts';
import type { Session } from './session.ts';
import type { Route, SessionHost } from './session-host.ts';
import { Transaction } from './transaction.ts';

/** Decides where the commands of one session run, and runs them: here, on a replica, or inside a transaction. */
export class CommandRunner {
  readonly transaction = new Transaction();
  /** What replies to writes wait for. */
  policy: AckPolicy;
  /** ASKING was said: the next command takes this node's word for the slot. */
  asking = false;
  /** The command at hand was sent at or before this time, monotonic ms. */
  sentByMs = 0;
  readonly #host: SessionHost;
  readonly #session: Session;
  /** The replica that runs the current command. */
  #current: Replica | null = null;
  /** True inside EXEC, where nothing waits. */
  #executing = false;

  constructor(host: SessionHost, session: Session) {
    this.#host = host;
    this.#session = session;
    this.policy = host.options.ack;
  }

  get executing(): boolean {
    return this.#executing;
  }

  // Deciding where a command runs.

  dispatch(spec: CommandSpec, args: Bytes[], sinceMs: number): void {
    const { transaction } = this;
    if (!this.#session.authenticated && !spec.flags.includes('no_auth')) {
      this.refuse(spec.name, 'NOAUTH Authentication required.');
      return;
    }
    if (transaction.open && !immediate.has(spec.name)) {
      this.#queue(spec, args, sinceMs);
      return;
    }
    if (spec.name === 'exec' && transaction.open) {
      if (transaction.crossSlot) {
        this.discard();
        this.#session.replyError(crossSlot);
        return;
      }
      // Whether watched keys have changed is a question to the state, whatever was queued.
      const reads = transaction.needs === 'nothing' && transaction.watching > 0;
      this.#executeOn(spec, args, sinceMs, reads ? 'read' : transaction.needs, transaction.slot);
      return;
    }
    if (spec.scope === 'session') {
      this.#runHere(spec, args);
      return;
    }
    const slot = slotOfCommand(spec, args);
    if (typeof slot === 'string') this.refuse(spec.name, slot);
    else this.#executeOn(spec, args, sinceMs, needsOf(spec), slot);
  }

  #queue(spec: CommandSpec, args: Bytes[], sinceMs: number): void {
    const { transaction } = this;
    const slot = spec.flags.includes('no_multi')
      ? 'ERR Command not allowed inside a transaction'
      : slotOfCommand(spec, args);
    if (typeof slot === 'string') {
      this.refuse(spec.name, slot);
      return;
    }
    const needs = needsOf(spec);
    if (needs !== 'nothing') {
      const where = this.#host.route(slot, needs, this.#anyReplica, this.asking);
      if (where.kind === 'park') {
        this.park(spec, args, sinceMs, where);
        return;
      }
      if (where.kind === 'error') {
        this.refuse(spec.name, where.line);
        return;
      }
      if (where.all !== undefined && needs === 'write') {
        this.refuse(
          spec.name,
          `ERR ${spec.name.toUpperCase()} is several writes here, one per shard: not inside MULTI`,
        );
        return;
      }
    }
    // What is queued takes memory too, whatever it is.
    if (this.#host.lacksMemory()) {
      this.refuse(spec.name, outOfMemory);
      return;
    }
    if (!transaction.queue(spec, args, slot, needs, this.#host.options.requestBytes)) {
      this.#session.replyError('ERR Transaction is too large');
      return;
    }
    this.#session.reply((writer) => writer.simple('QUEUED'), null);
  }

  /** True for what may take more memory. */
  #grows(spec: CommandSpec): boolean {
    return spec.name === 'exec' ? this.transaction.grows : spec.flags.includes('denyoom');
  }

  #executeOn(spec: CommandSpec, args: Bytes[], sinceMs: number, needs: Needs, slot: number): void {
    if (needs === 'nothing') {
      this.#runHere(spec, args);
      return;
    }
    const where = this.#host.route(slot, needs, this.#anyReplica, this.asking);
    if (where.kind === 'park') {
      this.park(spec, args, sinceMs, where);
      return;
    }
    if (where.kind === 'error') {
      this.#redirect(spec, where.line);
      return;
    }
    const leading = where.kind === 'leader';
    if (leading && this.#grows(spec) && where.replica.lacksMemory()) {
      this.refuse(spec.name, outOfMemory);
      return;
    }
    if (needs === 'read') {
      for (const replica of where.all ?? [where.replica]) {
        const admission = this.#session.reads.admit(replica, leading, this.sentByMs, this.#now);
        if (admission === 'wait') {
          this.#awaitState(spec, args, sinceMs, slot, replica, leading);
          return;
        }
        if (admission !== 'run') {
          this.asking = false;
          this.refuse(spec.name, admission.error);
          return;
        }
      }
    }
    this.asking = false;
    if (where.all !== undefined && needs === 'write') this.#runOnAll(where.all, spec, args);
    else if (!this.runOn(where.replica, leading, needs, spec, args))
      this.#awaitState(spec, args, sinceMs, slot, where.replica, leading);
    else if (slot >= 0 && this.#host.hasMoved(slot)) this.#session.reads.sawMovedSlot();
    else if (where.all !== undefined)
      for (const { shard, reads } of where.all) this.#session.reads.saw(shard, reads.term, reads.reached);
  }

  get #anyReplica(): boolean {
    return anyReplicaServes(this.#session.reads.level);
  }

  readonly #now = (): number => this.#host.now();

  /** The command goes elsewhere, with its transaction if it ends one. */
  #redirect(spec: CommandSpec, line: string): void {
    this.asking = false;
    if (spec.name === 'exec') this.discard();
    this.transaction.fail();
    this.#session.replyError(line);
  }

  /** This replica has not come as far as a read wants it: the read waits here, and after a while goes to the leader. */
  #awaitState(
    spec: CommandSpec,
    args: Bytes[],
    sinceMs: number,
    slot: number,
    replica: Replica,
    leading: boolean,
  ): void {
    const { options } = this.#host;
    const limitMs = this.#session.reads.waitMs(options.readWaitMs);
    if (this.#host.now() - sinceMs >= limitMs) {
      if (leading) {
        this.#redirect(spec, `LAGGING this leader has not come to what was asked for within ${limitMs} ms`);
        return;
      }
      const address = this.#host.leaderAddress(replica);
      if (address !== null) {
        // With MOVED, clients that read from replicas would choose this one again. EXEC cannot be asked elsewhere alone.
        const verb = spec.name === 'exec' ? 'MOVED' : 'ASK';
        this.#redirect(spec, `${verb} ${Math.max(slot, 0)} ${address}`);
        return;
      }
    }
    const reason = 'this node is not as current as the read wants it, and knows no leader';
    this.park(spec, args, sinceMs, { kind: 'park', reason, limitMs: Math.max(limitMs, options.parkMs) });
    if (this.#session.parking.taken) replica.reads.wait(this.#session);
  }

  // Running.

  /** A command that needs no shard's state. */
  #runHere(spec: CommandSpec, args: Bytes[]): void {
    const writer = this.#host.writer;
    writer.protocol = this.#session.protocol;
    this.#host.runWithoutState(spec, args, this.#session, writer);
    this.#session.answered(null);
  }

  /** False when a follower's state turned out to be too old after it was read: nothing was answered. */
  runOn(
    replica: Replica,
    leading: boolean,
    needs: 'read' | 'write',
    spec: CommandSpec,
    args: Bytes[],
  ): boolean {
    const { writer } = this.#host;
    writer.protocol = this.#session.protocol;
    this.#current = replica;
    const policy = this.#host.policyCode(this.policy);
    const result = replica.executor.run(spec, args, this.#session, writer, leading, policy);
    this.#current = null;
    replica.sealLarge();
    let gate: Gate | null = null;
    if (result < 0 && needs === 'write') {
      const { term } = replica.reads;
      this.#session.copies.lastWrites.record(replica, term, -result);
      this.#session.reads.saw(replica.shard, term, -result);
      gate = { keeper: replica.gates, policy: this.policy, lsn: -result, readMs: -1, confirmed: false };
      // A transaction under a weak policy may have read what others wrote: it waits no longer than its own write.
    } else if (leading) {
      // A read that met expired keys has deleted them: it is a read all the same, whatever writes wait for.
      const lsn = Math.abs(result);
      // Deletes of missing keys are remembered until they are committed.
      this.#session.reads.saw(replica.shard, replica.reads.term, Math.max(lsn, replica.core.commit));
      gate = this.#session.reads.gate(replica, needs, lsn, this.#session.lastMs, this.#host.options.readGate);
    } else {
      if (!this.#session.reads.isFresh(replica, this.#now)) {
        writer.out.rewind(0);
        // What was read is not gone on with, either.
        this.#session.later.end();
        if (spec.name !== 'exec') return false;
        writer.error('TRYAGAIN the state became too old while it was read');
      }
      this.#session.reads.saw(replica.shard, replica.reads.term, replica.keyspace.appliedLsn);
    }
    if (gate !== null && replica.executor.sawAll) gate = this.#host.gateOnAll(gate, this.#session.lastMs);
    if (this.#session.later.ran({ spec, args, replica, leading, gate })) this.#host.worksOn(this.#session);
    this.#session.answered(gate);
    this.#host.touched();
    if (this.#session.keys.ran(replica, spec, args)) this.#host.resumeLater(this.#session);
    replica.blocked.serve();
    return true;
  }

  /** A write without keys on a node with several shards: an entry of its own in each, and one reply. */
  #runOnAll(replicas: readonly Replica[], spec: CommandSpec, args: Bytes[]): void {
    const { writer } = this.#host;
    writer.protocol = this.#session.protocol;
    const policy = this.#host.policyCode(this.policy);
    const kept = replicas.map((replica) => {
      writer.out.rewind(0);
      const result = replica.executor.run(spec, args, this.#session, writer, true, policy);
      replica.sealLarge();
      if (result < 0) this.#session.copies.lastWrites.record(replica, replica.reads.term, -result);
      this.#session.reads.saw(replica.shard, replica.reads.term, Math.abs(result));
      return { keeper: replica.gates, lsn: Math.abs(result) };
    });
    const lsn = Math.max(...kept.map((one) => one.lsn));
    this.#session.answered({
      keeper: new AllKeepers(kept),
      policy: this.policy,
      lsn,
      readMs: this.#session.lastMs,
      confirmed: false,
    });
    this.#host.touched();
  }

  /** A command that does not run: a transaction fails with it, and EXEC itself ends its transaction. */
  refuse(name: string, line: string): void {
    if (name === 'exec') {
      this.discard();
      this.#session.replyError(`EXECABORT Transaction discarded because of: ${line.replace(/^ERR /, '')}`);
      return;
    }
    this.transaction.fail();
    this.#session.replyError(line);
  }

  // Waiting to run.

  park(spec: CommandSpec, args: Bytes[], sinceMs: number, where: Route & { kind: 'park' }): void {
    const now = this.#host.now();
    const tooLong = where.patient !== true && now - sinceMs >= (where.limitMs ?? this.#host.options.parkMs);
    if (!tooLong && this.#session.parking.hasRoomFor(args)) {
      const since = where.patient === true ? now : sinceMs;
      this.#session.parking.put({ spec, args, sinceMs: since, sentByMs: this.sentByMs });
      return;
    }
    this.asking = false;
    if (spec.name === 'exec') this.discard();
    else if (this.transaction.open) this.transaction.fail();
    this.#session.replyError(`CLUSTERDOWN ${where.reason}`);
  }

  // Transactions.

  discard(): void {
    this.transaction.end();
    this.transaction.unwatch();
  }

  executeTransaction(): void {
    const { transaction } = this;
    const { writer } = this.#host;
    const replica = this.#current;
    if (replica !== null) this.#judgeWatched(replica);
    const { commands, failed, dirty } = transaction;
    this.discard();
    if (failed) {
      writer.error('EXECABORT Transaction discarded because of previous errors.');
      return;
    }
    if (dirty) {
      writer.nilArray();
      return;
    }
    this.#executing = true;
    writer.array(commands.length);
    for (const { spec, args } of commands) {
      if (replica === null) this.#host.runWithoutState(spec, args, this.#session, writer);
      else (spec.run as NonNullable<CommandSpec['run']>)(replica.executor, args);
    }
    this.#executing = false;
  }

  /** A leader notes changes as they happen. What was applied here under other leaders shows by its LSN. */
  #judgeWatched(current: Replica): void {
    for (const [key, { replica, lsn }] of this.transaction.watchedKeys) {
      // A watched key that has expired meanwhile is missing, whether it was deleted or not.
      const entry = replica === current ? replica.executor.hidden(key) : replica.keyspace.peek(key);
      const known = replica === current || replica.serving === current.serving;
      if (!known || (entry?.lsn ?? -1) !== lsn) this.transaction.watchedKeyChanged();
    }
  }

  watch(keys: readonly Bytes[]): void {
    const replica = this.#current;
    if (replica === null) return;
    for (const key of keys) {
      const lsn = replica.executor.look(key)?.lsn ?? -1;
      this.transaction.watch(key, { replica, lsn });
    }
  }
}

const outOfMemory = "OOM command not allowed when used memory > 'maxmemory'.";

/** Commands that run at once inside MULTI. */
const immediate: ReadonlySet<string> = new Set(['multi', 'exec', 'discard', 'watch', 'quit', 'reset']);
