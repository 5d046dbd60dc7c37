import type { NodeId } from '../core/types.ts';
import type { Lane } from '../peer/types.ts';
import type { EventLoop } from './event-loop.ts';
import type { NetworkPaths } from './network-paths.ts';

/** One TCP connection, as far as its bytes go from the node that dialled to the other: in order, or not at all. */
export class Connection {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly lane: Lane;
  /** Whether each end still believes in it. */
  senderOpen = true;
  receiverOpen = true;
  /** When the sender last had proof that the other end is there. */
  heardMs: number;
  queuedBytes = 0;
  readonly #loop: EventLoop;
  readonly #paths: NetworkPaths;
  readonly #deliver: (frame: Buffer) => void;
  readonly #queue: { readonly frame: Buffer; readonly dueMs: number }[] = [];
  #pumping = false;

  /** @param deliver a frame reached the machine of the receiver */
  constructor(
    route: { readonly from: NodeId; readonly to: NodeId; readonly lane: Lane },
    loop: EventLoop,
    paths: NetworkPaths,
    deliver: (frame: Buffer) => void,
  ) {
    this.from = route.from;
    this.to = route.to;
    this.lane = route.lane;
    this.heardMs = loop.nowMs;
    this.#loop = loop;
    this.#paths = paths;
    this.#deliver = deliver;
  }

  send(frame: Buffer): void {
    this.#queue.push({ frame, dueMs: this.#loop.nowMs + this.#paths.delayMs(this.from, this.to) });
    this.queuedBytes += frame.length;
    this.#pump();
  }

  /** The sender gives it up; what is in flight still arrives, unless its receiver gives it up too. */
  abandon(): void {
    this.senderOpen = false;
  }

  /** Breaks it for both ends: what is in flight is lost. */
  cut(): void {
    this.senderOpen = false;
    this.receiverOpen = false;
    this.#queue.length = 0;
    this.queuedBytes = 0;
  }

  #pump(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#pumping) return;
    this.#pumping = true;
    this.#loop.after(first.dueMs - this.#loop.nowMs, () => this.#arrive());
  }

  #arrive(): void {
    this.#pumping = false;
    if (this.#queue.length === 0) return;
    if (!this.#paths.isOpen(this.from, this.to)) {
      this.#pumping = true;
      this.#paths.whenOpen(this.from, this.to, () => this.#arrive());
      return;
    }
    const { frame } = this.#queue.shift() as { frame: Buffer };
    this.queuedBytes -= frame.length;
    if (this.receiverOpen) this.#deliver(frame);
    this.#pump();
  }
}
