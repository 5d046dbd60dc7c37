import type { NodeId } from '../core/types.ts';
import type { Reply } from '../resp/reply-parser.ts';
import { ReplyError } from '../resp/reply-parser.ts';
import { commandsOf, resultOf } from './client-commands.ts';
import { ClientLink } from './client-link.ts';
import type { EventLoop } from './event-loop.ts';
import type { History, OpenOperation, Request } from './history.ts';
import { isRead } from './models.ts';
import type { SeededRandom } from './seeded-random.ts';
import { nodeAt } from './sharded-node.ts';
import type { SimNode } from './sim-node.ts';

/** Errors that say that nothing was executed. */
export const nothingDone =
  /^(MOVED|ASK|CLUSTERDOWN|NOREPLICAS|DISKFULL|LOADING|TRYAGAIN|EXECABORT|LOSTWRITE|OLDTOKEN|LAGGING)/;

export interface ClientOptions {
  readonly number: number;
  /** Sent first on each connection; null for nothing. */
  readonly hello: string[] | null;
  /** False when replies of writes promise nothing, as under a weak acknowledgement policy. */
  readonly believes: boolean;
  readonly timeoutMs: number;
  /** The part of its requests that only read, 0 to 1. */
  readonly reads: number;
  /** How many requests it has in flight on one connection. */
  readonly atOnce: number;
  /** Hears that a key is at another node; without it the client goes there with its connection. */
  readonly moved?: (key: string, owner: NodeId) => void;
}

/** Who asks for what the workload says. */
export interface Client {
  readonly reads: number;
  readonly atOnce: number;
  readonly believes: boolean;
  readonly idle: boolean;
  readonly answered: number;
  /** Sends one request, once. `done` gets the reply; undefined when it failed or its outcome is unknown. */
  request(request: Request, done: (result: Reply | undefined) => void): void;
}

interface Waiting {
  readonly open: OpenOperation;
  readonly done: (result: Reply | undefined) => void;
  /** Replies that are still to come: a transaction has one for each of its commands. */
  replies: number;
}

/** A client with a few requests in flight. It follows MOVED, and goes to another node when its connection ends. */
export class SimClient implements Client {
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
  #waiting: Waiting[] = [];

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

  get atOnce(): number {
    return this.#options.atOnce;
  }

  /** Nothing that it asked is under way. */
  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  get believes(): boolean {
    return this.#options.believes;
  }

  request(request: Request, done: (result: Reply | undefined) => void): void {
    const link = this.#link ?? this.#connect(this.#random.pick(this.#nodes));
    const open = this.#history.invoke(this.number, request);
    const commands = commandsOf(request);
    const waiting = { open, done, replies: commands.length };
    this.#waiting.push(waiting);
    this.#loop.after(this.#options.timeoutMs, () => {
      if (this.#waiting.includes(waiting)) this.#lost();
    });
    for (const command of commands) link.send(command);
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

  /** The connection is gone, or a reply takes too long: nobody knows what became of the requests. */
  #lost(): void {
    this.#link?.hangUp();
    this.#link = null;
    for (const { open, done } of this.#waiting.splice(0)) {
      this.#history.unknown(open);
      done(undefined);
    }
  }

  #replied(reply: Reply): void {
    if (this.#helloDue) {
      this.#helloDue = false;
      return;
    }
    const waiting = this.#waiting[0];
    if (waiting === undefined) throw new Error('a reply that nobody asked for');
    waiting.replies -= 1;
    if (reply instanceof ReplyError) {
      this.#waiting.shift();
      this.#refused(reply.message, waiting);
      waiting.done(undefined);
      return;
    }
    if (waiting.replies > 0) return;
    this.#waiting.shift();
    this.answered += 1;
    const { request } = waiting.open;
    if (this.#options.believes || isRead(request.kind))
      this.#history.returned(waiting.open, resultOf(request, reply));
    else this.#history.unknown(waiting.open);
    waiting.done(reply);
  }

  #refused(line: string, { open, replies }: Waiting): void {
    const { moved } = this.#options;
    // A command that cannot be queued fails its transaction.
    if (nothingDone.test(line) || replies > 0) this.#history.failed(open);
    else this.#history.unknown(open);
    const owner = line.startsWith('MOVED ') ? nodeAt(line.split(' ')[2] ?? '') : null;
    if (owner !== null && moved !== undefined) {
      moved(open.request.key, owner);
      // Of a transaction more replies are to come.
      if (replies > 0) this.#lost();
      return;
    }
    const node = this.#nodes.find(({ id }) => id === owner);
    // What was sent behind it may be executed or not.
    this.#lost();
    if (node !== undefined && this.#link === null) this.#connect(node);
  }
}
