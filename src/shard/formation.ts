import type { NodeId } from '../core/types.ts';
import type { PeerNetwork } from '../peer/types.ts';

/**
 * Whether this node takes part in the beginning of a cluster, of which an empty directory alone says nothing: others may
 * have been there before, and this one only emptied.
 *
 * Who has seen all others, none of whom had promised anything, knows that nothing was promised before. But whoever begins
 * at once has promised something by the next moment, and a node that has not yet seen all others by then never will as
 * new. One shard can live with that, as a majority of it has begun; another shard, of which this node has a replica beside
 * such late ones, would wait for ever. So who has seen all says so and begins when all others have said it, or one of them
 * has begun.
 */
export class Formation {
  readonly #others: readonly NodeId[];
  readonly #peers: Pick<PeerNetwork, 'identityOf'>;
  readonly #said = new Set<NodeId>();
  #sawNew = false;
  #begun = false;

  constructor(others: readonly NodeId[], peers: Pick<PeerNetwork, 'identityOf'>) {
    this.#others = others;
    this.#peers = peers;
  }

  get sawNew(): boolean {
    return this.#sawNew;
  }

  /** Another node said that it has seen all. */
  heard(node: NodeId, sawNew: boolean): void {
    if (sawNew) this.#said.add(node);
    else this.#said.delete(node);
  }

  /** Another data directory came in a node's place. */
  replaced(node: NodeId): void {
    this.#said.delete(node);
  }

  /** Looks at the others; true when that was the moment to say that all were seen. */
  look(): boolean {
    const sees = this.#others.every((node) => this.#peers.identityOf(node)?.fresh === true);
    if (this.#sawNew || !sees) return false;
    this.#sawNew = true;
    return true;
  }

  /** True, once, when replicas without any past may take part. */
  begins(): boolean {
    if (this.#begun || !this.#sawNew) return false;
    this.#begun = this.#others.every((node) => {
      const identity = this.#peers.identityOf(node);
      // An older version says nothing, and begins at once.
      return this.#said.has(node) || identity?.fresh !== true || identity.hearsNodes !== true;
    });
    return this.#begun;
  }
}
