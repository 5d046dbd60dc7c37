import { isVoter } from '../core/membership.ts';
import type { Membership } from '../core/types.ts';
import type { CommittedEntries } from './committed-entries.ts';
import type { LogView } from './log-matching.ts';

/** An entry that sets a membership. */
export interface MembershipEntry {
  readonly lsn: number;
  readonly term: number;
  readonly membership: Membership;
}

/** Every entry that ever set a membership, whatever became of it: who takes part by a log, told from its entries alone. */
export class MembershipHistory {
  /** By LSN. */
  readonly #entries: MembershipEntry[] = [];
  readonly #committed: CommittedEntries;

  constructor(committed: CommittedEntries) {
    this.#committed = committed;
  }

  /** No entry ever set one. */
  get none(): boolean {
    return this.#entries.length === 0;
  }

  /** Some log holds the entry. */
  appended(entry: MembershipEntry): void {
    if (this.#entries.some(({ lsn, term }) => lsn === entry.lsn && term === entry.term)) return;
    const before = this.#entries.findLastIndex(({ lsn }) => lsn <= entry.lsn);
    this.#entries.splice(before + 1, 0, entry);
  }

  /** The last one that anybody knew to be committed; null when that is none. */
  get lastCommitted(): Membership | null {
    const last = this.#entries.findLast(({ lsn, term }) => this.#committed.termAt(lsn) === term);
    return last?.membership ?? null;
  }

  /** The memberships that a log sets, oldest first. */
  of(log: Omit<LogView, 'runStart'>): MembershipEntry[] {
    const termAt = (lsn: number): number | null =>
      lsn >= log.baseLsn ? log.termAt(lsn) : this.#committed.termAt(lsn);
    return this.#entries.filter(({ lsn, term }) => lsn <= log.lastLsn && termAt(lsn) === term);
  }
}

/** A replica goes by the last membership of its log, committed or not. What is wrong; null when nothing is. */
export function checkInForce(
  node: string,
  current: Membership,
  entries: readonly MembershipEntry[],
): string | null {
  const { lsn, membership } = entries[entries.length - 1] as MembershipEntry;
  const same = describe(current) === describe(membership);
  return same
    ? null
    : `${node} goes by ${describe(current)}, and LSN ${lsn} of its log says ${describe(membership)}`;
}

/** Of two memberships that follow one another, any majority meets any other: one voter differs. */
export function checkSteps(entries: readonly MembershipEntry[]): string | null {
  for (let i = 1; i < entries.length; i++) {
    const from = (entries[i - 1] as MembershipEntry).membership;
    const { lsn, membership: to } = entries[i] as MembershipEntry;
    const came = to.voters.filter((voter) => !isVoter(from, voter));
    const went = from.voters.filter((voter) => !isVoter(to, voter));
    if (came.length + went.length > 1) return `LSN ${lsn} makes ${describe(to)} of ${describe(from)}`;
  }
  return null;
}

/**
 * A leader proposes a membership when it has committed something of its own term, and all earlier memberships. Answers
 * what is wrong; null when nothing is.
 *
 * @param leader its term, the first LSN of that, and its commit, not long after the proposal
 */
export function checkProposal(
  leader: {
    readonly node: string;
    readonly term: number;
    readonly firstLsn: number;
    readonly commit: number;
  },
  entries: readonly MembershipEntry[],
): string | null {
  const newest = entries[entries.length - 1] as MembershipEntry;
  if (newest.term !== leader.term) return null;
  const before = Math.max((entries[entries.length - 2] as MembershipEntry).lsn, leader.firstLsn);
  if (leader.commit >= before) return null;
  return `${leader.node} proposes a membership at LSN ${newest.lsn}, and LSN ${before} is not committed yet`;
}

function describe({ voters, learners }: Membership): string {
  const sorted = (nodes: readonly string[]): string => [...nodes].sort().join(' ') || 'nobody';
  return `voters ${sorted(voters)} and learners ${sorted(learners)}`;
}
