import type { ByteWriter } from '../bytes/byte-writer.ts';
import type { AckPolicy } from './ack-policy.ts';
import type { GateWaiter } from './gate-board.ts';

/** What replies wait for. One replica of a shard is one. */
export interface Gatekeeper {
  /** False: a gate that is not open stays shut, since nobody here counts copies. */
  readonly leads: boolean;
  isOpen(policy: AckPolicy, lsn: number): boolean;
  wait(policy: AckPolicy, lsn: number, waiter: GateWaiter): void;
  /** True when this replica was provably the leader at or after `readMs` (monotonic); `confirmed`: a lease is no proof. */
  wasLeaderAt(readMs: number, confirmed: boolean): boolean;
  /** The waiter is called when leadership was confirmed anew, or is over; a round is asked for. */
  awaitProof(waiter: GateWaiter): void;
  /** False when the leadership of that time is over: what it did not prove never will be. */
  mayProve(readMs: number): boolean;
  /** True when the gate is shut as `ended` leads no more. Whatever has that LSN later may be another leader's entry. */
  shutBy(ended: Gatekeeper, policy: AckPolicy, lsn: number): boolean;
}

/** What one reply depends on. */
export interface Gate {
  readonly keeper: Gatekeeper;
  readonly policy: AckPolicy;
  readonly lsn: number;
  /** Monotonic ms when state was read, when the reply needs proof of leadership; -1 when it does not. */
  readonly readMs: number;
  /** Only a majority that answered after `readMs` is proof. */
  readonly confirmed: boolean;
}

/** Replies that lie back to back in one buffer and wait for the same. */
interface Region {
  readonly buffer: Buffer;
  readonly start: number;
  end: number;
  replies: number;
  readonly keeper: Gatekeeper | null;
  readonly policy: AckPolicy | null;
  lsn: number;
  readMs: number;
  readonly confirmed: boolean;
  readonly deadlineMs: number;
  /** The leadership that it depends on ended before it could leave. */
  lost: boolean;
}

/**
 * The replies of one connection, in order, each until what it depends on holds. All replies of a turn that wait for
 * the same share one region, so a pipeline of a hundred writes waits, and leaves, as one.
 */
export class ReplyQueue {
  /** Replies given up because their policy was not met in time. */
  timeouts = 0;
  pendingBytes = 0;
  /** Set when the next reply waits for what its leader cannot learn any more: copies, or that it was the leader. */
  hopeless = false;
  readonly #waiter: GateWaiter;
  #regions: Region[] = [];
  #head = 0;
  /** The last region may still grow: it is of this turn. One that did later would wait for ever later writes. */
  #growing = false;
  #registered = false;

  constructor(waiter: GateWaiter) {
    this.#waiter = waiter;
  }

  get empty(): boolean {
    return this.#head === this.#regions.length;
  }

  /** Takes the piece that was just written as one reply behind the others. `gate` null: it depends on nothing. */
  add(out: ByteWriter, gate: Gate | null, now: number): void {
    const { buffer, start, offset: end } = out;
    out.start = end;
    this.pendingBytes += end - start;
    const last = this.#regions[this.#regions.length - 1];
    if (
      this.#growing &&
      last !== undefined &&
      last.buffer === buffer &&
      last.end === start &&
      sameGate(last, gate)
    ) {
      last.end = end;
      last.replies += 1;
      if (gate !== null) {
        last.lsn = Math.max(last.lsn, gate.lsn);
        last.readMs = Math.max(last.readMs, gate.readMs);
      }
      return;
    }
    const timeoutMs = gate?.policy.timeoutMs ?? 0;
    this.#growing = true;
    this.#regions.push({
      buffer,
      start,
      end,
      replies: 1,
      keeper: gate?.keeper ?? null,
      policy: gate?.policy ?? null,
      lsn: gate?.lsn ?? 0,
      readMs: gate?.readMs ?? -1,
      confirmed: gate?.confirmed ?? false,
      deadlineMs: timeoutMs === 0 ? Number.POSITIVE_INFINITY : now + timeoutMs,
      lost: false,
    });
  }

  /** A replica leads no more: replies that wait for it in vain, behind others, never leave. True when there are any. */
  leadershipEnded(ended: Gatekeeper): boolean {
    let any = false;
    for (let i = this.#head; i < this.#regions.length; i++) {
      const region = this.#regions[i] as Region;
      const { keeper, policy, lsn } = region;
      if (keeper === null || policy === null || !keeper.shutBy(ended, policy, lsn)) continue;
      region.lost = true;
      any = true;
    }
    return any;
  }

  /** Hands out what may leave; registers for what may not. To be called at the end of a turn. */
  release(write: (bytes: Buffer) => void): void {
    this.#growing = false;
    while (!this.empty) {
      const region = this.#regions[this.#head] as Region;
      if (!this.#mayLeave(region)) {
        this.#forgetReleased();
        return;
      }
      this.#head += 1;
      this.pendingBytes -= region.end - region.start;
      write(region.buffer.subarray(region.start, region.end));
    }
    this.#regions = [];
    this.#head = 0;
  }

  /** A queue that is never empty must not keep the buffers of what has left. */
  #forgetReleased(): void {
    if (this.#head < 16) return;
    this.#regions.splice(0, this.#head);
    this.#head = 0;
  }

  #mayLeave(region: Region): boolean {
    const { keeper, policy } = region;
    if (keeper === null || policy === null) return true;
    if (region.lost) {
      this.hopeless = true;
      return false;
    }
    if (!keeper.isOpen(policy, region.lsn)) {
      this.hopeless = !keeper.leads;
      this.#register(() => keeper.wait(policy, region.lsn, this.#waiter));
      return false;
    }
    if (region.readMs >= 0 && !keeper.wasLeaderAt(region.readMs, region.confirmed)) {
      this.hopeless = !keeper.mayProve(region.readMs);
      this.#register(() => keeper.awaitProof(this.#waiter));
      return false;
    }
    return true;
  }

  #register(ask: () => void): void {
    if (this.#registered) return;
    this.#registered = true;
    ask();
  }

  /** The gate that was waited for opened. */
  opened(): void {
    this.#registered = false;
  }

  /** Replaces replies whose time is over by as many errors; true when there were any. */
  expire(now: number, errorLine: (region: { lsn: number; policy: AckPolicy }) => string): boolean {
    let any = false;
    for (let i = this.#head; i < this.#regions.length; i++) {
      const region = this.#regions[i] as Region;
      if (region.policy === null || now < region.deadlineMs) continue;
      any = true;
      this.timeouts += region.replies;
      const line = `-${errorLine({ lsn: region.lsn, policy: region.policy })}\r\n`;
      const bytes = Buffer.from(line.repeat(region.replies), 'latin1');
      this.pendingBytes += bytes.length - (region.end - region.start);
      this.#regions[i] = {
        ...region,
        buffer: bytes,
        start: 0,
        end: bytes.length,
        keeper: null,
        policy: null,
      };
    }
    // What they waited for may never come: whoever is next asks for itself.
    if (any) this.#registered = false;
    return any;
  }

  clear(): void {
    this.#regions = [];
    this.#head = 0;
    this.#growing = false;
    this.pendingBytes = 0;
  }
}

function sameGate(region: Region, gate: Gate | null): boolean {
  if (gate === null) return region.keeper === null;
  return (
    region.keeper === gate.keeper && region.policy === gate.policy && region.confirmed === gate.confirmed
  );
}
