import type { Reply } from '../resp/reply-parser.ts';
import { ReplyError } from '../resp/reply-parser.ts';
import type { ReadLevel } from '../shard/read-level.ts';
import { formatReadLevel } from '../shard/read-level.ts';
import { commandsOf, resultOf } from './client-commands.ts';
import { ClientLink } from './client-link.ts';
import type { EventLoop } from './event-loop.ts';
import type { History, OpenOperation, Request } from './history.ts';
import type { LevelHistory } from './level-history.ts';
import { isRead } from './models.ts';
import type { SeededRandom } from './seeded-random.ts';
import { nodeAt } from './sharded-node.ts';
import { nothingDone } from './sim-client.ts';
import type { SimNode } from './sim-node.ts';

export interface LevelClientOptions {
  readonly number: number;
  readonly kind: ReadLevel['kind'];
  /** Of `bounded`, in ms. */
  readonly boundMs: number;
  /** Words of REPL ACK; null for the default, which is believed. */
  readonly policy: readonly string[] | null;
  readonly timeoutMs: number;
  /** How often it goes to another node, 0 to 1. */
  readonly hops: number;
  /** The keys of one shard, with which it stays, and the last LSN that is committed there. */
  readonly keys: readonly string[];
  readonly lastLsn: () => number;
}

/** What is under way: everything that was sent together, and the replies to it so far. */
interface Exchange {
  readonly open: OpenOperation;
  readonly level: ReadLevel;
  readonly sentMs: number;
  readonly commands: readonly string[][];
  /** Where the request's own commands lie among them. */
  readonly from: number;
  readonly to: number;
  readonly replies: Reply[];
  readonly done: () => void;
}

/** A client that reads at one level from any node, one request at a time, and takes what its session saw along. */
export class LevelClient {
  answered = 0;
  readonly #nodes: readonly SimNode[];
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #history: History;
  readonly #levels: LevelHistory;
  readonly #options: LevelClientOptions;
  #link: ClientLink | null = null;
  /** Sent first on each connection. */
  #helloDue = false;
  /** Where the next connection goes; null for anywhere. */
  #next: SimNode | null = null;
  #token: string | null = null;
  #exchange: Exchange | null = null;

  constructor(
    nodes: readonly SimNode[],
    loop: EventLoop,
    random: SeededRandom,
    histories: { readonly history: History; readonly levels: LevelHistory },
    options: LevelClientOptions,
  ) {
    this.#nodes = nodes;
    this.#loop = loop;
    this.#random = random;
    this.#history = histories.history;
    this.#levels = histories.levels;
    this.#options = options;
  }

  /** Nothing that it asked is under way. */
  get idle(): boolean {
    return this.#exchange === null;
  }

  get kind(): ReadLevel['kind'] {
    return this.#options.kind;
  }

  get keys(): readonly string[] {
    return this.#options.keys;
  }

  /** Sends one request, once; `done` is called when its outcome is known, or will never be. */
  request(request: Request, done: () => void): void {
    const link = this.#link ?? this.#connect();
    const level = this.#level();
    const open = this.#history.invoke(this.#options.number, request);
    const before = [...this.#hello(), ...(level.kind === 'bounded lsn' ? [readAt(level)] : [])];
    const asked = commandsOf(request);
    const commands = [...before, ...asked, ...(this.kind === 'session' ? [['REPL', 'TOKEN']] : [])];
    const exchange = {
      open,
      level,
      sentMs: this.#loop.nowMs,
      commands,
      from: before.length,
      to: before.length + asked.length,
      replies: [],
      done,
    };
    this.#exchange = exchange;
    this.#loop.after(this.#options.timeoutMs, () => {
      if (this.#exchange === exchange) this.#lost();
    });
    for (const command of commands) link.send(command);
  }

  #level(): ReadLevel {
    const { kind, boundMs, lastLsn } = this.#options;
    const near = Math.max(0, lastLsn() - this.#random.below(20) + 5);
    return { kind, bound: kind === 'bounded' ? boundMs : kind === 'bounded lsn' ? near : 0 };
  }

  #hello(): string[][] {
    if (!this.#helloDue) return [];
    this.#helloDue = false;
    const { kind, boundMs, policy } = this.#options;
    const hello: string[][] = [];
    if (kind !== 'bounded lsn') hello.push(readAt({ kind, bound: boundMs }));
    if (policy !== null) hello.push(['REPL', 'ACK', ...policy]);
    if (this.#token !== null) hello.push(['REPL', 'AFTER', this.#token]);
    return hello;
  }

  #connect(): ClientLink {
    const node = this.#next ?? this.#random.pick(this.#nodes);
    this.#next = null;
    const link: ClientLink = new ClientLink(node, this.#loop, this.#random, {
      replied: (reply) => this.#replied(reply),
      closed: () => {
        if (this.#link === link) this.#lost();
      },
    });
    this.#link = link;
    this.#helloDue = true;
    return link;
  }

  /** The connection is gone, or a reply takes too long. */
  #lost(): void {
    this.#hangUp();
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange === null) return;
    this.#history.unknown(exchange.open);
    exchange.done();
  }

  #hangUp(): void {
    this.#link?.hangUp();
    this.#link = null;
  }

  #replied(reply: Reply): void {
    const exchange = this.#exchange;
    if (exchange === null) throw new Error('a reply that nobody asked for');
    exchange.replies.push(reply);
    if (exchange.replies.length < exchange.commands.length) return;
    this.#exchange = null;
    this.#judge(exchange);
    if (this.#link !== null && this.#random.chance(this.#options.hops)) this.#hangUp();
    exchange.done();
  }

  #judge(exchange: Exchange): void {
    const { replies, from, to, commands } = exchange;
    const refused = replies.findIndex((reply) => reply instanceof ReplyError);
    const own = refused >= from && refused < to;
    if (refused >= 0 && !own)
      throw new Error(`${commands[refused]?.join(' ')}: ${(replies[refused] as ReplyError).message}`);
    if (this.kind === 'session') this.#token = replies.at(-1) as string | null;
    if (refused >= 0) this.#refused((replies[refused] as ReplyError).message, exchange);
    else this.#answered(replies[to - 1] as Reply, exchange);
  }

  #answered(reply: Reply, { open, level, sentMs }: Exchange): void {
    this.answered += 1;
    const { number: client, policy } = this.#options;
    const { request } = open;
    const { key, kind, value } = request;
    const result = resultOf(request, reply);
    if (!isRead(kind)) {
      if (policy === null) this.#history.returned(open, result);
      else this.#history.unknown(open);
      const term = Number(this.#token?.split(':').at(-2));
      if (this.kind === 'session') this.#levels.learned(client, { kind: 'wrote', key, value, term });
    } else if (this.kind === 'strict') {
      this.#history.returned(open, result, true);
    } else {
      const returned = this.#history.left(open);
      const read = { client, level, key, result, sentMs, returnedMs: this.#loop.nowMs, returned };
      this.#levels.reads.push(read);
      if (this.kind === 'session') this.#levels.learned(client, { kind: 'read', read });
    }
  }

  #refused(line: string, { open }: Exchange): void {
    if (nothingDone.test(line)) this.#history.failed(open);
    else this.#history.unknown(open);
    if (/\b(LOSTWRITE|OLDTOKEN) /.test(line)) {
      this.#levels.learned(this.#options.number, { kind: 'told', line });
      return;
    }
    const owner = /^(MOVED|ASK) /.test(line) ? nodeAt(line.split(' ')[2] ?? '') : null;
    this.#next = this.#nodes.find(({ id }) => id === owner) ?? null;
    this.#hangUp();
  }
}

function readAt(level: ReadLevel): string[] {
  return ['REPL', 'READ', ...formatReadLevel(level).split(' ')];
}
