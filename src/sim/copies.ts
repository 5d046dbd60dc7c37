import type { Stage } from '../shard/ack-policy.ts';

/** Which copies of which entries there ever were: per node and stage, whatever became of them later. */
export class Copies {
  readonly #held = new Map<string, Set<number>>();
  /** Up to here a node held everything, as the checkpoint that it has of it shows. */
  readonly #bases = new Map<string, number>();

  /** `node` holds the entries behind `fromLsn` up to `toLsn` at this stage. */
  note(node: string, stage: Stage, fromLsn: number, toLsn: number, termAt: (lsn: number) => number): void {
    const name = `${node} ${stage}`;
    let held = this.#held.get(name);
    if (held === undefined) {
      held = new Set();
      this.#held.set(name, held);
    }
    for (let lsn = fromLsn + 1; lsn <= toLsn; lsn++) held.add(entryName(lsn, termAt(lsn)));
  }

  /** `node` holds a state that contains everything up to `lsn`. */
  noteBase(node: string, lsn: number): void {
    if (lsn > (this.#bases.get(node) ?? 0)) this.#bases.set(node, lsn);
  }

  /** Which of the nodes ever held the entry at this stage. */
  holders(nodes: readonly string[], stage: Stage, lsn: number, term: number): string[] {
    const name = entryName(lsn, term);
    return nodes.filter(
      (node) => this.#held.get(`${node} ${stage}`)?.has(name) === true || lsn <= (this.#bases.get(node) ?? 0),
    );
  }
}

/** Terms and LSNs of a run are small. */
function entryName(lsn: number, term: number): number {
  return lsn * 0x100000 + term;
}
