import type { Reply } from '../resp/reply-parser.ts';
import { ReplyParser } from '../resp/reply-parser.ts';
import type { ClientSession } from '../shard/session-types.ts';
import type { EventLoop } from './event-loop.ts';
import { ReplyWatch } from './reply-watch.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Death } from './sim-disk.ts';
import type { Life, SimNode } from './sim-node.ts';

export interface ClientLinkEvents {
  replied(reply: Reply): void;
  closed(): void;
}

/** A client's connection to a node: a session there, and the way there and back. */
export class ClientLink {
  readonly node: SimNode;
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #events: ClientLinkEvents;
  readonly #life: Life | null;
  readonly #parser = new ReplyParser();
  readonly #ended = (death: Death): void => {
    if (death === 'kill') this.#closeSoon();
  };
  #session: ClientSession | null = null;
  #watch: ReplyWatch | null = null;
  #open = true;
  /** Commands that wait until the session takes them. */
  readonly #commands: string[][] = [];
  #arrivesMs = 0;
  #returnsMs = 0;

  constructor(node: SimNode, loop: EventLoop, random: SeededRandom, events: ClientLinkEvents) {
    this.node = node;
    this.#loop = loop;
    this.#random = random;
    this.#events = events;
    const life = node.life;
    this.#life = life?.ready === true ? life : null;
    if (this.#life === null) {
      this.#closeSoon();
      return;
    }
    this.#life.onEnd.add(this.#ended);
    this.#there(() => this.#accept());
  }

  #accept(): void {
    const host = this.#life?.host ?? null;
    if (host === null) return;
    const opened = host.openSession({
      write: (bytes) => {
        this.#watch?.leaves(bytes);
        this.#back(() => this.#take(bytes));
      },
      resume: () => {
        this.#session?.resumed();
        this.#feed();
      },
      close: () => this.#closeSoon(),
    });
    const session = host.sessions.get(opened.id);
    if (session !== undefined) this.#watch = new ReplyWatch(this.node.id, session, this.node.replyEvents);
    this.#session = opened;
  }

  send(args: string[]): void {
    this.#there(() => {
      this.#commands.push(args);
      this.#session?.arrived();
      this.#feed();
    });
  }

  #feed(): void {
    const session = this.#session;
    while (session !== null && !session.blocked) {
      const args = this.#commands.shift();
      if (args === undefined) return;
      this.#watch?.executes(args);
      session.execute(args);
    }
  }

  /** The client hangs up. */
  hangUp(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#life?.onEnd.delete(this.#ended);
    this.#there(() => this.#session?.disconnected());
  }

  /** Reaches the node after a while; behind everything that was sent before. */
  #there(work: () => void): void {
    this.#arrivesMs = Math.max(this.#arrivesMs, this.#loop.nowMs + this.#random.between(0.1, 2));
    this.#life?.process.after(this.#arrivesMs - this.#loop.nowMs, work, this);
  }

  /** Reaches the client after a while. */
  #back(work: () => void): void {
    if (this.#life?.process.alive === false) return;
    this.#returnsMs = Math.max(this.#returnsMs, this.#loop.nowMs + this.#random.between(0.1, 2));
    this.#loop.after(this.#returnsMs - this.#loop.nowMs, () => {
      if (this.#open) work();
    });
  }

  #take(bytes: Buffer): void {
    this.#parser.push(Buffer.from(bytes));
    for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
      this.#events.replied(reply);
      if (!this.#open) return;
    }
  }

  #closeSoon(): void {
    this.#returnsMs = Math.max(this.#returnsMs, this.#loop.nowMs + this.#random.between(0.1, 5));
    this.#loop.after(this.#returnsMs - this.#loop.nowMs, () => {
      if (!this.#open) return;
      this.#open = false;
      this.#life?.onEnd.delete(this.#ended);
      this.#events.closed();
    });
  }
}
