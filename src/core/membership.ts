import { invariant } from './invariant.ts';
import type { Lsn, Membership, NodeId } from './types.ts';

export function isVoter(membership: Membership, node: NodeId): boolean {
  return membership.voters.includes(node);
}

/** How many voters make a majority. */
export function majorityOf(membership: Membership): number {
  return Math.floor(membership.voters.length / 2) + 1;
}

/** True when nobody but this node votes, so that its own word is a majority's. */
export function votesAlone({ voters }: Membership, node: NodeId): boolean {
  return voters.length === 1 && voters[0] === node;
}

/** Everybody who receives the log. */
export function everyMember(membership: Membership): NodeId[] {
  return [...membership.voters, ...membership.learners];
}

/** True when at most one voter comes or goes, so that any majority before meets any majority after. */
export function isOneStep(from: Membership, to: Membership): boolean {
  const added = to.voters.filter((node) => !from.voters.includes(node)).length;
  const removed = from.voters.filter((node) => !to.voters.includes(node)).length;
  const distinct = new Set(everyMember(to)).size === to.voters.length + to.learners.length;
  return added + removed <= 1 && to.voters.length > 0 && distinct;
}

/** The memberships of a log: one is in force from the moment its entry is appended, and goes when the entry is cut. */
export class MembershipLog {
  readonly #entries: { lsn: Lsn; membership: Membership }[];

  constructor(base: Membership, lsn: Lsn) {
    this.#entries = [{ lsn, membership: base }];
  }

  get current(): Membership {
    return (this.#entries[this.#entries.length - 1] as { membership: Membership }).membership;
  }

  /** LSN of the entry that set the current membership. */
  get currentLsn(): Lsn {
    return (this.#entries[this.#entries.length - 1] as { lsn: Lsn }).lsn;
  }

  append(lsn: Lsn, membership: Membership): void {
    invariant(lsn > this.currentLsn, `the membership at ${lsn} follows the one at ${this.currentLsn}`);
    this.#entries.push({ lsn, membership });
  }

  cutAfter(lsn: Lsn): void {
    while (this.#entries.length > 1 && (this.#entries[this.#entries.length - 1] as { lsn: Lsn }).lsn > lsn)
      this.#entries.pop();
  }

  /** The membership that is in force at an LSN; compacted history answers with the oldest that is known. */
  at(lsn: Lsn): Membership {
    let found = (this.#entries[0] as { membership: Membership }).membership;
    for (const entry of this.#entries) if (entry.lsn <= lsn) found = entry.membership;
    return found;
  }

  /** Forgets what no cut can bring back. */
  compactTo(lsn: Lsn): void {
    while (this.#entries.length > 1 && (this.#entries[1] as { lsn: Lsn }).lsn <= lsn) this.#entries.shift();
  }

  resetTo(lsn: Lsn, membership: Membership): void {
    this.#entries.length = 0;
    this.#entries.push({ lsn, membership });
  }
}
