interface Committed {
  readonly term: number;
  readonly checksum: number | null;
  readonly node: string;
}

/** What was ever committed: it never changes (state machine safety; Raft, section 5.4). */
export class CommittedEntries {
  readonly #entries = new Map<number, Committed>();
  #lastLsn = 0;

  get lastLsn(): number {
    return this.#lastLsn;
  }

  /** An entry is committed on a node. `checksum` covers its bytes; null when they are not at hand. */
  note(node: string, lsn: number, term: number, checksum: number | null): string | null {
    const known = this.#entries.get(lsn);
    this.#lastLsn = Math.max(this.#lastLsn, lsn);
    if (known === undefined) {
      this.#entries.set(lsn, { term, checksum, node });
      return null;
    }
    if (known.term !== term)
      return `LSN ${lsn} was committed in term ${known.term} on ${known.node} and in term ${term} on ${node}`;
    if (checksum === null) return null;
    if (known.checksum === null) this.#entries.set(lsn, { term, checksum, node });
    else if (known.checksum !== checksum)
      return `LSN ${lsn} of term ${term} holds other bytes on ${known.node} than on ${node}`;
    return null;
  }

  /** The term of a committed entry; null when its commit was not seen. */
  termAt(lsn: number): number | null {
    return this.#entries.get(lsn)?.term ?? null;
  }
}
