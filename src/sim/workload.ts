import { exists, pairPrefix } from './client-commands.ts';
import type { EventLoop } from './event-loop.ts';
import type { Request } from './history.ts';
import type { LevelClient } from './level-client.ts';
import type { OperationKind } from './models.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Shape } from './shape.ts';
import type { Client } from './sim-client.ts';

/** What can be asked of one sort of keys: how to read them, and what changes them, as often as it is named. */
interface Sort {
  readonly name: string;
  readonly read: OperationKind;
  readonly changes: readonly OperationKind[];
}

const sorts: readonly Sort[] = [
  { name: 'register', read: 'get', changes: ['set'] },
  { name: 'counter', read: 'get', changes: ['incr'] },
  { name: 'erasable', read: 'get', changes: ['set', 'set', 'set', 'del', 'del'] },
  {
    name: 'fleeting',
    read: 'get',
    changes: ['set', 'setpx', 'setpx', 'pexpire', 'persist', 'del', 'getset'],
  },
  { name: 'journal', read: 'get', changes: ['append', 'append', 'append', 'append', 'append', 'del'] },
  { name: pairPrefix, read: 'get', changes: ['set', 'set', 'set', 'del'] },
  { name: 'list', read: 'lrange', changes: ['rpush', 'rpush', 'lpop', 'lpop', 'del'] },
  { name: 'hash', read: 'hgetall', changes: ['hset', 'hset', 'hdel', 'del'] },
  { name: 'set', read: 'smembers', changes: ['sadd', 'sadd', 'srem', 'del'] },
  { name: 'zset', read: 'zrange', changes: ['zadd', 'zadd', 'zrem', 'del'] },
].filter(({ read, changes }) => [read, ...changes].every((kind) => exists(kind as OperationKind))) as Sort[];

/** Sorts whose last value tells by itself whether writes were lost. */
const telling = ['register', 'counter', 'erasable'];

/** Which keys there are, and how often clients ask for what. */
export class Workload {
  readonly keys: string[];
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #thinkMs: number;
  readonly #shape: Shape;
  #value = 0;
  #running = true;
  /** Until then nobody asks for anything. */
  #quietUntilMs = 0;

  constructor(loop: EventLoop, random: SeededRandom, shape: Shape) {
    this.#loop = loop;
    this.#random = random;
    this.#shape = shape;
    const others = random.shuffled(sorts.slice(2)).slice(0, 1 + random.below(4));
    this.keys = [
      ...Array.from({ length: 1 + random.below(3) }, (_, i) => `register${i}`),
      ...Array.from({ length: 1 + random.below(2) }, (_, i) => `counter${i}`),
      ...others.flatMap(({ name }) => Array.from({ length: 1 + random.below(2) }, (_, i) => `${name}${i}`)),
    ];
    this.#thinkMs = random.pick([5, 20, 60]);
    for (const shard of shape.shards) for (const name of telling.slice(0, 2)) this.#ensure(name, shard);
  }

  /** Each shard has some keys that every client may use. */
  #ensure(name: string, shard: number): void {
    const isThere = (key: string): boolean => sortOf(key).name === name && this.#shape.shardOf(key) === shard;
    if (this.keys.some(isThere)) return;
    let number = 0;
    while (!isThere(`${name}${number}`)) number += 1;
    this.keys.push(`${name}${number}`);
  }

  keysOf(shard: number): readonly string[] {
    return this.keys.filter((key) => this.#shape.shardOf(key) === shard);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Clients have nothing to ask for a while. */
  lull(forMs: number): void {
    this.#quietUntilMs = Math.max(this.#quietUntilMs, this.#loop.nowMs + forMs);
  }

  /** Calls back when a lull is over; false when there is none. */
  #waits(ask: () => void): boolean {
    const leftMs = this.#quietUntilMs - this.#loop.nowMs;
    if (leftMs <= 0) return false;
    this.#loop.after(leftMs + this.#random.between(0, 2 * this.#thinkMs), ask);
    return true;
  }

  stop(): void {
    this.#running = false;
  }

  /** Lets a client ask one thing after the other, as many at once as it does. */
  run(client: Client): void {
    for (let lane = 0; lane < client.atOnce; lane++) this.#ask(client);
  }

  /** The same for one that reads at a level of its own. */
  runLevel(client: LevelClient): void {
    if (!this.#running || this.#waits(() => this.runLevel(client))) return;
    client.request(this.#nextAt(client), () => {
      this.#loop.after(this.#random.between(0, 2 * this.#thinkMs), () => this.runLevel(client));
    });
  }

  #nextAt({ kind: level, keys: all }: LevelClient): Request {
    const writes = level === 'session' || level === 'strict';
    // Only these tell by themselves whether anybody wrote what a leader alone has executed.
    const names = writes || level !== 'local' ? null : telling;
    if (writes && this.#random.chance(0.25)) {
      const key = this.#random.pick(all.filter((name) => sortOf(name).name === 'register'));
      return { key, kind: 'set', value: this.#valueFor('set') };
    }
    const keys = names === null ? all : all.filter((key) => names.includes(sortOf(key).name));
    const key = this.#random.pick(keys);
    return { key, kind: readOf(key), value: '' };
  }

  #ask(client: Client): void {
    if (!this.#running || this.#waits(() => this.#ask(client))) return;
    client.request(this.#next(client), () => {
      // Clients that wait for no copies write faster, and long tails are lost with their leader.
      const thinkMs = client.believes ? this.#thinkMs * client.atOnce : 4;
      this.#loop.after(this.#random.between(0, 2 * thinkMs), () => this.#ask(client));
    });
  }

  #next(client: Client): Request {
    const keys = client.believes ? this.keys : this.keys.filter((key) => sortOf(key).name === 'register');
    const key = this.#random.pick(keys);
    const { read, changes } = sortOf(key);
    const kind = this.#random.chance(client.reads) ? read : this.#random.pick(changes);
    return { key, kind, value: this.#valueFor(kind), ttlMs: Math.ceil(this.#random.between(1, 600)) };
  }

  #valueFor(kind: OperationKind): string {
    switch (kind) {
      case 'set':
      case 'setpx': {
        const padding = this.#random.chance(0.05) ? 'x'.repeat(this.#random.below(6000)) : '';
        return `v${++this.#value}${padding}`;
      }
      case 'getset':
      case 'rpush':
        return `v${++this.#value}`;
      case 'append':
        return `${++this.#value};`;
      case 'sadd':
      case 'srem':
      case 'hdel':
      case 'zrem':
        return `m${this.#random.below(6)}`;
      case 'hset':
      case 'zadd':
        return `m${this.#random.below(6)}:${++this.#value}`;
      default:
        return '';
    }
  }
}

const sortsByKey = new Map<string, Sort>();

function sortOf(key: string): Sort {
  let sort = sortsByKey.get(key);
  if (sort === undefined) {
    sort = sorts.find(({ name }) => name === key.replace(/\d+$/, '')) as Sort;
    sortsByKey.set(key, sort);
  }
  return sort;
}

/** How a key is read. */
export function readOf(key: string): OperationKind {
  return sortOf(key).read;
}

export function lastValueTells(key: string): boolean {
  return telling.includes(sortOf(key).name);
}
