import type { Reply } from '../resp/reply-parser.ts';
import { ReplyError } from '../resp/reply-parser.ts';
import { ClientLink } from './client-link.ts';
import type { EventLoop } from './event-loop.ts';
import type { History, OpenOperation, Request } from './history.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import { nodeAt } from './sim-node.ts';

/** Errors that say that nothing was executed. */
const nothingDone = /^(MOVED|CLUSTERDOWN|NOREPLICAS|DISKFULL|LOADING|TRYAGAIN)/;

export interface ClientOptions {
  readonly number: number;
  /** Sent first on each connection; null for nothing. */
  readonly hello: string[] | null;
  /** False when replies of writes promise nothing, as under a weak acknowledgement policy. */
  readonly believes: boolean;
  readonly timeoutMs: number;
  /** The part of its requests that only read, 0 to 1. */
  readonly reads: number;
}

/** A client with one request in flight. It follows MOVED, and goes to another node when its connection ends. */
export class SimClient {
  readonly number: number;
  /** Requests that were answered with a result. */
  answered = 0;
  readonly #nodes: readonly SimNode[];
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #history: History;
  readonly #options: ClientOptions;
  #link: ClientLink | null = null;
  #helloDue = false;
  #waiting: { readonly open: OpenOperation; readonly done: (result: Reply | undefined) => void } | null =
    null;
  #requests = 0;

  constructor(
    nodes: readonly SimNode[],
    loop: EventLoop,
    random: SeededRandom,
    history: History,
    options: ClientOptions,
  ) {
    this.number = options.number;
    this.#nodes = nodes;
    this.#loop = loop;
    this.#random = random;
    this.#history = history;
    this.#options = options;
  }

  get reads(): number {
    return this.#options.reads;
  }

  get believes(): boolean {
    return this.#options.believes;
  }

  /** Sends one request, once. `done` gets the reply; undefined when it failed or its outcome is unknown. */
  request(request: Request, done: (result: Reply | undefined) => void): void {
    const link = this.#link ?? this.#connect(this.#random.pick(this.#nodes));
    const open = this.#history.invoke(this.number, request);
    this.#waiting = { open, done };
    const number = ++this.#requests;
    this.#loop.after(this.#options.timeoutMs, () => {
      if (this.#requests === number && this.#waiting !== null) this.#lost();
    });
    link.send(commandOf(request));
  }

  #connect(node: SimNode): ClientLink {
    const link: ClientLink = new ClientLink(node, this.#loop, this.#random, {
      replied: (reply) => this.#replied(reply),
      closed: () => {
        if (this.#link === link) this.#lost();
      },
    });
    this.#link = link;
    const { hello } = this.#options;
    this.#helloDue = hello !== null;
    if (hello !== null) link.send(hello);
    return link;
  }

  /** The connection is gone, or the reply takes too long: nobody knows what became of the request. */
  #lost(): void {
    this.#link?.hangUp();
    this.#link = null;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return;
    this.#history.unknown(waiting.open);
    waiting.done(undefined);
  }

  #replied(reply: Reply): void {
    if (this.#helloDue) {
      this.#helloDue = false;
      return;
    }
    const waiting = this.#waiting;
    if (waiting === null) throw new Error('a reply that nobody asked for');
    this.#waiting = null;
    if (reply instanceof ReplyError) {
      this.#refused(reply.message, waiting.open);
      waiting.done(undefined);
      return;
    }
    this.answered += 1;
    const { kind } = waiting.open.request;
    if (this.#options.believes || kind === 'get') this.#history.returned(waiting.open, plain(reply));
    else this.#history.unknown(waiting.open);
    waiting.done(reply);
  }

  #refused(line: string, open: OpenOperation): void {
    if (nothingDone.test(line)) this.#history.failed(open);
    else this.#history.unknown(open);
    this.#link?.hangUp();
    this.#link = null;
    if (!line.startsWith('MOVED ')) return;
    const owner = nodeAt(line.split(' ')[2] ?? '');
    const node = this.#nodes.find(({ id }) => id === owner);
    if (node !== undefined) this.#connect(node);
  }
}

function commandOf({ kind, key, value }: Request): string[] {
  return kind === 'set' ? ['SET', key, value] : [kind.toUpperCase(), key];
}

function plain(reply: Reply): string | number | null {
  if (reply === null || typeof reply === 'string' || typeof reply === 'number') return reply;
  throw new Error(`an unexpected reply: ${JSON.stringify(reply)}`);
}
