/** Who leads in which term, as far as one replica knows it of itself. */
export interface LeaderView {
  readonly node: string;
  readonly term: number;
  readonly leads: boolean;
}

/** At most one leader per term, over the whole run. */
export class OneLeaderPerTerm {
  readonly #leaders = new Map<number, string>();

  /** What is wrong; null when nothing is. */
  check({ node, term, leads }: LeaderView): string | null {
    if (!leads) return null;
    const known = this.#leaders.get(term);
    if (known === undefined) this.#leaders.set(term, node);
    if (known === undefined || known === node) return null;
    return `term ${term} has two leaders, ${known} and ${node}`;
  }
}
