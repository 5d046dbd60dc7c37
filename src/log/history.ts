import type { Batch } from './batch.ts';
import { batchHoldsMembership } from './batch.ts';
import type { MembershipAt } from './record.ts';
import { ShardIndex } from './shard-index.ts';
import type { LogPosition } from './types.ts';

/** A stretch of one shard's log without gaps: its ends, its terms, its memberships, and where its batches lie. */
export class History {
  base: LogPosition;
  last: LogPosition;
  /** First LSN of each run of one term, above the base. */
  terms: LogPosition[] = [];
  /** Oldest first; the first one may be at or below the base, then it is the one in force there. */
  memberships: MembershipAt[] = [];
  readonly index = new ShardIndex();

  constructor(base: LogPosition) {
    this.base = base;
    this.last = base;
  }

  /** The term of the entry at `lsn`, the base included; null when it is not here. */
  termAt(lsn: number): number | null {
    if (lsn === this.base.lsn) return this.base.term;
    if (lsn < this.base.lsn || lsn > this.last.lsn) return null;
    let low = 0;
    let high = this.terms.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.terms[middle] as LogPosition).lsn <= lsn) low = middle;
      else high = middle - 1;
    }
    return (this.terms[low] as LogPosition).term;
  }

  /** True when the entry at this position is here, or is the base. */
  holds(position: LogPosition): boolean {
    return this.termAt(position.lsn) === position.term;
  }

  /** Adds entries behind the last one. The index is the caller's business: the place may not be known yet. */
  extend(term: number, firstLsn: number, lastLsn: number): void {
    const run = this.terms[this.terms.length - 1];
    if (run === undefined || run.term !== term) this.terms.push({ term, lsn: firstLsn });
    this.last = { term, lsn: lastLsn };
  }

  /** Notes the memberships of a batch. Copies them: a batch's bytes may be a view of a large buffer. */
  noteMemberships(batch: Batch): void {
    if ((batch.flags & batchHoldsMembership) === 0) return;
    for (const entry of batch.entries()) {
      const bytes = Buffer.from(batch.bytes.subarray(entry.start, entry.end));
      this.memberships.push({ lsn: entry.lsn, bytes });
    }
  }

  /** Drops what is beyond `lsn`, which must be held or be the base. */
  truncate(lsn: number): void {
    if (lsn >= this.last.lsn) return;
    this.last = { term: this.termAt(lsn) as number, lsn };
    while ((this.terms[this.terms.length - 1]?.lsn ?? 0) > lsn) this.terms.pop();
    while ((this.memberships[this.memberships.length - 1]?.lsn ?? 0) > lsn) this.memberships.pop();
    this.index.truncate(lsn);
  }

  /** Drops what is at or below `base`, which must be held. */
  rebase(base: LogPosition): void {
    while ((this.terms[1]?.lsn ?? Number.POSITIVE_INFINITY) <= base.lsn + 1) this.terms.shift();
    const first = this.terms[0];
    if (base.lsn >= this.last.lsn) this.terms.length = 0;
    else if (first !== undefined && first.lsn <= base.lsn)
      this.terms[0] = { term: first.term, lsn: base.lsn + 1 };
    this.base = base;
    this.index.dropThrough(base.lsn);
    this.#forgetOldMemberships();
  }

  /** Keeps the membership in force at the base and those above. */
  #forgetOldMemberships(): void {
    while ((this.memberships[1]?.lsn ?? Number.POSITIVE_INFINITY) <= this.base.lsn) this.memberships.shift();
  }

  /** Takes over what was in force at the base of this history from elsewhere, when nothing is known of it here. */
  adoptMembership(membership: MembershipAt): void {
    const first = this.memberships[0];
    if (first !== undefined && first.lsn <= membership.lsn) return;
    this.memberships.unshift(membership);
    this.#forgetOldMemberships();
  }
}
