import type { CoreInit } from '../core/core.ts';
import { Core } from '../core/core.ts';
import { handOver, lowestNeeded, offerSnapshot, pushCommit, sendableBehind } from '../core/leading.ts';
import type { CoreOutput } from '../core/output.ts';
import type { BatchSpan, HardState, Membership, Message, NodeId, Position } from '../core/types.ts';
import type { Task } from '../env/task.ts';
import type { BellwetherError } from '../errors.ts';
import type { Batch } from '../log/batch.ts';
import { BatchBuilder, entryKind } from '../log/batch.ts';
import type { LogPosition, RecoveredShard, ShardLogListener } from '../log/types.ts';
import { Keyspace } from '../state/keyspace.ts';
import { useClockAt } from '../state/use-clock.ts';
import { Applier } from './applier.ts';
import { BlockedClients } from './blocked-clients.ts';
import { Checkpointer } from './checkpointer.ts';
import { Evictor } from './evictor.ts';
import { Executor } from './executor.ts';
import { FallOffWatch } from './fall-off.ts';
import { lagOfFollower, leastBoundMs } from './lag.ts';
import { laggardsAmong } from './laggards.ts';
import { saveLoss } from './loss-ledger.ts';
import { membershipRefusal } from './membership-refusal.ts';
import { openReplicaState } from './opening.ts';
import type { ReplicaContext } from './replica-context.ts';
import { ReplicaGates } from './replica-gates.ts';
import { ReplicaReads } from './replica-reads.ts';
import type { Route } from './session-host.ts';
import { Shipper } from './shipper.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import { Watches } from './watches.ts';

/** An open batch beyond this is sealed although a write is in flight. */
const maxOpenBytes = 512 << 10;
/** Keys deleted by one expiry entry, and their bytes, the last one's excepted. */
const expiryBatch = 200;
const expiryBatchBytes = 1 << 20;

/**
 * Runs one replica of one shard: hands inputs to the core, carries out what it wants, executes and applies, keeps
 * gates. All of it happens inside turns of the event loop; `context.touched()` asks for the end of one.
 */
export class Replica implements CoreOutput, ShardLogListener {
  readonly shard: number;
  /** The route of a command that runs here, on the leader: one for all of them. */
  readonly asLeader: Route = { kind: 'leader', replica: this };
  readonly keyspace = new Keyspace();
  readonly watches = new Watches();
  readonly blocked = new BlockedClients((key) => this.keyspace.peek(key));
  readonly executor: Executor;
  readonly checkpointer: Checkpointer;
  readonly evictor: Evictor;
  readonly gates: ReplicaGates;
  readonly reads: ReplicaReads;
  readonly fallOff: FallOffWatch;
  /** Entries that were cut from this replica's log although they had been executed. */
  lostEntries = 0;
  /** Log from here on is kept for a copy of slots; Infinity while there is none. */
  keepLogFrom = Number.POSITIVE_INFINITY;
  /** Shard time by the entries that the state holds: whoever leads next has it too. */
  #historyMs = 0;
  elections = 0;
  readonly #context: ReplicaContext;
  readonly #builder: BatchBuilder;
  readonly #applier: Applier;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  readonly #shipper: Shipper;
  #core!: Core;
  /** True while this leader executes commands. */
  #serving = false;
  #ledTerm = -1;
  /** When this leader last looked at how far its followers are behind. */
  #followersSeenMs = Number.NEGATIVE_INFINITY;
  #handingOver = false;
  /** Set while a core call runs: what it wants done afterwards. */
  #gatesMoved = false;
  #commitMoved = false;

  constructor(shard: number, context: ReplicaContext) {
    this.shard = shard;
    this.#context = context;
    this.#builder = new BatchBuilder(shard);
    this.gates = new ReplicaGates(this, context);
    this.executor = new Executor(
      {
        nextLsn: () => this.#core.lastLsn + this.#builder.count + 1,
        lastLsn: () => this.lastLsn,
        timeMs: () => this.#shardTime(),
        wholeView: () => context.wholeView(this),
        seal: () => this.seal(),
        maxBatchBytes: context.log.maxBatchBytes,
      },
      this.keyspace,
      this.#builder,
      this.watches,
      this.blocked,
      context.services,
      context.random,
    );
    this.evictor = new Evictor(this.keyspace, context.options, context.random, (keys) => {
      if (!this.executor.removeKeys(keys)) return;
      this.sealLarge();
      context.touched();
    });
    this.#applier = new Applier(this, context);
    this.checkpointer = new Checkpointer(this, context);
    this.#shipper = new Shipper(this, context);
    this.#sender = new SnapshotSender(shard, context, this.checkpointer);
    this.checkpointer.isSent = (checkpoint) => this.#sender.isSending(checkpoint);
    this.#receiver = new SnapshotReceiver(this, context);
    this.reads = new ReplicaReads(this, context);
    this.fallOff = new FallOffWatch(this, context);
  }

  get core(): Core {
    return this.#core;
  }

  /** Last LSN, entries of the open batch included. */
  get lastLsn(): number {
    return this.#core.lastLsn + this.#builder.count;
  }

  get serving(): boolean {
    return this.#serving;
  }

  /** True while the state is not a prefix of history that readers may see. */
  get rebuilding(): boolean {
    return (
      this.#applier.rebuilding ||
      this.#receiver.installing ||
      (!this.#serving && this.keyspace.appliedLsn > this.#core.commit)
    );
  }

  /** Reads the state again from checkpoint and log. */
  rebuild(): void {
    this.#applier.rebuild();
  }

  /** True while the state is read again from the last checkpoint. */
  get restoring(): boolean {
    return this.#applier.rebuilding;
  }

  /** True while a snapshot replaces the state. */
  get receiving(): boolean {
    return this.#receiver.installing;
  }

  /** True while nothing of it is under way on the disk beside the log: then the node may let it go. */
  get quiet(): boolean {
    return (
      !this.rebuilding && !this.#applier.reading && !this.checkpointer.running && !this.#receiver.fetching
    );
  }

  /** Brings the replica up from what is on disk. Throws when it cannot serve without losing what it may have promised. */
  *open(recovered: RecoveredShard | null, initial: Membership, incomplete: boolean): Task<void> {
    this.keyspace.useClock = useClockAt(this.#context.clock.wallMs());
    const init: CoreInit = yield* openReplicaState(this, this.#context, recovered, initial, incomplete);
    const { options, log, random } = this.#context;
    this.#core = new Core(
      init,
      options.core,
      this,
      () => random.float(),
      (lsn) => log.bytesFrom(this.shard, lsn),
    );
    // Tokens of terms long past are still told apart from writes that were lost.
    this.#core.log.learn(this.checkpointer.latestManifest?.terms ?? []);
    this.historyIs(this.checkpointer.latestManifest?.timeMs ?? 0);
    this.keyspace.keepTombstones = false;
    this.#context.log.attach(this.shard, this);
  }

  // Inputs.

  tick(now: number): void {
    this.seal();
    this.#noteTime();
    if (this.#damaged) this.#core.reluctant = true;
    // A state that needs no rebuilding any more is as good as the others'.
    else if (this.#core.reluctant && !this.rebuilding) this.#core.reluctant = false;
    const stalled = this.#context.log.stalledMs() > this.#context.options.diskStallMs;
    this.#core.diskStalled(stalled, now);
    this.#core.tick(now);
    this.#core.compacted(this.#context.log.firstLsn(this.shard) - 1);
    this.#context.log.retainFrom(
      this.shard,
      Math.min(lowestNeeded(this.#core), this.keyspace.appliedLsn + 1, this.keepLogFrom),
    );
    this.#receiver.tick(now);
    if (now - this.#followersSeenMs >= this.#context.options.core.heartbeatMs) {
      this.#followersSeenMs = now;
      this.fallOff.tick(now);
      this.#noteLaggards(now);
    }
    if (this.#serving) {
      if (this.#core.accepting) {
        this.#expireDue();
        if (this.#mayEvict) this.evictor.tick();
        this.blocked.tick(now);
        if (this.checkpointer.isDue(now)) this.#mark();
      }
      pushCommit(this.#core, now);
    }
    this.#settle(now);
  }

  /** The log is known to be damaged where no checkpoint covers it: others lead better. */
  get #damaged(): boolean {
    return this.#core.unreadable > (this.checkpointer.latest?.lsn ?? 0);
  }

  /** Followers that lag too far for clients to be told to read from them, by the leader's word. */
  get laggards(): readonly NodeId[] {
    return this.#core.leadership === null ? this.#core.following.laggards : this.#core.laggards;
  }

  #noteLaggards(now: number): void {
    const { leadership, laggards } = this.#core;
    if (leadership === null) return;
    const bounds = new Map<NodeId, number>();
    for (const [node, progress] of leadership.followers)
      bounds.set(node, leastBoundMs(lagOfFollower(this.#core, leadership, progress, now), progress));
    this.#core.laggards = laggardsAmong(bounds, laggards, this.#context.options.replicaMaxLagMs);
  }

  received(from: NodeId, message: Message, now: number): void {
    if (message.kind === 'snapshotRequest') {
      this.#sender.answer(from, message);
      return;
    }
    if (message.kind === 'snapshotChunk') {
      this.#receiver.arrived(from, message);
      return;
    }
    // Whatever was executed under this term becomes log before another term begins.
    if (message.term > this.#core.term || this.#core.memberships.currentLsn > this.#core.commit) this.seal();
    // A handover may begin, and ends the term.
    if (message.kind === 'leadershipWanted') this.seal();
    this.#core.receive(from, message, now);
    this.#settle(now);
  }

  linkUp(peer: NodeId, now: number): void {
    this.#core.linkUp(peer);
    this.#settle(now);
  }

  peerReplaced(peer: NodeId, now: number): void {
    this.#core.peerReplaced(peer);
    this.#settle(now);
  }

  peerGone(peer: NodeId, now: number): void {
    this.#core.peerGone(peer, now);
    this.#settle(now);
  }

  confirmFresh(now: number): void {
    this.#core.confirmFresh();
    this.#settle(now);
  }

  /** From the log: the next write takes along what was executed during the last one. */
  nextWrite(): void {
    if (this.#builder.count === 0) return;
    this.seal();
    this.#context.touched();
  }

  /** From the log: what was queued for this shard is durable. */
  durable(position: LogPosition | null, hardState: HardState | null): void {
    const now = this.#context.clock.monotonicMs();
    this.seal();
    if (hardState !== null) this.#core.hardStateDurable(hardState, now);
    if (position !== null) this.#core.flushedThrough(position, now);
    this.checkpointer.positionsMoved();
    this.#settle(now);
    this.#context.touchedSoon();
  }

  /**
   * Starts a planned transfer of leadership; false when it cannot be tried now.
   * @param keep the new leader keeps it from preferred nodes
   */
  handOver(target: NodeId, now: number, keep = false): boolean {
    this.seal();
    const started = handOver(this.#core, target, now, keep);
    this.#settle(now);
    return started;
  }

  /**
   * Proposes other members of this shard; null when that is on its way. It is done when `core.memberships.currentLsn` is
   * committed in this term; a leader that is deposed before may find it taken back.
   */
  changeMembership(next: Membership, now: number): BellwetherError | null {
    this.seal();
    const refusal = membershipRefusal(this, this.#context, next, now);
    if (refusal !== null) return refusal;
    this.#builder.begin(entryKind.membership, 0);
    this.#builder.payload.copy(this.#context.encodeMembership(next));
    this.#endOwnEntry();
    this.seal();
    this.#core.membershipProposed(next);
    this.#context.logger.info({ shard: this.shard, lsn: this.lastLsn, ...next }, 'membership proposed');
    this.#settle(now);
    this.#context.touched();
    return null;
  }

  /** An operator wants this replica to lead. */
  askForLeadership(now: number): void {
    this.#core.askForLeadership();
    this.#settle(now);
  }

  /** The turn ends: seals what was executed, unless a write in flight lets it grow. */
  sealTurn(): void {
    if (!this.#context.log.writing) this.seal();
    else this.sealLarge();
  }

  /** Called after every command, so that what one turn executes never outgrows what the log takes. */
  sealLarge(): void {
    if (this.#builder.bytes > maxOpenBytes) this.seal();
  }

  /** Sends the followers what they are to store. */
  ship(now: number): void {
    this.#settle(now);
    this.#shipper.ship();
  }

  /** After the log was told to flush: applies, opens gates, sends what came of it. */
  endTurn(now: number): void {
    this.#applier.step();
    this.#core.appliedThrough(
      this.#serving ? this.keyspace.appliedLsn : Math.min(this.keyspace.appliedLsn, this.#core.commit),
    );
    this.ship(now);
    this.#core.endOfTurn(now);
    this.#settle(now);
    if (this.#gatesMoved) {
      this.#gatesMoved = false;
      this.gates.positionsMoved();
    }
    if (this.gates.waitsFor('applied')) pushCommit(this.#core, now);
    this.reads.ask(now);
  }

  // Executing.

  /** A write of the node's own. Does nothing where this replica does not lead, or cannot write for now. */
  write(name: string, write: (writer: Executor) => void): void {
    if (!this.#serving || !this.#core.accepting || this.#context.log.stats.spaceShort) return;
    if (!this.executor.own(name, write)) return;
    this.sealLarge();
    this.#context.touched();
  }

  /** Encodes the open batch; from here on its entries have their term. */
  seal(): void {
    const count = this.#builder.count;
    if (count === 0) return;
    const batch = this.#builder.seal(this.#core.term, this.#core.lastLsn + 1, this.#core.timeMs);
    this.#core.extend(count);
    this.historyReached(this.#core.timeMs);
    this.#context.log.append(batch);
    this.checkpointer.logged(batch.bytes.length);
  }

  get historyMs(): number {
    return this.#historyMs;
  }

  /** The state holds entries that were logged at this time. */
  historyReached(timeMs: number): void {
    this.#historyMs = Math.max(this.#historyMs, timeMs);
    if (timeMs > this.#core.timeMs) this.#core.timeMs = timeMs;
  }

  /** The state is that of a checkpoint now; what it held before may have been logged later, and cut. */
  historyIs(timeMs: number): void {
    this.#historyMs = 0;
    this.historyReached(timeMs);
  }

  /**
   * What followers show goes by the time of history, not by what a leader told them in passing: a key that one of them
   * hid must not come back under a leader that never heard of that time.
   */
  #shardTime(): number {
    if (this.#core.leadership === null) return this.#historyMs;
    this.#core.timeMs = Math.max(this.#core.timeMs, this.#context.clock.wallMs());
    return this.#core.timeMs;
  }

  /** Keys that are used from here on are used now; without any history, when the replica was opened. */
  #noteTime(): void {
    const timeMs = this.#shardTime();
    if (timeMs > 0) this.keyspace.useClock = useClockAt(timeMs);
  }

  /** Ends an entry that changes nothing in the state: its LSN. */
  #endOwnEntry(): number {
    this.#builder.end();
    const lsn = this.lastLsn;
    this.keyspace.appliedLsn = lsn;
    return lsn;
  }

  #mark(): void {
    this.#builder.begin(entryKind.mark, 0);
    const lsn = this.#endOwnEntry();
    this.seal();
    this.checkpointer.begin({ term: this.#core.term, lsn });
  }

  /** Cuts a checkpoint as soon as possible (leader only). */
  checkpointNow(): boolean {
    if (!this.#serving || this.checkpointer.running) return false;
    this.#mark();
    this.#context.touched();
    return true;
  }

  /**
   * True when the limit of memory is passed and nothing is left that may be evicted. Otherwise there is room now, or
   * this is no time to delete anything.
   */
  lacksMemory(): boolean {
    return this.#mayEvict && !this.evictor.makeRoom();
  }

  get #mayEvict(): boolean {
    return this.#serving && this.#core.accepting && !this.#context.log.stats.spaceShort;
  }

  #expireDue(): void {
    const due = this.keyspace.nextDue(this.#shardTime(), expiryBatch, expiryBatchBytes);
    if (due.length === 0 || !this.executor.removeKeys(due)) return;
    this.sealLarge();
    this.#context.touched();
  }

  // What the core wants.

  send(to: NodeId, message: Message): void {
    this.#context.peers.send(to, this.shard, message, 'control');
  }

  putHardState(hardState: HardState): void {
    if (hardState.term > 0) this.#context.noLongerFresh();
    this.#context.log.putHardState(this.shard, hardState);
    this.#context.touched();
  }

  cutLog(end: Position): void {
    const { log } = this.#context;
    const first = end.lsn + 1;
    const executed = this.keyspace.appliedLsn > end.lsn;
    // Asked for before the cut, so that also what is on disk only is found.
    log.salvage(this.shard, first, (error, batches) => {
      this.lostEntries += saveLoss(this.#context, this.shard, first, error, batches);
    });
    log.cut(this.shard, end);
    if (!executed) return;
    // Clients may wait for what was cut just now: this is no planned end of leadership, whatever was begun.
    this.#handingOver = false;
    this.#applier.rebuild();
  }

  appendToLog(span: BatchSpan, fromLsn: number): void {
    const batch = (span as Batch).from(fromLsn);
    this.#context.log.append(batch);
    this.checkpointer.logged(batch.bytes.length);
    this.#context.touched();
  }

  committed(commit: number): void {
    this.keyspace.committed(commit);
    this.#commitMoved = true;
    this.#gatesMoved = true;
  }

  roleChanged(): void {
    this.reads.leaderChanged();
    this.#context.touched();
  }

  shipTo(follower: NodeId): void {
    this.#shipper.want(follower);
    this.#context.touched();
  }

  positionsChanged(): void {
    this.#gatesMoved = true;
    this.#context.positionsMoved();
    this.#context.touched();
  }

  leadershipConfirmed(): void {
    this.gates.leadershipConfirmed();
  }

  fetchSnapshot(from: NodeId, checkpoint: Position): void {
    this.#receiver.fetch(from, checkpoint);
  }

  needsSnapshot(follower: NodeId): void {
    const behind = sendableBehind(this.#core);
    const sending = this.#sender.sendingTo(follower);
    const checkpoint = sending !== null && sending.lsn >= behind ? sending : this.checkpointer.latest;
    if (checkpoint !== null && checkpoint.lsn >= behind) {
      offerSnapshot(this.#core, follower, checkpoint, this.#context.clock.monotonicMs());
    } else if (this.#serving) {
      this.checkpointer.want(behind);
    }
  }

  readIndex(context: number, commit: number | null): void {
    this.reads.answered(context, commit);
  }

  fresh(atMs: number, commit: number): void {
    this.reads.vouched(atMs, commit);
  }

  doubtCleared(): void {
    this.#context.log.madeGood(this.shard);
    this.#context.logger.info({ shard: this.shard, term: this.#core.term }, 'this replica votes');
  }

  // After a core call.

  /** Carries out what must not happen inside the core's own call: role changes, applying. */
  #settle(now: number): void {
    const { leadership } = this.#core;
    if (leadership !== null && leadership.term !== this.#ledTerm) this.#openTerm(leadership.term);
    if (leadership === null && this.#ledTerm >= 0) this.#deposed();
    this.#handingOver = leadership?.handover !== undefined && leadership?.handover !== null;
    if (this.#commitMoved) {
      this.#commitMoved = false;
      this.#context.touched();
      this.checkpointer.positionsMoved();
    }
    this.#becomeReady(now);
    this.#context.roleMayHaveChanged(this);
  }

  #openTerm(term: number): void {
    this.#ledTerm = term;
    this.gates.leadershipEnded();
    this.elections += 1;
    // What is written before the next tick is used now, too.
    this.#noteTime();
    // The core has given the no-op its LSN; here are its bytes.
    this.#builder.begin(entryKind.noop, 0);
    this.#builder.end();
    const lsn = this.#core.leadership?.firstLsn ?? 0;
    const batch = this.#builder.seal(term, lsn, this.#core.timeMs);
    this.#context.log.append(batch);
    // Else the log from here on would be kept until somebody writes.
    this.checkpointer.logged(batch.bytes.length);
    this.#context.logger.info({ shard: this.shard, term, lsn }, 'elected leader');
    this.#context.touched();
  }

  #deposed(): void {
    // A transfer that was overtaken by an election may leave replies to writes that are lost: their clients must go.
    const planned = this.#handingOver && this.keyspace.appliedLsn <= this.#core.commit;
    this.gates.leadershipEnded();
    this.#ledTerm = -1;
    const served = this.#serving;
    this.#serving = false;
    this.keyspace.keepTombstones = false;
    this.#core.reluctant = this.#damaged || this.keyspace.appliedLsn > this.#core.commit;
    this.#context.logger.info({ shard: this.shard, term: this.#core.term, planned }, 'no longer leader');
    this.checkpointer.leadershipLost();
    this.gates.leadershipConfirmed();
    this.blocked.leadershipEnded();
    if (served) this.#context.deposed(this, planned);
  }

  /** A new leader serves once its no-op is committed and everything through it is applied. */
  #becomeReady(now: number): void {
    const { leadership } = this.#core;
    if (this.#serving || leadership === null || !this.#core.hasOwnCommit) return;
    if (this.#applier.rebuilding || this.#receiver.installing) return;
    this.#applier.step();
    if (this.keyspace.appliedLsn < leadership.firstLsn) return;
    this.#serving = true;
    this.keyspace.keepTombstones = true;
    this.#core.reluctant = this.#damaged;
    this.checkpointer.startedServing(now);
    this.#context.logger.info(
      { shard: this.shard, term: this.#core.term, commit: this.#core.commit },
      'serving',
    );
    this.#context.servingChanged();
  }
}
