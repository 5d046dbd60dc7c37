import { ByteWriter } from '../bytes/byte-writer.ts';
import type { Bytes } from '../bytes/types.ts';
import type { CommandContext, CommandSpec } from '../commands/types.ts';
import { doubtfulHeartbeats } from '../core/options.ts';
import type { Message, NodeId, NodeNotice, SlotCopied, SlotCopy, SlotStep } from '../core/types.ts';
import type { TurnEnd } from '../env/turn.ts';
import type { PeerHandler, PeerIdentity } from '../peer/types.ts';
import { RespWriter } from '../resp/reply-writer.ts';
import type { KeyspaceView } from '../state/types.ts';
import type { AckPolicy } from './ack-policy.ts';
import { encodeAckPolicy } from './ack-policy.ts';
import { AllKeepers } from './all-keepers.ts';
import { AllKeyspaces } from './all-keyspaces.ts';
import { Formation } from './formation.ts';
import { HeldReplicas } from './held-replicas.ts';
import { LeaderDirectory } from './leader-directory.ts';
import { LeaderNotices, type NodePlace } from './leader-notices.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';
import type { Gate } from './reply-queue.ts';
import { Session } from './session.ts';
import type { Route, SessionHost, SessionOptions } from './session-host.ts';
import type { ClientSession, SessionSink } from './session-types.ts';

/** What leaders tell each other of slots that move. */
export type SlotMessage = SlotCopy | SlotCopied | SlotStep;

/** Log bytes that may wait for the disk; beyond that, writes wait before they are executed. */
const maxQueuedLogBytes = 32 << 20;

/** Steps that one turn does for answers that take several: some 0.5 to 2 ms of work, all sessions together. */
const stepsPerTurn = 8;

/** What the shards of a node need beside what each replica does. */
export interface HostContext
  extends Omit<
    ReplicaContext,
    | 'knowsNode'
    | 'wholeView'
    | 'touched'
    | 'touchedSoon'
    | 'positionsMoved'
    | 'servingChanged'
    | 'roleMayHaveChanged'
    | 'deposed'
  > {
  readonly turn: TurnEnd;
  readonly session: SessionOptions;
  readonly password: () => string;
  /** The nodes that the cluster began with. */
  readonly founders: readonly NodeId[];
  /** Every node of the cluster, this one included. */
  nodes(): readonly NodeId[];
  /** Which shard owns a slot. */
  readonly owners: {
    ownerOf(slot: number): number;
    /** The move that brought the slot there, by the epoch that began it; by default none was ever moved. */
    sinceOf?(slot: number): number;
    /** The epoch of the metadata that says so. */
    epoch?(): number;
  };
  /** Where clients reach a node, `host:port`; null when that is not known. */
  clientAddress(node: NodeId): string | null;
  /** Where this node is, as it tells the others; without it, nothing. */
  place?(): NodePlace;
  /** A node said where it is. */
  placeHeard?(node: NodeId, place: NodePlace): void;
  /** Sends what the peers were given in this turn. */
  flushPeers(): void;
}

/** What parked commands may wait for in a replica. */
type Role = Pick<Replica['core'], 'term' | 'leader' | 'accepting'> & Pick<Replica, 'serving'>;

/** Moves slots between shards: hears what its like on other nodes send. */
export interface SlotPeer {
  received(from: NodeId, shard: number, message: SlotMessage): void;
  /** The slot is all here, though metadata knows of no move of it later than the given one. */
  isArriving(slot: number, since: number): boolean;
  /** A turn ends: what is committed may have moved. */
  turnEnded(now: number): void;
}

/**
 * All replicas and all sessions of one node: routes commands, ends turns, and hears what the peers send. The node's
 * wiring (or the simulator) calls `tick` about every 10 ms.
 */
export class ShardHost implements SessionHost, PeerHandler {
  readonly held: HeldReplicas;
  /** What clients see of them. */
  readonly replicas: ReadonlyMap<number, Replica>;
  readonly sessions = new Map<number, Session>();
  readonly writer = new RespWriter(new ByteWriter(256 << 10));
  readonly stats = { commands: 0, errors: 0 };
  readonly directory = new LeaderDirectory();
  /** Who moves slots here; null as long as nobody does. */
  slotPeer: SlotPeer | null = null;
  parkedBytes = 0;
  /** When a client was last sent to a leader elsewhere, monotonic ms. */
  redirectedMs = Number.NEGATIVE_INFINITY;
  readonly #context: HostContext;
  #nextSession = 1;
  #turnScheduled = false;
  #turnSoon = false;
  #flushing: Session[] = [];
  #resuming: Session[] = [];
  #parked = new Set<Session>();
  #unblocked: Session[] = [];
  /** Whose answers take several turns, in the order in which they are worked on. */
  readonly #working = new Set<Session>();
  #unpark = false;
  #checkWaits = false;
  /** Writes are parked until less waits for the disk. */
  #diskBehind = false;
  /** Roles as they were when parked commands were last looked at. */
  readonly #roles = new Map<number, Role>();
  /** The data directory that each peer came with last. */
  readonly #instances = new Map<NodeId, string>();
  readonly #notices: LeaderNotices;
  readonly #formation: Formation;
  #pausedUntilMs = 0;
  #pauseWritesOnly = false;
  /** Set while clients must go: they are closed at the end of the turn. */
  #closeClients: string | null = null;

  constructor(context: HostContext) {
    this.#context = context;
    this.held = new HeldReplicas({
      ...context,
      spanOf: (batch) => context.spanOf(batch),
      encodeMembership: (membership) => context.encodeMembership(membership),
      decodeMembership: (bytes) => context.decodeMembership(bytes),
      fatal: (error) => context.fatal(error),
      knowsNode: (node) => context.nodes().includes(node),
      wholeView: (replica) => this.#wholeView(replica),
      touched: () => this.touched(),
      touchedSoon: () => this.touchedSoon(),
      positionsMoved: () => {
        this.#checkWaits = true;
      },
      servingChanged: () => {
        this.#notices.changed();
        this.#unpark = true;
        this.touched();
      },
      roleMayHaveChanged: (replica) => this.#noteRole(replica),
      deposed: (replica, planned) => {
        for (const session of this.sessions.values()) session.leadershipEnded(replica);
        // A node that still leads other shards keeps their clients: those who wait in vain are closed one by one.
        if (!planned && !this.#leadsAny()) this.#closeClients = 'this node lost its leadership';
        this.touched();
      },
    });
    this.replicas = this.held.visible;
    const others = context.founders.filter((node) => node !== context.self);
    this.#formation = new Formation(others, context.peers);
    this.#notices = new LeaderNotices({
      ...{ self: context.self, peers: context.peers },
      led: () => [...this.replicas.values()].filter(({ serving }) => serving),
      nodes: () => context.nodes(),
      place: () => context.place?.() ?? { peer: '', zone: '' },
      sawNew: () => this.#formation.sawNew,
    });
  }

  get options(): SessionOptions {
    return this.#context.session;
  }

  get password(): string {
    return this.#context.password();
  }

  now(): number {
    return this.#context.clock.monotonicMs();
  }

  // Sessions.

  openSession(sink: SessionSink): ClientSession {
    const session = new Session(this.#nextSession++, this, sink);
    this.sessions.set(session.id, session);
    return session;
  }

  forget(session: Session): void {
    this.sessions.delete(session.id);
    this.#parked.delete(session);
    for (const replica of this.replicas.values()) replica.reads.forget(session);
  }

  lacksMemory(): boolean {
    for (const replica of this.replicas.values()) if (replica.lacksMemory()) return true;
    return false;
  }

  closeSessions(reason: string): void {
    for (const session of [...this.sessions.values()]) session.close(reason);
  }

  replied(session: Session): void {
    if (!session.queuedToFlush) {
      session.queuedToFlush = true;
      this.#flushing.push(session);
    }
    this.touched();
  }

  parked(session: Session): void {
    this.#parked.add(session);
  }

  unparked(session: Session): void {
    this.#parked.delete(session);
  }

  get parkedNow(): number {
    return this.#parked.size;
  }

  /** Sessions whose command waits for something. */
  get waitingNow(): number {
    let count = 0;
    for (const session of this.sessions.values()) if (session.waiting) count += 1;
    return count;
  }

  unblocked(session: Session): void {
    this.#unblocked.push(session);
    this.touched();
  }

  worksOn(session: Session): void {
    this.#working.add(session);
    this.touched();
  }

  resumeLater(session: Session): void {
    this.#resuming.push(session);
    this.touched();
  }

  checkPassword(user: Bytes, password: Bytes): boolean {
    return user === 'default' && (this.password === '' || password === this.password);
  }

  policyCode(policy: AckPolicy): number {
    return encodeAckPolicy(policy);
  }

  copiesOfNothing(): { local: number; replicas: number } {
    let replicas = 0;
    for (const { core } of this.replicas.values())
      if (core.leadership !== null) replicas = Math.max(replicas, core.membership.voters.length - 1);
    return { local: 1, replicas };
  }

  pauseClients(ms: number, writesOnly: boolean): void {
    this.#pausedUntilMs = ms === 0 ? 0 : this.now() + ms;
    this.#pauseWritesOnly = writesOnly;
    this.#unpark = true;
    this.touched();
  }

  runWithoutState(spec: CommandSpec, args: Bytes[], session: Session, writer: RespWriter): void {
    const run = spec.run as NonNullable<CommandSpec['run']>;
    const { services, clock, random } = this.#context;
    const stateless: Pick<CommandContext, 'reply' | 'now' | 'random' | 'session' | 'node'> = {
      reply: writer,
      now: clock.wallMs(),
      random,
      session,
      node: services,
    };
    run(stateless as CommandContext, args);
  }

  // Routing.

  route(slot: number, needs: 'read' | 'write', anyReplica: boolean, _asking: boolean): Route {
    if (slot < 0 && this.replicas.size > 1) return this.#routeWithoutKeys(needs, anyReplica);
    const shard = slot < 0 ? null : this.#context.owners.ownerOf(slot);
    const replica = shard === null ? this.replicas.values().next().value : this.replicas.get(shard);
    const otherwise = slot < 0 ? null : this.#whileMoving(replica, slot, anyReplica);
    if (otherwise !== null) return otherwise;
    if (replica === undefined || replica.core.isOutside)
      return this.#routeAway(replica?.shard ?? shard, slot);
    return this.#routeOn(replica, slot, needs, anyReplica);
  }

  /**
   * Null unless the slot is being moved, or was: a shard serves only what it has by its own history too, and a node knows
   * that a slot has come to it before metadata may say so.
   */
  #whileMoving(owner: Replica | undefined, slot: number, anyReplica: boolean): Route | null {
    const since = this.#context.owners.sinceOf?.(slot) ?? 0;
    const fences = owner?.keyspace.fences;
    const ready = since === 0 && fences?.active !== true ? true : fences?.serves(slot, since) === true;
    if (owner?.serving === true)
      return ready ? null : { kind: 'park', reason: `slot ${slot} is being moved` };
    if (this.slotPeer?.isArriving(slot, since) === true)
      return { kind: 'park', reason: `slot ${slot} is being moved` };
    if (ready || !anyReplica || owner === undefined || owner.core.isOutside) return null;
    const address = this.leaderAddress(owner);
    if (address === null) return { kind: 'park', reason: `slot ${slot} is being moved` };
    // With MOVED, clients that read from replicas would choose this one again.
    return { kind: 'error', line: `ASK ${slot} ${address}` };
  }

  /** A command without keys concerns all shards that this node leads; without any, those that it follows. */
  #routeWithoutKeys(needs: 'read' | 'write', anyReplica: boolean): Route {
    const replicas = [...this.replicas.values()].filter(({ core }) => !core.isOutside);
    if (replicas.length === 0) return this.#routeAway(this.replicas.keys().next().value ?? null, -1);
    const led = replicas.filter((replica) => replica.serving);
    const all = led.length > 0 ? led : replicas;
    const routes = all.map((replica) => this.#routeOn(replica, -1, needs, anyReplica));
    const elsewhere = routes.find(({ kind }) => kind === 'park' || kind === 'error');
    const [first] = routes as [Route, ...Route[]];
    return elsewhere ?? ({ ...first, all } as Route);
  }

  #routeOn(replica: Replica, slot: number, needs: 'read' | 'write', anyReplica: boolean): Route {
    if (this.#pausedUntilMs > 0 && (needs === 'write' || !this.#pauseWritesOnly)) {
      if (this.now() < this.#pausedUntilMs)
        return { kind: 'park', reason: 'clients are paused', patient: true };
      this.#pausedUntilMs = 0;
    }
    if (replica.serving) return this.#routeOnLeader(replica, slot, needs);
    if (anyReplica && needs === 'read' && !replica.rebuilding && replica.core.doubt === null)
      return { kind: 'follower', replica };
    const address = this.leaderAddress(replica);
    if (address === null)
      return { kind: 'park', reason: `shard ${replica.shard} has no leader at the moment` };
    this.redirectedMs = this.now();
    return { kind: 'error', line: `MOVED ${Math.max(slot, 0)} ${address}` };
  }

  /** To the leader of a shard that this node has no replica of, or none that takes part. */
  #routeAway(shard: number | null, slot: number): Route {
    const asked = shard ?? this.#context.owners.ownerOf(0);
    const leader = this.directory.leaderOf(asked, this.now());
    const known = leader !== null && this.#context.peers.connected(leader);
    const address = known ? this.#context.clientAddress(leader) : null;
    if (address === null)
      return { kind: 'park', reason: 'this node knows no leader of the slot at the moment' };
    this.redirectedMs = this.now();
    return { kind: 'error', line: `MOVED ${Math.max(slot, 0)} ${address}` };
  }

  metadataEpoch(): number {
    return this.#context.owners.epoch?.() ?? 0;
  }

  hasMoved(slot: number): boolean {
    return (this.#context.owners.sinceOf?.(slot) ?? 0) > 0;
  }

  leaderAddress(replica: Replica): string | null {
    const { leader } = replica.core;
    // Commands wait rather than being sent to a leader that may be gone.
    const silentMs = this.now() - replica.core.following.heardMs;
    const lively =
      leader !== null &&
      leader !== this.#context.self &&
      silentMs < doubtfulHeartbeats * this.#context.options.core.heartbeatMs;
    return lively && this.#context.peers.connected(leader) ? this.#context.clientAddress(leader) : null;
  }

  #leadsAny(): boolean {
    for (const replica of this.replicas.values()) if (replica.serving) return true;
    return false;
  }

  /** The keys of the shards that this node serves in the same role. */
  #wholeView(replica: Replica): KeyspaceView {
    if (this.replicas.size === 1) return replica.keyspace;
    const alike = [...this.replicas.values()].filter(({ serving }) => serving === replica.serving);
    return new AllKeyspaces(alike.map(({ keyspace }) => keyspace));
  }

  gateOnAll(gate: Gate, readMs: number): Gate {
    if (this.replicas.size === 1) return gate;
    const kept = [...this.replicas.values()]
      .filter(({ serving }) => serving)
      .map(({ gates, lastLsn }) => ({ keeper: gates, lsn: lastLsn }));
    return { ...gate, keeper: new AllKeepers(kept), readMs };
  }

  #routeOnLeader(replica: Replica, slot: number, needs: 'read' | 'write'): Route {
    const { core } = replica;
    // Reads too: what is read now could hardly be proven before leadership has gone.
    if (!core.accepting) return { kind: 'park', reason: 'leadership is being handed over' };
    if (needs === 'write') {
      // All keys are to change, but some must not now.
      if (slot < 0 && replica.keyspace.fences.freezing)
        return { kind: 'park', reason: 'slots are being moved' };
      const { minInSync } = this.#context.options;
      if (minInSync > 1 && (core.leadership?.inSyncVoters(core.membership, this.now()) ?? 0) < minInSync) {
        return { kind: 'error', line: 'NOREPLICAS Not enough good replicas to write.' };
      }
      if (this.#context.log.stats.spaceShort) {
        return {
          kind: 'error',
          line: 'DISKFULL There is too little disk space for another log segment; writes are refused until there is more.',
        };
      }
      if (this.#context.log.queuedBytes > maxQueuedLogBytes) {
        this.#diskBehind = true;
        return { kind: 'park', reason: 'the disk does not keep up with the writes' };
      }
    }
    return replica.asLeader;
  }

  /** Slots are elsewhere, or may be served by now: who waits for them looks again. */
  slotsChanged(): void {
    this.#unpark = true;
    this.touched();
  }

  // Peers.

  received(from: NodeId, shard: number, message: Message): void {
    if (message.kind === 'slotCopy' || message.kind === 'slotCopied' || message.kind === 'slotStep') {
      this.slotPeer?.received(from, shard, message);
      this.touchedSoon();
      return;
    }
    const now = this.now();
    if (message.kind === 'nodeNotice') {
      this.#nodeSpoke(from, message, now);
      return;
    }
    const replica = this.held.find(shard);
    replica?.received(from, message, now);
    const isNews = message.kind === 'leaderNotice' && replica?.core.isOutside !== false;
    if (isNews && this.directory.heard(shard, from, message, now)) this.#unpark = true;
    this.touchedSoon();
  }

  #nodeSpoke(from: NodeId, { peer, zone, sawNew, led }: NodeNotice, now: number): void {
    this.#context.placeHeard?.(from, { peer, zone });
    this.#formation.heard(from, sawNew);
    this.#confirmFreshness();
    for (const told of led) {
      const { shard, term, members } = told;
      const replica = this.held.find(shard);
      if (replica !== undefined && !members.includes(this.#context.self))
        replica.received(from, { kind: 'leaderNotice', term, members }, now);
      const isNews = this.directory.heard(shard, from, told, now);
      if (isNews && replica?.core.isOutside !== false) this.#unpark = true;
    }
    this.touchedSoon();
  }

  linkUp(peer: NodeId): void {
    const now = this.now();
    this.#notices.linkUp(peer, now);
    for (const replica of this.held.all) replica.linkUp(peer, now);
    this.#confirmFreshness();
  }

  linkDown(peer: NodeId, refused: boolean): void {
    if (!refused) return;
    const now = this.now();
    for (const replica of this.held.all) replica.peerGone(peer, now);
  }

  identified({ node, instance }: PeerIdentity): void {
    const known = this.#instances.get(node);
    this.#instances.set(node, instance);
    if (known !== undefined && known !== instance) {
      this.#formation.replaced(node);
      for (const replica of this.held.all) replica.peerReplaced(node, this.now());
    }
    this.#confirmFreshness();
  }

  /** A new cluster begins once every node has been seen, and all are as new as this one. */
  #confirmFreshness(): void {
    if (this.#formation.look()) this.#notices.changed();
    if (!this.#formation.begins()) return;
    for (const replica of this.held.all) {
      const { core } = replica;
      if (core.doubt === null || core.doubt.mayHaveAcknowledged !== null || core.lastLsn > 0 || core.term > 0)
        continue;
      replica.confirmFresh(this.now());
    }
  }

  // Turns.

  touched(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#context.turn.schedule(this.#endScheduledTurn);
  }

  /**
   * The same, without waiting for other input: for what the peers and the disk say, of which there is little and for
   * which somebody waits, unlike for commands, of which many arrive at once.
   */
  touchedSoon(): void {
    if (this.#turnSoon) return;
    this.#turnSoon = true;
    this.#turnScheduled = true;
    this.#context.turn.schedule(this.#endScheduledTurn, true);
  }

  /** Does nothing when the turn that it was scheduled for has ended sooner. */
  readonly #endScheduledTurn = (): void => {
    if (this.#turnScheduled) this.#endTurn();
  };

  #noteRole(replica: Replica): void {
    const { core } = replica;
    const { term, leader, accepting } = core;
    const { serving } = replica;
    const known = this.#roles.get(replica.shard);
    const same =
      known !== undefined &&
      known.term === term &&
      known.leader === leader &&
      known.serving === serving &&
      known.accepting === accepting;
    if (same) return;
    this.#roles.set(replica.shard, { term, leader, serving, accepting });
    this.#unpark = true;
    this.touched();
  }

  #endTurn(): void {
    this.#turnScheduled = false;
    this.#turnSoon = false;
    if (this.#diskBehind && this.#context.log.queuedBytes <= maxQueuedLogBytes / 2) {
      this.#diskBehind = false;
      this.#unpark = true;
    }
    if (this.#unpark) {
      this.#unpark = false;
      this.#retryParked();
    }
    for (const replica of this.held.all) replica.reads.wake();
    const unblocked = this.#unblocked;
    this.#unblocked = [];
    for (const session of unblocked) session.answerUnblocked();
    const now = this.now();
    // The followers' way is the longest: their part leaves first. Then the disk, which works beside all that follows.
    for (const replica of this.held.all) {
      replica.sealTurn();
      replica.ship(now);
    }
    this.#context.flushPeers();
    this.#context.log.flush();
    for (const replica of this.held.all) replica.endTurn(now);
    if (this.#checkWaits) {
      this.#checkWaits = false;
      for (const session of this.sessions.values()) if (session.waitsForCopies) session.checkWait(now);
    }
    this.slotPeer?.turnEnded(now);
    this.#workOnAnswers();
    this.#flushSessions();
    if (this.#closeClients !== null) {
      this.closeSessions(this.#closeClients);
      this.#closeClients = null;
    }
    this.#context.flushPeers();
    const resuming = this.#resuming;
    this.#resuming = [];
    for (const session of resuming) session.resume();
  }

  #flushSessions(): void {
    const sessions = this.#flushing;
    this.#flushing = [];
    for (const session of sessions) session.flush();
  }

  /** One client's answer per turn, in turns. */
  #workOnAnswers(): void {
    const [session] = this.#working;
    if (session === undefined) return;
    this.#working.delete(session);
    if (session.workOn(stepsPerTurn)) this.#working.add(session);
    if (this.#working.size > 0) this.touched();
  }

  #retryParked(): void {
    const sessions = [...this.#parked];
    this.#parked.clear();
    for (const session of sessions) session.retry();
  }

  /** Time passed. */
  tick(): void {
    const now = this.now();
    this.#context.log.tick();
    for (const replica of this.held.all) replica.tick(now);
    this.#confirmFreshness();
    this.#notices.tick(now);
    for (const session of this.sessions.values()) if (session.waits) session.tick(now);
    this.touched();
  }
}
