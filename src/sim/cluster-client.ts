import type { NodeId } from '../core/types.ts';
import type { Reply } from '../resp/reply-parser.ts';
import type { EventLoop } from './event-loop.ts';
import type { History, Request } from './history.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Client, ClientOptions } from './sim-client.ts';
import { SimClient } from './sim-client.ts';
import type { SimNode } from './sim-node.ts';

/**
 * A client of several shards: it has a connection to each node that it was sent to, and remembers by MOVED where keys
 * are, as cluster clients do.
 */
export class ClusterClient implements Client {
  readonly #nodes: readonly SimNode[];
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #history: History;
  readonly #options: ClientOptions;
  readonly #at = new Map<NodeId, SimClient>();
  readonly #owners = new Map<string, NodeId>();

  constructor(
    nodes: readonly SimNode[],
    loop: EventLoop,
    random: SeededRandom,
    history: History,
    options: ClientOptions,
  ) {
    this.#nodes = nodes;
    this.#loop = loop;
    this.#random = random;
    this.#history = history;
    this.#options = options;
  }

  get answered(): number {
    return [...this.#at.values()].reduce((sum, client) => sum + client.answered, 0);
  }

  get reads(): number {
    return this.#options.reads;
  }

  get atOnce(): number {
    return this.#options.atOnce;
  }

  get believes(): boolean {
    return this.#options.believes;
  }

  get idle(): boolean {
    return [...this.#at.values()].every((client) => client.idle);
  }

  request(request: Request, done: (result: Reply | undefined) => void): void {
    const owner = this.#owners.get(request.key) ?? this.#random.pick(this.#nodes).id;
    this.#client(owner).request(request, (result) => {
      // Where it was may be where nobody is any more: the next one asks anybody, unless it was told whom.
      if (result === undefined && this.#owners.get(request.key) === owner) this.#owners.delete(request.key);
      done(result);
    });
  }

  #client(node: NodeId): SimClient {
    let client = this.#at.get(node);
    if (client === undefined) {
      const only = this.#nodes.filter(({ id }) => id === node);
      client = new SimClient(only, this.#loop, this.#random, this.#history, {
        ...this.#options,
        moved: (key, owner) => this.#owners.set(key, owner),
      });
      this.#at.set(node, client);
    }
    return client;
  }
}
