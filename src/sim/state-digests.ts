/** Replicas that applied the same entries have the same state. */
export class StateDigests {
  readonly #digests = new Map<number, { readonly digest: string; readonly node: string }>();

  /** `node` applied everything up to `lsn`, all of it committed, and its state has this digest. */
  note(node: string, lsn: number, digest: string): string | null {
    const known = this.#digests.get(lsn);
    if (known === undefined) {
      this.#digests.set(lsn, { digest, node });
      return null;
    }
    if (known.digest === digest) return null;
    return `at LSN ${lsn} the state of ${node} has the digest ${digest}, that of ${known.node} had ${known.digest}`;
  }
}
