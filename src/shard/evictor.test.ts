import { expect, test } from 'vitest';
import { Keyspace } from '../state/keyspace.ts';
import type { EvictionPolicy } from './evictor.ts';
import { Evictor } from './evictor.ts';

interface Given {
  readonly policy: EvictionPolicy;
  /** Keys to begin with. */
  readonly keys: number;
  /** Keys that fit. */
  readonly fit: number;
}

/** Random enough, and the same each time. */
function numbers(): { below(bound: number): number; float(): number } {
  let state = 1;
  const float = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  return { float, below: (bound) => Math.floor(float() * bound) };
}

/** A keyspace with keys 0, 1, 2 …, all of one size, and its evictor. */
function setUp({ policy, keys, fit }: Given) {
  const keyspace = new Keyspace();
  keyspace.useClock = 1000;
  for (let i = 0; i < keys; i++) keyspace.putString(name(i), 'v', 0);
  const options = {
    maxMemory: (keyspace.memoryBytes / keys) * fit,
    evictionPolicy: policy,
    evictionSamples: 5,
  };
  const entries: number[] = [];
  const evictor = new Evictor(keyspace, options, numbers(), (victims) => {
    let count = 0;
    for (const key of victims) {
      keyspace.remove(key);
      count += 1;
    }
    entries.push(count);
  });
  return { keyspace, options, evictor, entries };
}

function name(i: number): string {
  return `key:${String(i).padStart(6, '0')}`;
}

test('below the limit, and without one, nothing is evicted', () => {
  const { evictor, options, entries } = setUp({ policy: 'allkeys-lru', keys: 100, fit: 100 });
  expect(evictor.makeRoom()).toBe(true);
  options.maxMemory = 0;
  expect(evictor.makeRoom()).toBe(true);
  evictor.tick();
  expect(entries).toEqual([]);
});

test('without a policy there is no room above the limit', () => {
  const { evictor, keyspace } = setUp({ policy: 'noeviction', keys: 100, fit: 99 });
  expect(evictor.makeRoom()).toBe(false);
  evictor.tick();
  expect(keyspace.size).toBe(100);
});

test.each(['allkeys-lru', 'allkeys-random'] as const)('%s evicts no more than it must', (policy) => {
  const { evictor, keyspace, entries } = setUp({ policy, keys: 1000, fit: 990 });
  expect(evictor.makeRoom()).toBe(true);
  expect(keyspace.size).toBe(990);
  expect(evictor.evicted).toBe(10);
  expect(entries).toEqual([10]);
});

test('the work for one command and in one tick is bounded; commands go on meanwhile', () => {
  const { evictor, keyspace } = setUp({ policy: 'allkeys-lru', keys: 5000, fit: 10 });
  expect(evictor.makeRoom()).toBe(true);
  const afterCommand = 5000 - keyspace.size;
  expect(afterCommand).toBeGreaterThan(0);
  expect(afterCommand).toBeLessThanOrEqual(64);
  evictor.tick();
  expect(5000 - keyspace.size - afterCommand).toBeLessThanOrEqual(500);
  for (let i = 0; i < 20; i++) evictor.tick();
  expect(keyspace.size).toBe(10);
});

test.each(['allkeys-lru', 'volatile-lru'] as const)('%s spares what was used lately', (policy) => {
  const { evictor, keyspace } = setUp({ policy, keys: 4000, fit: 2000 });
  if (policy === 'volatile-lru') for (let i = 0; i < 4000; i++) keyspace.setExpiry(name(i), 1e15 + i);
  keyspace.useClock += 600;
  for (let i = 0; i < 1000; i++) {
    const entry = keyspace.peek(name(i * 4));
    if (entry !== undefined) entry.usedAt = keyspace.useClock;
  }
  keyspace.useClock += 10;
  while (keyspace.size > 2000) evictor.tick();
  let spared = 0;
  for (let i = 0; i < 1000; i++) if (keyspace.peek(name(i * 4)) !== undefined) spared += 1;
  expect(spared).toBeGreaterThan(980);
});

test.each(['volatile-lru', 'volatile-ttl'] as const)('%s takes only keys that expire', (policy) => {
  const { evictor, keyspace } = setUp({ policy, keys: 1000, fit: 900 });
  for (let i = 0; i < 50; i++) keyspace.setExpiry(name(i * 7), 1e15 - i);
  evictor.tick();
  // Fewer than had to go: what is left never expires.
  expect(keyspace.size).toBe(950);
  expect(keyspace.expiring).toBe(0);
  expect(evictor.makeRoom()).toBe(false);
  expect(evictor.evicted).toBe(50);
});

test('volatile-ttl takes first what expires first, whatever it was before', () => {
  const { evictor, keyspace } = setUp({ policy: 'volatile-ttl', keys: 10, fit: 8 });
  keyspace.setExpiry(name(1), 1000);
  keyspace.setExpiry(name(1), 9000);
  keyspace.setExpiry(name(2), 3000);
  keyspace.setExpiry(name(3), 2000);
  expect(evictor.makeRoom()).toBe(true);
  expect([1, 2, 3].filter((i) => keyspace.peek(name(i)) !== undefined)).toEqual([1]);
});

test('a policy that is changed takes effect at once', () => {
  const { evictor, keyspace, options } = setUp({ policy: 'allkeys-lru', keys: 100, fit: 90 });
  evictor.makeRoom();
  options.maxMemory = keyspace.memoryBytes - 1;
  options.evictionPolicy = 'volatile-lru';
  expect(evictor.makeRoom()).toBe(false);
  expect(keyspace.size).toBe(90);
});

test('keys with long names go a few at a time, as one entry must fit into the log', () => {
  const keyspace = new Keyspace();
  const long = 'x'.repeat(400_000);
  for (let i = 0; i < 20; i++) keyspace.putString(`${i}${long}`, 'v', 0);
  const entries: number[] = [];
  const options = { maxMemory: 1, evictionPolicy: 'allkeys-lru', evictionSamples: 5 } as const;
  const evictor = new Evictor(keyspace, options, numbers(), (victims) => {
    let bytes = 0;
    for (const key of victims) {
      keyspace.remove(key);
      bytes += key.length;
    }
    entries.push(bytes);
  });
  // There is more to evict, so a command may go on meanwhile.
  expect(evictor.makeRoom()).toBe(true);
  evictor.tick();
  expect(entries).toHaveLength(2);
  for (const bytes of entries) expect(bytes).toBeLessThan(2 << 20);
});
