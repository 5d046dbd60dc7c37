import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import type { Entry } from '../state/entry.ts';
import type { Keyspace } from '../state/keyspace.ts';
import { idleMs } from '../state/use-clock.ts';

/** Keys evicted at once, as one entry: for one command, and in one tick. */
const batchOfCommand = 64;
const batchOfTick = 500;
/** And the bytes of their names in one entry, the last one's excepted. */
const batchBytes = 1 << 20;
/** Longest-idle keys that are remembered from one eviction to the next. */
const poolSize = 16;
/** Samples are drawn at most so many times for one eviction, while all that they show was used lately. */
const mostRounds = 4;

export const evictionPolicies = [
  'noeviction',
  'allkeys-lru',
  'volatile-lru',
  'volatile-ttl',
  'allkeys-random',
] as const;
export type EvictionPolicy = (typeof evictionPolicies)[number];

export interface EvictionOptions {
  /** Bytes of keys and values, as the keyspace estimates them; 0: no limit. */
  readonly maxMemory: number;
  readonly evictionPolicy: EvictionPolicy;
  /** Keys looked at for each eviction by last use. */
  readonly evictionSamples: number;
}

interface Candidate {
  readonly key: Bytes;
  readonly entry: Entry;
  readonly usedAt: number;
}

/**
 * Keeps a leader's keyspace below its limit: chooses keys by the policy, whose deletes are logged like any other. Last
 * use is approximated as in Redis: a few keys are looked at, and those that were idle longest are remembered.
 */
export class Evictor {
  /** Keys evicted since the start. */
  evicted = 0;
  readonly #keyspace: Keyspace;
  readonly #options: EvictionOptions;
  readonly #random: Random;
  readonly #remove: (keys: Iterable<Bytes>) => void;
  /** The last batch ended at its limit: there may be more to evict. */
  #batchFull = false;
  /** Longest idle first. */
  #pool: Candidate[] = [];
  /** How long the keys that went lately had been idle, ms: a running mean. */
  #usualIdleMs = 0;

  /** @param remove deletes keys as one entry, each before it asks for the next */
  constructor(
    keyspace: Keyspace,
    options: EvictionOptions,
    random: Random,
    remove: (keys: Iterable<Bytes>) => void,
  ) {
    this.#keyspace = keyspace;
    this.#options = options;
    this.#random = random;
    this.#remove = remove;
  }

  get #over(): boolean {
    return this.#options.maxMemory !== 0 && this.#keyspace.memoryBytes > this.#options.maxMemory;
  }

  /** Before a command that may take memory: evicts a bounded number of keys. False when nothing more can be evicted. */
  makeRoom(): boolean {
    return !this.#over || this.#evict(batchOfCommand);
  }

  /** Time passed: goes on where commands left off, and after the limit was lowered. */
  tick(): void {
    if (this.#over) this.#evict(batchOfTick);
  }

  /** True when the limit holds again, or would with more of the same. */
  #evict(limit: number): boolean {
    if (this.#options.evictionPolicy === 'noeviction') return false;
    this.#batchFull = false;
    this.#remove(this.#victims(limit));
    return !this.#over || this.#batchFull;
  }

  *#victims(limit: number): Generator<Bytes, void, undefined> {
    let bytes = 0;
    for (let left = limit; left > 0 && bytes < batchBytes && this.#over; left--) {
      const key = this.#victim();
      if (key === undefined) return;
      this.evicted += 1;
      bytes += key.length;
      yield key;
    }
    this.#batchFull = true;
  }

  #victim(): Bytes | undefined {
    const keyspace = this.#keyspace;
    switch (this.#options.evictionPolicy) {
      case 'noeviction':
        return undefined;
      case 'volatile-ttl':
        return keyspace.soonestToExpire();
      case 'allkeys-random': {
        // The walk alone would make a queue of it: whoever came first would go first.
        for (let skip = this.#random.below(poolSize); skip > 0; skip--) keyspace.walk();
        return keyspace.walk()?.[0];
      }
      case 'allkeys-lru':
        return this.#longestIdle(() => keyspace.walk());
      case 'volatile-lru':
        return this.#longestIdle(() => keyspace.someExpiring(this.#random));
    }
  }

  #longestIdle(draw: () => readonly [Bytes, Entry] | undefined): Bytes | undefined {
    const now = this.#keyspace.useClock;
    const idle = ({ usedAt }: Candidate): number => idleMs(usedAt, now);
    // Keys that lie together were often made together: where all are young, it looks on.
    for (let round = 0; round < mostRounds; round++) {
      this.#pool = this.#pool.filter((candidate) => this.#isCurrent(candidate));
      for (let left = this.#options.evictionSamples; left > 0; left--) {
        const drawn = draw();
        if (drawn === undefined) break;
        const [key, entry] = drawn;
        if (!this.#pool.some((known) => known.entry === entry))
          this.#pool.push({ key, entry, usedAt: entry.usedAt });
      }
      this.#pool.sort((one, other) => idle(other) - idle(one));
      this.#pool.length = Math.min(this.#pool.length, poolSize);
      const [best] = this.#pool;
      if (best === undefined) return undefined;
      if (idle(best) * 2 >= this.#usualIdleMs) break;
    }
    const victim = this.#pool.shift() as Candidate;
    this.#usualIdleMs += (idle(victim) - this.#usualIdleMs) / poolSize;
    return victim.key;
  }

  /** Neither used nor replaced since it was drawn, and still one that the policy may take. */
  #isCurrent({ key, entry, usedAt }: Candidate): boolean {
    return (
      entry.usedAt === usedAt &&
      this.#keyspace.peek(key) === entry &&
      !this.#keyspace.isFenced(key) &&
      (this.#options.evictionPolicy === 'allkeys-lru' || entry.expiresAt !== 0)
    );
  }
}
