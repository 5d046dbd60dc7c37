import type { CoreInit } from './core.ts';
import { Core } from './core.ts';
import {
  handOver,
  logUnreadable,
  lowestNeeded,
  noticeOf,
  offerSnapshot,
  planShipment,
  pushCommit,
  sendableBehind,
  shipmentSent,
} from './leading.ts';
import { refusalOf } from './membership-change.ts';
import type { CoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import type { DiskWrite, ScenarioBatch } from './scenario-log-test-kit.ts';
import { noop, ScenarioLog, scenarioBatch } from './scenario-log-test-kit.ts';
import type { BatchSpan, HardState, Lsn, Membership, Message, NodeId, Position } from './types.ts';

/** What a scenario node sees of the world around it. */
export interface ScenarioWorld {
  readonly nowMs: number;
  send(from: NodeId, to: NodeId, message: Message): void;
  /** A line of the trace. */
  say(line: string): void;
  /** The checkpoint that a node has, when it is exactly the one asked for and can be reached. */
  checkpointOf(owner: NodeId, asker: NodeId, checkpoint: Position): ScenarioCheckpoint | null;
  committed(node: ScenarioNode, lsn: Lsn): void;
  elected(node: ScenarioNode): void;
}

export interface ScenarioCheckpoint {
  readonly position: Position;
  readonly membership: Membership;
}

type Doubt = CoreInit['doubt'];

/** One replica of a scenario: a core, a log, a disk that flushes when it may, and what a driver does for them. */
export class ScenarioNode implements CoreOutput {
  readonly id: NodeId;
  core!: Core;
  running = false;
  paused = false;
  holdsFlush = false;
  /** The last thing that the leader vouched for by its lease. */
  vouched: { readonly atMs: number; readonly commit: Lsn } | null = null;
  holdsSnapshot = false;
  /** An entry of its log that its disk does not give back, though nobody has noticed; 0 for none. */
  rotten: Lsn = 0;
  /** What it may have forgotten, for its next start. */
  doubt: Doubt = null;
  log = new ScenarioLog();
  disk = new ScenarioLog();
  checkpoint: ScenarioCheckpoint | null = null;
  /** The one before it, which a follower may still be fetching. */
  previousCheckpoint: ScenarioCheckpoint | null = null;
  /** Asked of the disk and not yet stable. */
  writes: DiskWrite[] = [];
  readonly #world: ScenarioWorld;
  readonly #options: CoreOptions;
  readonly #random: number;
  readonly #initial: Membership;
  #ledTerm = -1;
  #unanswered: { readonly lsn: Lsn; readonly text: string }[] = [];
  #fetch: { readonly from: NodeId; readonly checkpoint: Position } | null = null;
  readonly #toShip = new Set<NodeId>();
  readonly #needSnapshot = new Set<NodeId>();
  #saidRole = '';
  #context = 0;

  constructor(
    id: NodeId,
    world: ScenarioWorld,
    options: CoreOptions,
    random: number,
    initial: Membership,
    doubt: Doubt,
  ) {
    this.id = id;
    this.#world = world;
    this.#options = options;
    this.#random = random;
    this.#initial = initial;
    this.doubt = doubt;
  }

  // The process.

  /** Starts from what the disk gives back. */
  start(): void {
    const { disk, checkpoint } = this;
    // A checkpoint was installed and the log was not yet told: the checkpoint counts.
    if (checkpoint !== null && !disk.holds(checkpoint.position)) disk.reset(checkpoint.position);
    this.log = new ScenarioLog();
    this.log.base = disk.base;
    for (const batch of disk.batchesFrom(disk.base.lsn + 1, Number.POSITIVE_INFINITY))
      this.log.append(batch, batch.firstLsn);
    const floor = checkpoint?.position.lsn ?? 0;
    const init: CoreInit = {
      id: this.id,
      hardState: disk.hardState,
      base: disk.base,
      runs: disk.runs,
      lastLsn: disk.lastLsn,
      commit: floor,
      membership: checkpoint?.membership ?? this.#initial,
      membershipLsn: floor,
      memberships: disk.memberships.filter((entry) => entry.lsn > floor),
      doubt: this.doubt,
      nowMs: this.#world.nowMs,
    };
    this.core = new Core(init, this.#options, this, () => this.#random);
    this.running = true;
    this.paused = false;
    this.#saidRole = '';
  }

  /** The process ends: what its disk had not made stable is gone. */
  crash(): void {
    this.running = false;
    this.vouched = null;
    this.writes = [];
    this.#ledTerm = -1;
    this.#unanswered = [];
    this.#fetch = null;
    this.#toShip.clear();
    this.#needSnapshot.clear();
  }

  loseDisk(): void {
    this.disk = new ScenarioLog();
    this.checkpoint = null;
    this.previousCheckpoint = null;
    this.doubt = { mayHaveAcknowledged: null };
    this.rotten = 0;
  }

  /** The disk gives back the log up to `lsn` only, and says what it had held. */
  damage(lsn: Lsn): void {
    const { lastLsn } = this.disk;
    this.doubt = { mayHaveAcknowledged: { term: this.disk.at(lastLsn)?.term ?? 0, lsn: lastLsn } };
    this.rotten = 0;
    this.disk.cut(lsn);
  }

  // Inputs.

  tick(): void {
    this.core.tick(this.#world.nowMs);
    if (this.core.hasOwnCommit) pushCommit(this.core, this.#world.nowMs);
    this.endTurn();
  }

  receive(from: NodeId, message: Message): void {
    this.core.receive(from, message, this.#world.nowMs);
    this.endTurn();
  }

  /** Something else is asked of the core. */
  input(ask: (core: Core, nowMs: number) => void): void {
    ask(this.core, this.#world.nowMs);
    this.endTurn();
  }

  /** The leader executes a client's writes as one batch. */
  execute(texts: readonly string[]): void {
    if (!this.core.accepting || !this.core.hasOwnCommit) {
      this.#say(`takes no writes: ${texts.join(' ')}`);
      return;
    }
    const firstLsn = this.core.lastLsn + 1;
    texts.forEach((text, index) => void this.#unanswered.push({ lsn: firstLsn + index, text }));
    this.#extend(scenarioBatch(this.core.term, firstLsn, texts, null));
    this.endTurn();
  }

  changeMembership(membership: Membership, text: string, how: 'asked' | 'forced'): void {
    const refusal = how === 'asked' ? refusalOf(this.core, membership, this.#world.nowMs) : null;
    if (refusal !== null) {
      this.#say(`refuses ${text}: ${refusal.why}`);
      return;
    }
    if (!this.core.mayChangeMembership()) {
      this.#say(`may not change the membership now: ${text}`);
      return;
    }
    this.#extend(scenarioBatch(this.core.term, this.core.lastLsn + 1, [text], membership));
    this.core.membershipProposed(membership);
    this.endTurn();
  }

  /** Tells a node who takes part, as leaders do to those that do not. */
  notify(node: NodeId): void {
    const notice = noticeOf(this.core);
    this.#say(`names ${notice.members.join(' ')} to ${node}`);
    this.send(node, notice);
    this.endTurn();
  }

  handOver(target: NodeId, keep: boolean): void {
    if (!handOver(this.core, target, this.#world.nowMs, keep)) this.#say(`cannot hand over to ${target}`);
    this.endTurn();
  }

  askRead(byLease = false): void {
    const { core } = this;
    this.#context += 1;
    const request = {
      kind: 'readIndexRequest',
      term: core.term,
      context: this.#context,
      byLease,
    } as const;
    if (core.leader === null) this.#say('knows no leader to ask for a read');
    else if (core.leader === this.id) core.receive(this.id, request, this.#world.nowMs);
    else this.send(core.leader, request);
    this.endTurn();
  }

  cutCheckpoint(): void {
    const { log, core } = this;
    const lsn = Math.min(core.commit, core.flushed);
    const term = lsn === log.base.lsn ? log.base.term : (log.at(lsn)?.term ?? 0);
    this.previousCheckpoint = this.checkpoint;
    this.checkpoint = { position: { term, lsn }, membership: core.memberships.at(lsn) };
    this.#say(`has a checkpoint at ${lsn}`);
  }

  /** Drops log that the checkpoint covers: as far as no follower needs it, or all of it. */
  compact(regardless: boolean): void {
    const needed = regardless ? Number.POSITIVE_INFINITY : lowestNeeded(this.core) - 1;
    const lsn = Math.min(this.checkpoint?.position.lsn ?? 0, needed);
    const term = this.log.at(lsn)?.term;
    if (term === undefined) {
      this.#say('keeps its log');
      return;
    }
    this.log.reset({ term, lsn });
    this.disk.reset({ term, lsn });
    this.core.compacted(lsn);
    this.#say(`drops its log up to ${lsn}`);
  }

  /** Makes the oldest `count` writes stable. */
  flush(count: number): void {
    let hardState: HardState | null = null;
    let position: Position | null = null;
    for (const write of this.writes.splice(0, count)) {
      this.disk.write(write);
      if (write.kind === 'hardState') hardState = write.hardState;
      else if (write.kind === 'entries') position = { term: write.batch.term, lsn: write.batch.lastLsn };
    }
    if (hardState !== null) this.core.hardStateDurable(hardState, this.#world.nowMs);
    if (position !== null) this.core.flushedThrough(position, this.#world.nowMs);
    this.endTurn();
  }

  /** Carries out what the core asked for, as often as that leads to more. */
  endTurn(): void {
    const { core } = this;
    const now = this.#world.nowMs;
    this.#followRole();
    core.reluctant = core.unreadable > (this.checkpoint?.position.lsn ?? 0);
    for (const follower of this.#needSnapshot) this.#offer(follower);
    this.#needSnapshot.clear();
    this.#answerClients();
    core.appliedThrough(core.commit);
    for (const follower of this.#toShip) this.#ship(follower);
    this.#toShip.clear();
    core.endOfTurn(now);
    if (this.#fetch !== null && !this.holdsSnapshot) this.#install();
    if (this.writes.length > 0 && !this.holdsFlush) this.flush(this.writes.length);
  }

  // What the core wants.

  send(to: NodeId, message: Message): void {
    const line = describeSent(to, message);
    if (line !== null) this.#say(line);
    this.#world.send(this.id, to, message);
  }

  putHardState(hardState: HardState): void {
    this.writes.push({ kind: 'hardState', hardState });
  }

  cutLog(end: Position): void {
    const lost = this.log.texts(end.lsn + 1, this.log.lastLsn).join(' ');
    if (end.lsn < this.rotten) this.rotten = 0;
    this.log.cut(end.lsn);
    this.writes.push({ kind: 'cut', end });
    this.#say(`cuts its log behind ${end.lsn}: ${lost} is lost`);
  }

  appendToLog(span: BatchSpan, fromLsn: Lsn): void {
    const batch = span as ScenarioBatch;
    this.log.append(batch, fromLsn);
    this.writes.push({ kind: 'entries', batch, fromLsn });
    const range = fromLsn === batch.lastLsn ? `${fromLsn}` : `${fromLsn}..${batch.lastLsn}`;
    this.#say(`appends ${range} of term ${batch.term}: ${this.log.texts(fromLsn, batch.lastLsn).join(' ')}`);
  }

  committed(commit: Lsn): void {
    this.#say(`commits ${commit}`);
    this.#world.committed(this, commit);
  }

  roleChanged(): void {
    const { core } = this;
    const role = this.#roleNow();
    if (role === this.#saidRole) return;
    this.#saidRole = role;
    this.#say(role);
    if (core.leadership !== null && core.leadership.term !== this.#ledTerm) this.#world.elected(this);
  }

  shipTo(follower: NodeId): void {
    this.#toShip.add(follower);
  }

  positionsChanged(): void {}

  leadershipConfirmed(): void {}

  fetchSnapshot(from: NodeId, checkpoint: Position): void {
    if (this.#fetch === null) this.#say(`fetches the checkpoint at ${checkpoint.lsn} from ${from}`);
    this.#fetch = { from, checkpoint };
  }

  needsSnapshot(follower: NodeId): void {
    this.#needSnapshot.add(follower);
  }

  readIndex(_context: number, commit: Lsn | null): void {
    this.#say(commit === null ? 'gets no answer to its read' : `may read once it has applied ${commit}`);
  }

  fresh(atMs: number, commit: Lsn): void {
    this.vouched = { atMs, commit };
  }

  doubtCleared(): void {
    this.doubt = null;
    this.#say('is no longer in doubt');
  }

  // Inside.

  #say(line: string): void {
    this.#world.say(`${this.id} ${line}`);
  }

  #roleNow(): string {
    const { core } = this;
    if (core.leadership !== null)
      return core.leadership.handover === null
        ? `leads term ${core.term}`
        : `prepares to hand over to ${core.leadership.handover.target}`;
    if (core.campaign !== null)
      return core.campaign.preVote
        ? `asks who would vote for it in term ${core.campaign.term}`
        : `campaigns in term ${core.campaign.term}`;
    if (core.leader === null) return `is in term ${core.term}, without a leader`;
    return `follows ${core.leader} in term ${core.term}`;
  }

  #extend(batch: ScenarioBatch): void {
    this.core.extend(batch.texts.length);
    this.log.append(batch, batch.firstLsn);
    this.writes.push({ kind: 'entries', batch, fromLsn: batch.firstLsn });
  }

  #followRole(): void {
    const { leadership } = this.core;
    if (leadership !== null && leadership.term !== this.#ledTerm) {
      this.#ledTerm = leadership.term;
      const batch = scenarioBatch(leadership.term, leadership.firstLsn, [noop], null);
      this.log.append(batch, batch.firstLsn);
      this.writes.push({ kind: 'entries', batch, fromLsn: batch.firstLsn });
    }
    if (leadership === null && this.#ledTerm >= 0) {
      this.#ledTerm = -1;
      if (this.#unanswered.length > 0)
        this.#say(`cannot say what became of ${this.#unanswered.map(({ text }) => text).join(' ')}`);
      this.#unanswered = [];
    }
  }

  #answerClients(): void {
    const done = this.#unanswered.filter(({ lsn }) => lsn <= this.core.commit);
    if (done.length === 0) return;
    this.#unanswered = this.#unanswered.filter(({ lsn }) => lsn > this.core.commit);
    this.#say(`acknowledges ${done.map(({ text }) => text).join(' ')}`);
  }

  #ship(follower: NodeId): void {
    const { core } = this;
    for (let plan = planShipment(core, follower); plan !== null; plan = planShipment(core, follower)) {
      const batches = this.log.batchesFrom(plan.fromLsn, plan.maxBytes);
      const bad = batches.find(({ firstLsn, lastLsn }) => firstLsn <= this.rotten && this.rotten <= lastLsn);
      if (bad !== undefined) {
        this.#say(`cannot read ${bad.lastLsn} back for ${follower}`);
        logUnreadable(core, bad.lastLsn);
        continue;
      }
      this.send(follower, {
        kind: 'append',
        term: core.term,
        previous: plan.previous,
        batches,
        commit: core.commit,
        timeMs: 0,
        wantReceived: core.wantReceived,
        wantApplied: core.wantApplied,
      });
      let bytes = 0;
      for (const batch of batches) bytes += batch.bytes.length;
      shipmentSent(core, follower, batches.at(-1)?.lastLsn ?? plan.previous.lsn, bytes);
    }
  }

  #offer(follower: NodeId): void {
    const { checkpoint, core } = this;
    if (checkpoint === null || checkpoint.position.lsn < sendableBehind(core)) {
      if (core.hasOwnCommit) this.cutCheckpoint();
      return;
    }
    offerSnapshot(core, follower, checkpoint.position, this.#world.nowMs);
  }

  #install(): void {
    const { from, checkpoint } = this.#fetch as { from: NodeId; checkpoint: Position };
    this.#fetch = null;
    const found = this.#world.checkpointOf(from, this.id, checkpoint);
    if (found === null || checkpoint.lsn <= this.core.commit || this.core.leadership !== null) {
      this.#say(`gives up the checkpoint at ${checkpoint.lsn}`);
      return;
    }
    this.checkpoint = found;
    this.log.reset(checkpoint);
    this.writes.push({ kind: 'reset', position: checkpoint });
    this.#say(`installs the checkpoint at ${checkpoint.lsn}`);
    this.core.snapshotInstalled(checkpoint, found.membership);
    this.endTurn();
  }
}

/** What is worth a line when it is sent; null for the daily business. */
function describeSent(to: NodeId, message: Message): string | null {
  switch (message.kind) {
    case 'preVoteResponse':
      return `would ${message.granted ? '' : 'not '}vote for ${to} in term ${message.asked}`;
    case 'voteResponse':
      return message.granted
        ? `votes for ${to} in term ${message.asked}`
        : `refuses ${to} its vote in term ${message.asked}`;
    case 'appendAck': {
      if (message.refused === undefined) return null;
      const { previous, hint } = message.refused;
      return `has no ${previous.lsn} of term ${previous.term}; its log may agree up to ${hint.lsn}`;
    }
    case 'leadershipWanted':
      return `asks ${to} for leadership`;
    case 'campaignNow':
      return `tells ${to} to campaign`;
    case 'snapshotOffer':
      return `offers ${to} its checkpoint at ${message.checkpoint.lsn}`;
    case 'readIndexResponse':
      return message.commit === null
        ? `cannot answer the read of ${to}`
        : `answers the read of ${to}: commit ${message.commit}`;
    default:
      return null;
  }
}
