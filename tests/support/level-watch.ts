import { ReplyError } from '../../src/resp/reply-parser.ts';
import type { TestCluster, TestNode } from './cluster.ts';
import { RawClient } from './raw-client.ts';

/** Levels that are watched; `token` reads at `eventual` with the token of the latest acknowledged write. */
export const watchedLevels = ['linearizable', 'strict', 'bounded 1000', 'token', 'eventual'] as const;
export type WatchedLevel = (typeof watchedLevels)[number];

const key = 'watched';

interface Acknowledged {
  readonly atMs: number;
  readonly token: string;
}

/** Connections by node, made when they are needed. */
class Connections {
  readonly #open = new Map<TestNode, RawClient>();
  readonly #begin: readonly string[];

  constructor(...begin: readonly string[]) {
    this.#begin = begin;
  }

  /** The reply's value; null when the node is gone or silent. */
  async ask(node: TestNode, ...command: string[]): Promise<unknown> {
    try {
      let client = this.#open.get(node);
      if (client === undefined) {
        client = await RawClient.connect(node.port);
        this.#open.set(node, client);
        if (this.#begin.length > 0) await client.command(...this.#begin);
      }
      return (await client.command(...command)).value;
    } catch {
      this.#open.delete(node);
      return null;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((client) => client.close().catch(() => undefined)));
  }
}

/** Counts up one key while readers of every level look at it on every node, and says what they saw that they must not. */
export class LevelWatch {
  readonly violations: string[] = [];
  readonly #cluster: TestCluster;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #served = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  #attempted = -1;
  #over = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  start(): void {
    const readers = this.#cluster.nodes.flatMap((node) =>
      watchedLevels.map((level) => this.#read(node, level)),
    );
    this.#running = Promise.all([this.#write(), ...readers]);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** Reads so far that the node answered with a value. */
  served(node: TestNode, level: WatchedLevel): number {
    return this.#served.get(`${node.id} ${level}`) ?? 0;
  }

  /** Reads so far that the node sent elsewhere, or did not answer. */
  refused(node: TestNode, level: WatchedLevel): number {
    return this.#refused.get(`${node.id} ${level}`) ?? 0;
  }

  async #write(): Promise<void> {
    const connections = new Connections();
    let leader = this.#cluster.nodes[0] as TestNode;
    for (let value = 0; !this.#over; ) {
      this.#attempted = value;
      const reply = await connections.ask(leader, 'SET', key, String(value));
      const token = reply === 'OK' ? await connections.ask(leader, 'REPL', 'TOKEN') : null;
      if (typeof token === 'string') {
        this.#acknowledged.push({ atMs: performance.now(), token });
        value += 1;
        await new Promise((resolve) => setTimeout(resolve, 2));
        continue;
      }
      const moved = /^MOVED \d+ 127\.0\.0\.1:(\d+)$/.exec(reply instanceof ReplyError ? reply.message : '');
      const { nodes } = this.#cluster;
      leader = (nodes.find(({ port }) => port === Number(moved?.[1])) ??
        nodes[(nodes.indexOf(leader) + 1) % nodes.length]) as TestNode;
    }
    await connections.close();
  }

  async #read(node: TestNode, level: WatchedLevel): Promise<void> {
    const name = level === 'token' ? 'eventual' : level;
    const connections = new Connections('REPL', 'READ', ...name.split(' '));
    const counted = `${node.id} ${level}`;
    while (!this.#over) {
      const sentMs = performance.now();
      const least = this.#leastAt(level, sentMs);
      const token = this.#acknowledged[least]?.token;
      if (level === 'token' && token !== undefined) await connections.ask(node, 'REPL', 'AFTER', token);
      const reply = await connections.ask(node, 'GET', key);
      if (typeof reply !== 'string') {
        this.#refused.set(counted, (this.#refused.get(counted) ?? 0) + 1);
        // A node that is gone refuses at once.
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      this.#served.set(counted, (this.#served.get(counted) ?? 0) + 1);
      const shown = Number(reply);
      if (shown < least || shown > this.#attempted)
        this.violations.push(
          `${counted}: ${shown}, not ${least} to ${this.#attempted}, after ${Math.round(performance.now() - sentMs)} ms`,
        );
    }
    await connections.close();
  }

  /** The least value that a read of this level may show when it is sent now. */
  #leastAt(level: WatchedLevel, nowMs: number): number {
    const newest = this.#acknowledged.length - 1;
    if (level === 'eventual') return -1;
    if (level !== 'bounded 1000') return newest;
    let value = newest;
    while (value >= 0 && (this.#acknowledged[value] as Acknowledged).atMs > nowMs - 1000) value -= 1;
    return value;
  }
}
