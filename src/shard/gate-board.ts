import type { AckPolicy } from './ack-policy.ts';

/** Someone whose next reply waits for a position. */
export interface GateWaiter {
  /** The position was reached, or waiting is over for another reason: look again. */
  gateOpened(): void;
}

interface Waiting {
  readonly waiter: GateWaiter;
  readonly lsn: number;
}

/** What waits under one policy, in the order of the LSNs. */
class Lane {
  readonly policy: AckPolicy;
  #queue: Waiting[] = [];
  #head = 0;
  #highest = 0;

  constructor(policy: AckPolicy) {
    this.policy = policy;
  }

  get length(): number {
    return this.#queue.length - this.#head;
  }

  /** A gate below one that already waits opens with it: they are within one flush of each other. */
  add(waiter: GateWaiter, lsn: number): void {
    if (this.length === 0) this.#highest = 0;
    this.#highest = Math.max(this.#highest, lsn);
    this.#queue.push({ waiter, lsn: this.#highest });
  }

  open(reached: number): void {
    while (this.#head < this.#queue.length) {
      const first = this.#queue[this.#head] as Waiting;
      if (first.lsn > reached) break;
      this.#head += 1;
      first.waiter.gateOpened();
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

/** Replies that wait for their write to be where their policy wants it, one lane per policy in use. */
export class GateBoard {
  readonly #lanes = new Map<string, Lane>();
  readonly #reached: (policy: AckPolicy) => number;

  /** @param reached the LSN up to which a policy is met now */
  constructor(reached: (policy: AckPolicy) => number) {
    this.#reached = reached;
  }

  isOpen(policy: AckPolicy, lsn: number): boolean {
    return this.#reached(policy) >= lsn;
  }

  wait(policy: AckPolicy, lsn: number, waiter: GateWaiter): void {
    const name = `${policy.who} ${policy.stage}`;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(policy);
      this.#lanes.set(name, lane);
    }
    lane.add(waiter, lsn);
  }

  /** Positions moved: opens what can be opened. */
  positionsMoved(): void {
    for (const lane of this.#lanes.values()) if (lane.length > 0) lane.open(this.#reached(lane.policy));
  }

  /** Everybody looks again: LSNs of a leadership that is over must not stand before those of the next one. */
  leadershipEnded(): void {
    for (const lane of this.#lanes.values()) lane.open(Number.POSITIVE_INFINITY);
  }

  get waiting(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.length;
    return count;
  }

  /** Whether something waits that only followers' early or late acknowledgements can release. */
  waitsFor(stage: 'received' | 'applied'): boolean {
    for (const lane of this.#lanes.values()) {
      if (lane.length > 0 && lane.policy.stage === stage && lane.policy.who !== 'leader') return true;
    }
    return false;
  }
}
