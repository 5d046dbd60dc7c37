import type { Bytes } from '../bytes/types.ts';
import type { Steps } from '../commands/steps.ts';
import { findCommand } from '../commands/table.ts';
import type { CommandContext, CommandSpec, SessionControl } from '../commands/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import { formatAckPolicy, parseAckPolicy } from './ack-policy.ts';
import type { KeyWait } from './blocked-clients.ts';
import { CommandRunner } from './command-runner.ts';
import { CopiesWait } from './copies-wait.ts';
import type { GateWaiter } from './gate-board.ts';
import type { KeyWaiter } from './key-waiting.ts';
import { KeyWaiting } from './key-waiting.ts';
import { LaterAnswer, outcomeOf } from './later-answer.ts';
import { Parking } from './parking.ts';
import type { Replica } from './replica.ts';
import type { StateWaiter } from './replica-reads.ts';
import { ReplyMode } from './reply-mode.ts';
import type { Gate } from './reply-queue.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { SessionHost } from './session-host.ts';
import { SessionReads } from './session-reads.ts';
import type { ClientSession, SessionSink } from './session-types.ts';
import type { Transaction } from './transaction.ts';

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
  readonly reads: SessionReads;
  noEvict = false;
  noTouch = false;
  protocol: 2 | 3 = 2;
  lastCommand = 'NULL';
  lastMs: number;
  readonly bornMs: number;
  commands = 0;
  readonly replies: ReplyQueue;
  readonly #host: SessionHost;
  readonly #sink: SessionSink;
  readonly #runner: CommandRunner;
  readonly #replyMode = new ReplyMode();
  /** True while the host will call `flush` at the end of this turn. */
  queuedToFlush = false;
  readonly parking: Parking;
  readonly copies: CopiesWait;
  readonly keys = new KeyWaiting(this);
  readonly later = new LaterAnswer();
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
    this.#runner = new CommandRunner(host, this);
    this.#loggedIn = host.password === '';
    this.bornMs = host.now();
    this.lastMs = this.bornMs;
    this.#runner.sentByMs = this.bornMs;
    this.reads = new SessionReads(() => host.metadataEpoch());
    this.reads.reset(host.options.readLevel);
    this.replies = new ReplyQueue(this);
    this.parking = new Parking(host, this);
    this.copies = new CopiesWait(() => host.copiesOfNothing());
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

  /** A command of this client waits: for a leader, for copies, for keys, for its answer to be worked out. */
  get waiting(): boolean {
    return this.parking.taken || this.waitsForCopies || this.keys.active || this.later.active;
  }

  get waitsForCopies(): boolean {
    return this.copies.active;
  }

  get transaction(): Transaction {
    return this.#runner.transaction;
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
    this.#runner.sentByMs = this.lastMs;
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
      this.#runner.refuse((args[0] as Bytes).toLowerCase(), found);
      return;
    }
    this.lastCommand = found.name;
    this.#arrivedMs = this.lastMs;
    this.#runner.dispatch(found, args, this.lastMs);
  }

  protocolError(line: string): void {
    this.replyError(line);
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

  /** The replica that a read waits for has come further. */
  stateMoved(): void {
    this.retry();
  }

  /** The command at hand has written its reply, or will answer later. */
  answered(gate: Gate | null): void {
    const { out } = this.#host.writer;
    if (out.length === 0) return; // the reply comes later (WAIT)
    if (this.#replyMode.silent) {
      out.rewind(0);
      return;
    }
    this.replies.add(out, gate, this.lastMs);
    this.#host.replied(this);
  }

  reply(write: (writer: ReplyWriter) => void, gate: Gate | null): void {
    const { writer } = this.#host;
    writer.protocol = this.protocol;
    write(writer);
    this.answered(gate);
  }

  replyError(line: string): void {
    this.#host.stats.errors += 1;
    this.reply((writer) => writer.error(line), null);
  }

  // Waiting.

  /** The parked command may be able to run, or its time is over. */
  retry(): void {
    const parked = this.parking.take();
    if (parked === null) return;
    this.lastMs = this.#host.now();
    const latestMs = this.#runner.sentByMs;
    this.#runner.sentByMs = parked.sentByMs;
    this.#runner.dispatch(parked.spec, parked.args, parked.sinceMs);
    this.#runner.sentByMs = latestMs;
    if (!this.blocked) this.#host.resumeLater(this);
  }

  resume(): void {
    if (!this.blocked) this.#sink.resume();
  }

  gateOpened(): void {
    this.replies.opened();
    this.#host.replied(this);
  }

  /** A replica of this node leads no more: what waits for it, and was not reached, is lost or will never be known. */
  leadershipEnded(replica: Replica): void {
    if (this.replies.leadershipEnded(replica.gates)) this.#host.replied(this);
    const asked = this.later.leadershipEnded(replica);
    if (asked !== null) this.moveOn(asked.spec, asked.args);
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
    if (this.parking.taken) this.retry();
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
    return this.parking.taken || this.waitsForCopies || this.#pausedUntilMs > 0 || !this.replies.empty;
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
    this.#runner.discard();
    this.name = '';
    this.readOnly = false;
    this.reads.reset(this.#host.options.readLevel);
    this.noEvict = false;
    this.noTouch = false;
    this.#runner.asking = false;
    this.#replyMode.reset();
    this.#runner.policy = this.#host.options.ack;
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
    this.#runner.asking = true;
  }

  beginTransaction(): void {
    this.transaction.begin();
  }

  discardTransaction(): void {
    this.#runner.discard();
  }

  executeTransaction(): void {
    this.#runner.executeTransaction();
  }

  watch(keys: readonly Bytes[]): void {
    this.#runner.watch(keys);
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
    this.copies.begin({ stage, replicas, local, deadlineMs }, !this.#runner.executing, this.#host.writer);
    this.#host.touched();
  }

  /** Positions moved, or time passed. */
  checkWait(now: number): void {
    const answer = this.copies.check(now);
    if (answer === null) return;
    this.reply(answer, null);
    this.#host.resumeLater(this);
  }

  // Answers that take several turns.

  get mayAnswerLater(): boolean {
    return !this.#runner.executing;
  }

  answerLater(work: Steps<(reply: ReplyWriter) => void>): void {
    this.later.want(outcomeOf(work, (answer) => ({ kind: 'answer', answer })));
  }

  runLater(work: Steps<(context: CommandContext) => void>): void {
    this.later.want(outcomeOf(work, (run) => ({ kind: 'run', run })));
  }

  /** Does so many steps of the work for the answer; true when more are left. */
  workOn(steps: number): boolean {
    const done = this.later.step(steps);
    if (done !== null) {
      const { outcome, of } = done;
      this.lastMs = this.#host.now();
      if (outcome.kind === 'answer') this.reply(outcome.answer, of.gate);
      else this.#runner.dispatch({ ...of.spec, run: outcome.run }, of.args, this.lastMs);
      if (!this.blocked) this.#host.resumeLater(this);
    }
    return this.later.active;
  }

  // Waiting for keys.

  waitForKeys(keys: readonly Bytes[], type: KeyWait['type'], timeoutMs: number): boolean {
    if (this.#runner.executing) return false;
    this.keys.want(keys, type, timeoutMs === 0 ? Number.POSITIVE_INFINITY : this.#arrivedMs + timeoutMs);
    return true;
  }

  runAgain(replica: Replica, spec: CommandSpec, args: Bytes[]): void {
    this.lastMs = this.#host.now();
    this.#runner.runOn(replica, true, 'write', spec, args);
  }

  foundNothing({ gates: keeper }: Replica, lsn: number, now: number): void {
    this.lastMs = now;
    const policy = this.#host.options.readGate;
    this.reply((writer) => writer.nilArray(), { keeper, policy, lsn, readMs: now, confirmed: false });
    this.#host.resumeLater(this);
  }

  moveOn(spec: CommandSpec, args: Bytes[]): void {
    const reason = 'this node leads the shard no more, and holds as many commands as it may';
    this.#runner.park(spec, args, this.#host.now(), { kind: 'park', reason });
    if (!this.blocked) this.#host.resumeLater(this);
  }

  /** CLIENT UNBLOCK; false when nothing waits. The client that says so is being answered: this one's turn comes later. */
  unblock(withError: boolean): boolean {
    if (this.#unblocked !== null || !(this.keys.active || this.waitsForCopies)) return false;
    this.#unblocked = withError ? 'error' : 'timeout';
    this.keys.leaveQueue();
    this.#host.unblocked(this);
    return true;
  }

  answerUnblocked(): void {
    const how = this.#unblocked;
    this.#unblocked = null;
    if (how === 'error' && (this.keys.active || this.waitsForCopies)) {
      this.#dropWaits();
      this.replyError('UNBLOCKED client unblocked via CLIENT UNBLOCK');
      this.#host.resumeLater(this);
    } else if (this.keys.active) this.keys.giveUp(this.#host.now());
    else this.checkWait(Number.POSITIVE_INFINITY);
  }

  #dropWaits(): void {
    this.parking.take();
    this.copies.end();
    this.keys.end();
    this.later.end();
  }

  setAckPolicy(words: readonly Bytes[]): string | null {
    const policy = parseAckPolicy(words, this.#runner.policy);
    if (typeof policy === 'string') return policy;
    this.#runner.policy = policy;
    return null;
  }

  ackPolicyText(): string {
    return formatAckPolicy(this.#runner.policy);
  }

  pause(ms: number): void {
    this.#pausedUntilMs = this.#host.now() + ms;
    this.#host.replied(this);
  }
}
