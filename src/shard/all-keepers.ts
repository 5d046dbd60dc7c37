import type { AckPolicy } from './ack-policy.ts';
import type { GateWaiter } from './gate-board.ts';
import type { Gatekeeper } from './reply-queue.ts';

/** One replica and the LSN there that a reply depends on. */
export interface KeptLsn {
  readonly keeper: Gatekeeper;
  readonly lsn: number;
}

/** The gate of a reply that depends on several shards: open when each of them is. */
export class AllKeepers implements Gatekeeper {
  readonly #kept: readonly KeptLsn[];

  constructor(kept: readonly KeptLsn[]) {
    this.#kept = kept;
  }

  get leads(): boolean {
    return this.#kept.every(({ keeper }) => keeper.leads);
  }

  /** Each shard has its own LSN; the one that is asked about is none of them. */
  isOpen(policy: AckPolicy): boolean {
    return this.#kept.every(({ keeper, lsn }) => keeper.isOpen(policy, lsn));
  }

  /** One shard at a time: whoever is woken asks again. */
  wait(policy: AckPolicy, _lsn: number, waiter: GateWaiter): void {
    const shut = this.#kept.find(({ keeper, lsn }) => !keeper.isOpen(policy, lsn));
    shut?.keeper.wait(policy, shut.lsn, waiter);
  }

  wasLeaderAt(readMs: number, confirmed: boolean): boolean {
    return this.#kept.every(({ keeper }) => keeper.wasLeaderAt(readMs, confirmed));
  }

  /** Woken by each shard's proof, the waiter looks at all of them again. */
  awaitProof(waiter: GateWaiter): void {
    for (const { keeper } of this.#kept) keeper.awaitProof(waiter);
  }

  mayProve(readMs: number): boolean {
    return this.#kept.every(({ keeper }) => keeper.mayProve(readMs));
  }

  shutBy(ended: Gatekeeper, policy: AckPolicy): boolean {
    return this.#kept.some(({ keeper, lsn }) => keeper.shutBy(ended, policy, lsn));
  }
}
