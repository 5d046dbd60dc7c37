import { crc32 } from 'node:zlib';
import type { Membership, Message, NodeId, Position } from '../core/types.ts';
import type { Batch } from '../log/batch.ts';
import type { NodeLog } from '../log/types.ts';
import type { Stage } from '../shard/ack-policy.ts';
import { spanOf } from '../shard/memberships.ts';
import type { Replica } from '../shard/replica.ts';
import { checkCommitQuorum } from './commit-quorum.ts';
import { CommittedEntries } from './committed-entries.ts';
import { Copies } from './copies.ts';
import { checkElected, checkEntryDurable, checkVoteDurable } from './durable-promises.ts';
import { readDurably } from './durable-view.ts';
import { checkLeaderCompleteness } from './leader-completeness.ts';
import type { LeaseView } from './leases.ts';
import { checkLeases } from './leases.ts';
import type { LogView } from './log-matching.ts';
import { checkLogMatching } from './log-matching.ts';
import type { MembershipEntry } from './membership-history.ts';
import { checkInForce, checkProposal, checkSteps, MembershipHistory } from './membership-history.ts';
import { checkDropped } from './needed-replicas.ts';
import { OneLeaderPerTerm } from './one-leader.ts';
import type { PositionsView } from './positions.ts';
import { checkPositions, checkProgress } from './positions.ts';
import type { SentReply } from './reply-policy.ts';
import { checkReplyPolicy } from './reply-policy.ts';
import type { Seat } from './seat.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Life } from './sim-node.ts';
import { StateDigests } from './state-digests.ts';
import type { TrueValues } from './true-values.ts';

/** Digests are compared at multiples of this, since each costs a walk over the state. */
const digestEvery = 16;
/** How often a disk is read back to see whether it holds what its node calls durable, since that costs much. */
const readBackChance = 1 / 256;

const stages: readonly Stage[] = ['received', 'flushed', 'applied'];
const nowhere: Position = { lsn: 0, term: 0 };

/** What was last seen of one replica, in one life of its node. */
interface Seen {
  readonly life: Life;
  readonly replica: Replica;
  positions: PositionsView;
  /** Up to where its copies were noted. */
  readonly copied: Record<Stage, Position>;
  ledTerm: number;
  manifestLsn: number;
  /** Who takes part as it sees it, and by the newest entry of its log. */
  membership: Membership | null;
  newest: string;
}

/** Looks at all replicas of one shard after each event, and checks what must hold whatever happens. */
export class Watcher {
  readonly committed = new CommittedEntries();
  readonly #seats: readonly Seat[];
  readonly #shard: number;
  readonly #random: SeededRandom;
  readonly #values: TrueValues;
  readonly #clocksHold: () => boolean;
  readonly #now: () => number;
  readonly #violated: (what: string) => void;
  readonly #leaders = new OneLeaderPerTerm();
  readonly #digests = new StateDigests();
  readonly #copies = new Copies();
  readonly #memberships = new MembershipHistory(this.committed);
  readonly #seen = new Map<Seat, Seen>();
  readonly #replies: SentReply[] = [];
  readonly #votes: { readonly voter: NodeId; readonly term: number; readonly candidate: NodeId }[] = [];

  constructor(
    seats: readonly Seat[],
    random: SeededRandom,
    world: {
      readonly values: TrueValues;
      /** True time. */
      now(): number;
      /** False once clocks ran so wrong that leases may overlap. */
      clocksHold(): boolean;
    },
    violated: (what: string) => void,
  ) {
    this.#seats = seats;
    this.#shard = (seats[0] as Seat).shard;
    this.#values = world.values;
    this.#now = world.now;
    this.#clocksHold = world.clocksHold;
    this.#random = random;
    this.#violated = violated;
  }

  /** A reply left for a client. */
  replied(reply: SentReply): void {
    this.#replies.push(reply);
  }

  /** A message left for a peer. */
  sent(from: NodeId, to: NodeId, message: Message): void {
    if (message.kind === 'voteResponse' && message.granted)
      this.#votes.push({ voter: from, term: message.asked, candidate: to });
  }

  #newestLedTerm = 0;
  /** Replies that were held against their policy. */
  repliesJudged = 0;

  afterEvent(): void {
    for (const seat of this.#seats) {
      const { life } = seat;
      if (life === null || !life.process.ran) continue;
      const { replica } = seat;
      const seen = this.#seen.get(seat);
      if (replica === null || life.log === null) {
        if (seen?.life === life) this.#dropped(seat);
      } else if (seen?.life === life && seen.replica === replica) this.#look(seat, replica, life.log, seen);
      else this.#beginLife(seat, replica, life, life.log);
    }
    // What others hold was looked at first: what left in this event may rest on it.
    if (this.#replies.length > 0) {
      this.repliesJudged += this.#replies.length;
      for (const reply of this.#replies) this.#checkReply(reply);
      this.#replies.length = 0;
    }
    if (this.#votes.length > 0) {
      for (const { voter, term, candidate } of this.#votes)
        this.#readBack(voter, (disk) => checkVoteDurable(disk, term, candidate));
      this.#votes.length = 0;
    }
  }

  /** The process goes on, and gave up its replica. */
  #dropped(seat: Seat): void {
    this.#seen.delete(seat);
    this.#say(checkDropped(seat.id, this.#shard, this.members));
  }

  /** Who takes part by the last membership that anybody knew to be committed. */
  get members(): Membership {
    return this.#memberships.lastCommitted ?? (this.#seats[0] as Seat).founders;
  }

  #say(problem: string | null): void {
    if (problem !== null) this.#violated(problem);
  }

  /** Some log takes a batch. */
  appended(batch: Batch): void {
    if (!batch.holdsMembership) return;
    const { membership } = spanOf(batch);
    if (membership !== undefined)
      this.#memberships.appended({ lsn: batch.lastLsn, term: batch.term, membership });
  }

  /** The memberships of a node's log, oldest first, behind the one that it was told of. */
  #membershipsOf(id: NodeId): [MembershipEntry, ...MembershipEntry[]] {
    const seat = this.#seat(id);
    const told = { lsn: 0, term: 0, membership: seat.told };
    const { replica } = seat;
    if (replica === null || this.#memberships.none) return [told];
    return [told, ...this.#memberships.of(viewOf(id, replica))];
  }

  #seat(id: NodeId): Seat {
    return this.#seats.find((one) => one.id === id) as Seat;
  }

  #voters(node: NodeId): readonly string[] {
    return (this.#membershipsOf(node).at(-1) as MembershipEntry).membership.voters;
  }

  /** A reply may have been due at any moment since its entry was appended: by each membership since. */
  #checkReply(reply: SentReply): void {
    const entries = this.#membershipsOf(reply.node);
    let problem: string | null = null;
    for (let i = entries.length - 1; i >= 0; i--) {
      const { lsn, membership } = entries[i] as MembershipEntry;
      const found = checkReplyPolicy(reply, membership.voters, this.#copies, this.committed);
      if (found === null) return;
      problem ??= found;
      if (lsn <= reply.lsn) break;
    }
    this.#say(problem);
  }

  #lookAtMembers(seat: Seat, { core }: Replica, seen: Seen): void {
    const entries = this.#membershipsOf(seat.id);
    const { lsn, term } = entries.at(-1) as MembershipEntry;
    const newest = `${lsn} ${term}`;
    if (core.membership === seen.membership && newest === seen.newest) return;
    // Before its log says anything, a node that joins later goes by what it was told, or by the snapshot that it got.
    const founder = seat.toldOfFounders;
    if (founder || entries.length > 1) this.#say(checkInForce(seat.id, core.membership, entries));
    seen.membership = core.membership;
    seen.newest = newest;
    // What a node that joins later is told lies between the memberships that its log brings.
    this.#say(checkSteps(founder ? entries : entries.slice(1)));
    const { leadership, commit } = core;
    if (leadership !== null)
      this.#say(
        checkProposal({ node: seat.id, term: core.term, firstLsn: leadership.firstLsn, commit }, entries),
      );
  }

  #checkElected(leader: NodeId, term: number): void {
    const voters = this.#voters(leader);
    const disks = this.#seats
      .filter(({ id }) => voters.includes(id))
      .map(({ id, disk }) => readDurably(id, disk, this.#shard));
    this.#say(checkElected(leader, term, disks));
  }

  /** Checks what a disk holds; not when it holds nothing that can be trusted. */
  #readBack(id: NodeId, check: (disk: NonNullable<ReturnType<typeof readDurably>>) => string | null): void {
    const disk = readDurably(id, this.#seat(id).disk, this.#shard);
    if (disk !== null) this.#say(check(disk));
  }

  #beginLife(seat: Seat, replica: Replica, life: Life, log: NodeLog): void {
    const positions = { ...positionsOf(seat.id, replica), commit: 0, flushed: 0, applied: 0 };
    const seen = {
      life,
      replica,
      positions,
      copied: { received: nowhere, flushed: nowhere, applied: nowhere },
      ledTerm: -1,
      manifestLsn: -1,
      membership: null,
      newest: '',
    };
    this.#seen.set(seat, seen);
    this.#look(seat, replica, log, seen);
  }

  #look(seat: Seat, replica: Replica, log: NodeLog, seen: Seen): void {
    const { core } = replica;
    const leads = core.leadership !== null;
    const before = seen.positions;
    const same =
      before.term === core.term &&
      before.leads === leads &&
      before.appended === core.lastLsn &&
      before.flushed === core.flushed &&
      before.commit === core.commit &&
      before.applied === replica.keyspace.appliedLsn;
    if (!same) this.#moved(seat, replica, log, seen);
    this.#lookAtManifest(seat, replica, seen);
  }

  #moved(seat: Seat, replica: Replica, log: NodeLog, seen: Seen): void {
    const { core } = replica;
    const before = seen.positions;
    const now = positionsOf(seat.id, replica);
    seen.positions = now;
    this.#say(checkPositions(now));
    this.#say(checkProgress(before, now));
    this.#lookAtMembers(seat, replica, seen);
    this.#noteCopies(seat, replica, before, now, seen);
    if (now.leads && core.term !== seen.ledTerm) {
      seen.ledTerm = core.term;
      this.#say(this.#leaders.check({ node: seat.id, term: core.term, leads: true }));
      // Who is elected late, for a term that is over, need not have what was committed since.
      if (core.term >= this.#newestLedTerm)
        this.#say(checkLeaderCompleteness(viewOf(seat.id, replica), this.committed));
      this.#newestLedTerm = Math.max(this.#newestLedTerm, core.term);
      this.#checkElected(seat.id, core.term);
    }
    if (now.commit > before.commit) {
      if (now.leads) this.#leaderCommitted(seat, replica);
      this.#commitRose(seat, replica, log, before.commit);
    }
    if (now.applied !== before.applied && now.applied % digestEvery === 0) this.lookAtDigest(seat);
  }

  #noteCopies(seat: Seat, replica: Replica, before: PositionsView, now: PositionsView, seen: Seen): void {
    const { log } = replica.core;
    const base = log.base.lsn;
    const termAt = (lsn: number): number => log.termAt(lsn);
    this.#copies.noteBase(seat.id, base);
    const reached = {
      received: now.appended,
      flushed: now.flushed,
      applied: Math.min(now.applied, now.appended),
    };
    for (const stage of stages) {
      // A later leader may have replaced what was not committed, also some time after its term was heard of.
      const { lsn, term } = seen.copied[stage];
      const holds = lsn <= base || (lsn <= reached[stage] && termAt(lsn) === term);
      const known = holds ? lsn : Math.min(lsn, before.commit);
      this.#copies.note(seat.id, stage, Math.max(base, known), reached[stage], termAt);
      seen.copied[stage] = { lsn: reached[stage], term: reached[stage] < base ? 0 : termAt(reached[stage]) };
    }
    if (now.flushed > Math.max(before.flushed, base) && this.#random.chance(readBackChance))
      this.#readBack(seat.id, (disk) => checkEntryDurable(disk, now.flushed, termAt(now.flushed)));
  }

  #leaderCommitted(seat: Seat, replica: Replica): void {
    const { core } = replica;
    const claim = {
      node: seat.id,
      lsn: core.commit,
      entryTerm: core.log.termAt(core.commit),
      term: core.term,
    };
    this.#say(checkCommitQuorum(claim, this.#voters(seat.id), this.#copies));
    if (this.#clocksHold()) this.#say(checkLeases({ node: seat.id, term: core.term }, this.#leases()));
  }

  #leases(): LeaseView[] {
    return this.#seats.flatMap((seat) => {
      const core = seat.replica?.core;
      if (core?.leadership == null) return [];
      const nowMs = seat.clock.monotonicMs();
      const untilMs = core.leadership.leaseUntilMs(core.membership, nowMs);
      return [{ node: seat.id, term: core.term, untilMs, nowMs }];
    });
  }

  #commitRose(seat: Seat, replica: Replica, log: NodeLog, before: number): void {
    const { core } = replica;
    const from = Math.max(before, core.log.base.lsn) + 1;
    if (core.log.base.lsn > 0 && core.log.base.lsn > before)
      this.#say(this.committed.note(seat.id, core.log.base.lsn, core.log.base.term, null));
    const checksums = new Map<number, number>();
    for (const batch of log.cached(this.#shard, from, 1 << 20) ?? [])
      for (const entry of batch.entries())
        checksums.set(entry.lsn, crc32(batch.bytes.subarray(entry.start, entry.end)));
    for (let lsn = from; lsn <= core.commit; lsn++) {
      const term = core.log.termAt(lsn);
      this.#say(this.committed.note(seat.id, lsn, term, checksums.get(lsn) ?? null));
      this.#say(this.#values.committed(lsn, term, this.#now()));
    }
  }

  #lookAtManifest(seat: Seat, { checkpointer }: Replica, seen: Seen): void {
    const manifest = checkpointer.latestManifest;
    if (manifest === null || manifest.lsn === seen.manifestLsn) return;
    seen.manifestLsn = manifest.lsn;
    this.#say(this.#digests.note(`a checkpoint of ${seat.id}`, manifest.lsn, manifest.digest));
  }

  /** Compares the state of a replica with that of others at the same LSN, when it may be compared. */
  lookAtDigest(seat: Seat): void {
    const { replica } = seat;
    if (replica === null || replica.rebuilding || replica.keyspace.appliedLsn > replica.core.commit) return;
    const { keyspace } = replica;
    this.#say(this.#digests.note(seat.id, keyspace.appliedLsn, keyspace.digest()));
  }

  /** The costlier look, for now and then. */
  compareLogs(): void {
    const views = this.#seats.flatMap((seat) =>
      seat.replica === null ? [] : [viewOf(seat.id, seat.replica)],
    );
    views.forEach((a, i) => {
      for (const b of views.slice(i + 1)) this.#say(checkLogMatching(a, b));
    });
  }
}

function positionsOf(node: string, { core, keyspace, serving, rebuilding }: Replica): PositionsView {
  const leads = core.leadership !== null;
  return {
    node,
    leads,
    term: core.term,
    appended: core.lastLsn,
    flushed: core.flushed,
    commit: core.commit,
    applied: keyspace.appliedLsn,
    ahead: leads || serving || rebuilding,
  };
}

function viewOf(node: string, { core }: Replica): LogView {
  const { log } = core;
  return {
    node,
    baseLsn: log.base.lsn,
    lastLsn: log.lastLsn,
    termAt: (lsn) => log.termAt(lsn),
    runStart: (lsn) => log.runStart(lsn),
  };
}
