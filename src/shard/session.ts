import type { Bytes } from '../bytes/types.ts';
import { findCommand } from '../commands/table.ts';
import type { CommandSpec, SessionControl } from '../commands/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { AckPolicy } from './ack-policy.ts';
import { formatAckPolicy, parseAckPolicy } from './ack-policy.ts';
import { AllKeepers } from './all-keepers.ts';
import type { KeyWait } from './blocked-clients.ts';
import type { Needs } from './command-needs.ts';
import { crossSlot, needsOf, slotOfCommand } from './command-needs.ts';
import { CopiesWait } from './copies-wait.ts';
import type { GateWaiter } from './gate-board.ts';
import type { KeyWaiter } from './key-waiting.ts';
import { KeyWaiting } from './key-waiting.ts';
import { Parking } from './parking.ts';
import { anyReplicaServes } from './read-level.ts';
import type { Replica } from './replica.ts';
import type { StateWaiter } from './replica-reads.ts';
import { ReplyMode } from './reply-mode.ts';
import type { Gate } from './reply-queue.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { Route, SessionHost } from './session-host.ts';
import { SessionReads } from './session-reads.ts';
import type { ClientSession, SessionSink } from './session-types.ts';
import { Transaction } from './transaction.ts';

/** One client's conversation with this node: its transaction, its policies, and its replies in order. */
export class Session implements ClientSession, SessionControl, GateWaiter, StateWaiter, KeyWaiter {
  readonly id: number;
  name: Bytes = '';
  libName: Bytes = '';
  libVersion: Bytes = '';
  /** The password was given, or none was needed when the connection began. */
  #loggedIn: boolean;
  /** READONLY was said. */
  readOnly = false;
  readonly reads = new SessionReads();
  noEvict = false;
  noTouch = false;
  protocol: 2 | 3 = 2;
  lastCommand = 'NULL';
  lastMs: number;
  /** The command at hand was sent at or before this time. */
  #sentByMs: number;
  readonly bornMs: number;
  commands = 0;
  readonly transaction = new Transaction();
  readonly replies: ReplyQueue;
  readonly #host: SessionHost;
  readonly #sink: SessionSink;
  #policy: AckPolicy;
  #asking = false;
  readonly #replyMode = new ReplyMode();
  /** True while the host will call `flush` at the end of this turn. */
  queuedToFlush = false;
  readonly #parking: Parking;
  readonly #copies: CopiesWait;
  readonly #keys = new KeyWaiting(this);
  /** Another client's command has ended the wait: the answer comes at the end of the turn. */
  #unblocked: 'error' | 'timeout' | null = null;
  /** When the current command came, monotonic ms. */
  #arrivedMs = 0;
  #pausedUntilMs = 0;
  #closing = false;
  #closed = false;

  constructor(id: number, host: SessionHost, sink: SessionSink) {
    this.id = id;
    this.#host = host;
    this.#sink = sink;
    this.#policy = host.options.ack;
    this.#loggedIn = host.password === '';
    this.bornMs = host.now();
    this.lastMs = this.bornMs;
    this.#sentByMs = this.bornMs;
    this.reads.reset(host.options.readLevel);
    this.replies = new ReplyQueue(this);
    this.#parking = new Parking(host, this);
    this.#copies = new CopiesWait(() => host.copiesOfNothing());
  }

  get authenticated(): boolean {
    return this.#loggedIn || !this.passwordRequired;
  }

  get blocked(): boolean {
    return this.#closed || this.#closing || this.waiting || this.#pausedUntilMs > 0;
  }

  get pendingBytes(): number {
    return this.replies.pendingBytes;
  }

  /** A command of this client waits: for a leader, for copies, for keys. */
  get waiting(): boolean {
    return this.#parking.taken || this.waitsForCopies || this.#keys.active;
  }

  get waitsForCopies(): boolean {
    return this.#copies.active;
  }

  get inTransaction(): boolean {
    return this.transaction.open;
  }

  // From the connection.

  /**
   * One look at the clock for all commands that came together. A read is proven by leadership at or after this moment:
   * they were all sent before it, so what they see is current for them.
   */
  arrived(): void {
    this.lastMs = this.#host.now();
    this.#sentByMs = this.lastMs;
  }

  resumed(): void {
    this.lastMs = this.#host.now();
  }

  execute(args: Bytes[]): void {
    this.commands += 1;
    this.#host.stats.commands += 1;
    this.#replyMode.begin();
    const found = findCommand(args);
    if (typeof found === 'string') {
      this.#refuse((args[0] as Bytes).toLowerCase(), found);
      return;
    }
    this.lastCommand = found.name;
    this.#arrivedMs = this.lastMs;
    this.#dispatch(found, args, this.lastMs);
  }

  protocolError(line: string): void {
    this.#replyError(line);
    this.closeAfterReply();
  }

  disconnected(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropWaits();
    this.unwatch();
    this.replies.clear();
    this.#host.forget(this);
  }

  // Deciding where a command runs.

  #dispatch(spec: CommandSpec, args: Bytes[], sinceMs: number): void {
    const { transaction } = this;
    if (!this.authenticated && !spec.flags.includes('no_auth')) {
      this.#refuse(spec.name, 'NOAUTH Authentication required.');
      return;
    }
    if (transaction.open && !immediate.has(spec.name)) {
      this.#queue(spec, args, sinceMs);
      return;
    }
    if (spec.name === 'exec' && transaction.open) {
      if (transaction.crossSlot) {
        this.#discard();
        this.#replyError(crossSlot);
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
    if (typeof slot === 'string') this.#refuse(spec.name, slot);
    else this.#executeOn(spec, args, sinceMs, needsOf(spec), slot);
  }

  #queue(spec: CommandSpec, args: Bytes[], sinceMs: number): void {
    const { transaction } = this;
    const slot = slotOfCommand(spec, args);
    if (typeof slot === 'string') {
      this.#refuse(spec.name, slot);
      return;
    }
    const needs = needsOf(spec);
    if (needs !== 'nothing') {
      const where = this.#host.route(slot, needs, this.#anyReplica, this.#asking);
      if (where.kind === 'park') {
        this.#park(spec, args, sinceMs, where);
        return;
      }
      if (where.kind === 'error') {
        this.#refuse(spec.name, where.line);
        return;
      }
      if (where.all !== undefined && needs === 'write') {
        this.#refuse(
          spec.name,
          `ERR ${spec.name.toUpperCase()} is several writes here, one per shard: not inside MULTI`,
        );
        return;
      }
    }
    // What is queued takes memory too, whatever it is.
    if (this.#host.lacksMemory()) {
      this.#refuse(spec.name, outOfMemory);
      return;
    }
    if (!transaction.queue(spec, args, slot, needs, this.#host.options.requestBytes)) {
      this.#replyError('ERR Transaction is too large');
      return;
    }
    this.#reply((writer) => writer.simple('QUEUED'), null);
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
    const where = this.#host.route(slot, needs, this.#anyReplica, this.#asking);
    if (where.kind === 'park') {
      this.#park(spec, args, sinceMs, where);
      return;
    }
    if (where.kind === 'error') {
      this.#redirect(spec, where.line);
      return;
    }
    const leading = where.kind === 'leader';
    if (leading && this.#grows(spec) && where.replica.lacksMemory()) {
      this.#refuse(spec.name, outOfMemory);
      return;
    }
    if (needs === 'read') {
      for (const replica of where.all ?? [where.replica]) {
        const admission = this.reads.admit(replica, leading, this.#sentByMs, this.#now);
        if (admission === 'wait') {
          this.#awaitState(spec, args, sinceMs, slot, replica, leading);
          return;
        }
        if (admission !== 'run') {
          this.#asking = false;
          this.#refuse(spec.name, admission.error);
          return;
        }
      }
    }
    this.#asking = false;
    if (where.all !== undefined && needs === 'write') this.#runOnAll(where.all, spec, args);
    else if (!this.#runOn(where.replica, leading, needs, spec, args))
      this.#awaitState(spec, args, sinceMs, slot, where.replica, leading);
    else if (where.all !== undefined)
      for (const { shard, reads } of where.all) this.reads.saw(shard, reads.term, reads.reached);
  }

  get #anyReplica(): boolean {
    return anyReplicaServes(this.reads.level);
  }

  readonly #now = (): number => this.#host.now();

  /** The command goes elsewhere, with its transaction if it ends one. */
  #redirect(spec: CommandSpec, line: string): void {
    this.#asking = false;
    if (spec.name === 'exec') this.#discard();
    this.transaction.fail();
    this.#replyError(line);
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
    const limitMs = this.reads.waitMs(options.readWaitMs);
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
    this.#park(spec, args, sinceMs, { kind: 'park', reason, limitMs: Math.max(limitMs, options.parkMs) });
    if (this.#parking.taken) replica.reads.wait(this);
  }

  /** The replica that a read waits for has come further. */
  stateMoved(): void {
    this.retry();
  }

  // Running.

  /** A command that needs no shard's state. */
  #runHere(spec: CommandSpec, args: Bytes[]): void {
    const writer = this.#host.writer;
    writer.protocol = this.protocol;
    this.#host.runWithoutState(spec, args, this, writer);
    this.#added(null);
  }

  /** False when a follower's state turned out to be too old after it was read: nothing was answered. */
  #runOn(
    replica: Replica,
    leading: boolean,
    needs: 'read' | 'write',
    spec: CommandSpec,
    args: Bytes[],
  ): boolean {
    const { writer } = this.#host;
    writer.protocol = this.protocol;
    this.#current = replica;
    const policy = this.#host.policyCode(this.#policy);
    const result = replica.executor.run(spec, args, this, writer, leading, policy);
    this.#current = null;
    replica.sealLarge();
    let gate: Gate | null = null;
    if (result < 0 && needs === 'write') {
      this.#copies.lastWrites.record(replica, -result);
      this.reads.saw(replica.shard, replica.reads.term, -result);
      gate = { keeper: replica, policy: this.#policy, lsn: -result, readMs: -1, confirmed: false };
      // A transaction under a weak policy may have read what others wrote: it waits no longer than its own write.
    } else if (leading) {
      // A read that met expired keys has deleted them: it is a read all the same, whatever writes wait for.
      const lsn = Math.abs(result);
      // Deletes of missing keys are remembered until they are committed.
      this.reads.saw(replica.shard, replica.reads.term, Math.max(lsn, replica.core.commit));
      gate = this.reads.gate(replica, needs, lsn, this.lastMs, this.#host.options.readGate);
    } else {
      if (!this.reads.isFresh(replica, this.#now)) {
        writer.out.rewind(0);
        if (spec.name !== 'exec') return false;
        writer.error('TRYAGAIN the state became too old while it was read');
      }
      this.reads.saw(replica.shard, replica.reads.term, replica.keyspace.appliedLsn);
    }
    if (gate !== null && replica.executor.sawAll) gate = this.#host.gateOnAll(gate, this.lastMs);
    this.#added(gate);
    this.#host.touched();
    if (this.#keys.ran(replica, spec, args)) this.#host.resumeLater(this);
    replica.blocked.serve();
    return true;
  }

  /** A write without keys on a node with several shards: an entry of its own in each, and one reply. */
  #runOnAll(replicas: readonly Replica[], spec: CommandSpec, args: Bytes[]): void {
    const { writer } = this.#host;
    writer.protocol = this.protocol;
    const policy = this.#host.policyCode(this.#policy);
    const kept = replicas.map((keeper) => {
      writer.out.rewind(0);
      const result = keeper.executor.run(spec, args, this, writer, true, policy);
      keeper.sealLarge();
      if (result < 0) this.#copies.lastWrites.record(keeper, -result);
      this.reads.saw(keeper.shard, keeper.reads.term, Math.abs(result));
      return { keeper, lsn: Math.abs(result) };
    });
    const lsn = Math.max(...kept.map((one) => one.lsn));
    this.#added({
      keeper: new AllKeepers(kept),
      policy: this.#policy,
      lsn,
      readMs: this.lastMs,
      confirmed: false,
    });
    this.#host.touched();
  }

  /** The replica that runs the current command. */
  #current: Replica | null = null;
  /** True inside EXEC, where nothing waits. */
  #executing = false;

  #added(gate: Gate | null): void {
    const { out } = this.#host.writer;
    if (out.length === 0) return; // the reply comes later (WAIT)
    if (this.#replyMode.silent) {
      out.rewind(0);
      return;
    }
    this.replies.add(out, gate, this.lastMs);
    this.#host.replied(this);
  }

  #reply(write: (writer: ReplyWriter) => void, gate: Gate | null): void {
    const { writer } = this.#host;
    writer.protocol = this.protocol;
    write(writer);
    this.#added(gate);
  }

  /** A command that does not run: a transaction fails with it, and EXEC itself ends its transaction. */
  #refuse(name: string, line: string): void {
    if (name === 'exec') {
      this.#discard();
      this.#replyError(`EXECABORT Transaction discarded because of: ${line.replace(/^ERR /, '')}`);
      return;
    }
    this.transaction.fail();
    this.#replyError(line);
  }

  #replyError(line: string): void {
    this.#host.stats.errors += 1;
    this.#reply((writer) => writer.error(line), null);
  }

  // Waiting.

  #park(spec: CommandSpec, args: Bytes[], sinceMs: number, where: Route & { kind: 'park' }): void {
    const now = this.#host.now();
    const tooLong = where.patient !== true && now - sinceMs >= (where.limitMs ?? this.#host.options.parkMs);
    if (!tooLong && this.#parking.hasRoomFor(args)) {
      this.#hold(spec, args, where.patient === true ? now : sinceMs);
      return;
    }
    this.#asking = false;
    if (spec.name === 'exec') this.#discard();
    else if (this.transaction.open) this.transaction.fail();
    this.#replyError(`CLUSTERDOWN ${where.reason}`);
  }

  #hold(spec: CommandSpec, args: Bytes[], sinceMs: number): void {
    this.#parking.put({ spec, args, sinceMs, sentByMs: this.#sentByMs });
  }

  /** The parked command may be able to run, or its time is over. */
  retry(): void {
    const parked = this.#parking.take();
    if (parked === null) return;
    this.lastMs = this.#host.now();
    const latestMs = this.#sentByMs;
    this.#sentByMs = parked.sentByMs;
    this.#dispatch(parked.spec, parked.args, parked.sinceMs);
    this.#sentByMs = latestMs;
    if (!this.blocked) this.#host.resumeLater(this);
  }

  resume(): void {
    if (!this.blocked) this.#sink.resume();
  }

  gateOpened(): void {
    this.replies.opened();
    this.#host.replied(this);
  }

  /** Gives the connection what may leave. */
  flush(): void {
    this.queuedToFlush = false;
    if (this.#closed) return;
    this.replies.release((bytes) => this.#sink.write(bytes));
    if (this.replies.hopeless) this.close('leadership ended before a reply could leave');
    else if (this.#closing && this.replies.empty) this.close('closed by command');
  }

  /** Called about every 10 ms while anything waits. */
  tick(now: number): void {
    if (this.#parking.taken) this.retry();
    if (this.#pausedUntilMs > 0 && now >= this.#pausedUntilMs) {
      this.#pausedUntilMs = 0;
      this.#host.resumeLater(this);
    }
    this.checkWait(now);
    const expired = this.replies.expire(now, ({ lsn, policy }) => {
      const wanted = `${policy.who} ${policy.stage}`;
      return `ACKTIMEOUT LSN ${lsn} was not acknowledged by ${wanted} within ${policy.timeoutMs} ms; its outcome is unknown`;
    });
    if (expired) this.#host.replied(this);
  }

  get waits(): boolean {
    return this.#parking.taken || this.waitsForCopies || this.#pausedUntilMs > 0 || !this.replies.empty;
  }

  /** Ends the conversation; what may leave has left. */
  close(reason: string): void {
    if (this.#closed) return;
    this.disconnected();
    this.#sink.close(reason);
  }

  // What commands do to their session.

  setProtocol(protocol: 2 | 3): void {
    this.protocol = protocol;
    this.#host.writer.protocol = protocol;
  }

  get passwordRequired(): boolean {
    return this.#host.password !== '';
  }

  authenticate(user: Bytes, password: Bytes): boolean {
    const fits = this.#host.checkPassword(user, password);
    if (fits) this.#loggedIn = true;
    return fits;
  }

  reset(): void {
    this.#discard();
    this.name = '';
    this.readOnly = false;
    this.reads.reset(this.#host.options.readLevel);
    this.noEvict = false;
    this.noTouch = false;
    this.#asking = false;
    this.#replyMode.reset();
    this.#policy = this.#host.options.ack;
    this.#loggedIn = this.#host.password === '';
    this.setProtocol(2);
  }

  closeAfterReply(): void {
    this.#dropWaits();
    this.#closing = true;
    this.#host.replied(this);
  }

  setReplyMode(mode: 'on' | 'off' | 'skip'): void {
    this.#replyMode.set(mode);
  }

  setReadOnly(on: boolean): void {
    const { readLevel, readOnlyLevel } = this.#host.options;
    this.readOnly = on;
    this.reads.level = on ? readOnlyLevel : readLevel;
  }

  asking(): void {
    this.#asking = true;
  }

  beginTransaction(): void {
    this.transaction.begin();
  }

  discardTransaction(): void {
    this.#discard();
  }

  #discard(): void {
    this.transaction.end();
    this.unwatch();
  }

  executeTransaction(): void {
    const { transaction } = this;
    const { writer } = this.#host;
    const replica = this.#current;
    // A watched key that has expired meanwhile changes now, before it is judged.
    if (replica !== null) for (const key of transaction.watchedKeys) replica.executor.look(key);
    const { commands, failed, dirty } = transaction;
    this.#discard();
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
      if (replica === null) this.#host.runWithoutState(spec, args, this, writer);
      else (spec.run as NonNullable<CommandSpec['run']>)(replica.executor, args);
    }
    this.#executing = false;
  }

  watch(keys: readonly Bytes[]): void {
    const replica = this.#current;
    if (replica === null) return;
    for (const key of keys) {
      replica.executor.look(key);
      this.transaction.watch(key, replica.watches);
    }
  }

  unwatch(): void {
    this.transaction.unwatch();
  }

  waitReplicas(replicas: number, timeoutMs: number): void {
    this.#await('received', 0, replicas, timeoutMs);
  }

  waitFlushed(local: number, replicas: number, timeoutMs: number): void {
    this.#await('flushed', local, replicas, timeoutMs);
  }

  #await(stage: 'received' | 'flushed', local: number, replicas: number, timeoutMs: number): void {
    const deadlineMs =
      timeoutMs === 0 || this.inTransaction ? Number.POSITIVE_INFINITY : this.lastMs + timeoutMs;
    this.#copies.begin({ stage, replicas, local, deadlineMs }, !this.#executing, this.#host.writer);
    this.#host.touched();
  }

  /** Positions moved, or time passed. */
  checkWait(now: number): void {
    const answer = this.#copies.check(now);
    if (answer === null) return;
    this.#reply(answer, null);
    this.#host.resumeLater(this);
  }

  // Waiting for keys.

  waitForKeys(keys: readonly Bytes[], type: KeyWait['type'], timeoutMs: number): boolean {
    if (this.#executing) return false;
    this.#keys.want(keys, type, timeoutMs === 0 ? Number.POSITIVE_INFINITY : this.#arrivedMs + timeoutMs);
    return true;
  }

  runAgain(replica: Replica, spec: CommandSpec, args: Bytes[]): void {
    this.lastMs = this.#host.now();
    this.#runOn(replica, true, 'write', spec, args);
  }

  foundNothing(keeper: Replica, lsn: number, now: number): void {
    this.lastMs = now;
    const policy = this.#host.options.readGate;
    this.#reply((writer) => writer.nilArray(), { keeper, policy, lsn, readMs: now, confirmed: false });
    this.#host.resumeLater(this);
  }

  moveOn(spec: CommandSpec, args: Bytes[]): void {
    const reason = 'this node leads the shard no more, and holds as many commands as it may';
    this.#park(spec, args, this.#host.now(), { kind: 'park', reason });
    if (!this.blocked) this.#host.resumeLater(this);
  }

  /** CLIENT UNBLOCK; false when nothing waits. The client that says so is being answered: this one's turn comes later. */
  unblock(withError: boolean): boolean {
    if (this.#unblocked !== null || !(this.#keys.active || this.waitsForCopies)) return false;
    this.#unblocked = withError ? 'error' : 'timeout';
    this.#keys.leaveQueue();
    this.#host.unblocked(this);
    return true;
  }

  answerUnblocked(): void {
    const how = this.#unblocked;
    this.#unblocked = null;
    if (how === 'error' && (this.#keys.active || this.waitsForCopies)) {
      this.#dropWaits();
      this.#replyError('UNBLOCKED client unblocked via CLIENT UNBLOCK');
      this.#host.resumeLater(this);
    } else if (this.#keys.active) this.#keys.giveUp(this.#host.now());
    else this.checkWait(Number.POSITIVE_INFINITY);
  }

  #dropWaits(): void {
    this.#parking.take();
    this.#copies.end();
    this.#keys.end();
  }

  setAckPolicy(words: readonly Bytes[]): string | null {
    const policy = parseAckPolicy(words, this.#policy);
    if (typeof policy === 'string') return policy;
    this.#policy = policy;
    return null;
  }

  ackPolicyText(): string {
    return formatAckPolicy(this.#policy);
  }

  pause(ms: number): void {
    this.#pausedUntilMs = this.#host.now() + ms;
    this.#host.replied(this);
  }
}

const outOfMemory = "OOM command not allowed when used memory > 'maxmemory'.";

/** Commands that run at once inside MULTI. */
const immediate: ReadonlySet<string> = new Set(['multi', 'exec', 'discard', 'watch', 'quit', 'reset']);
