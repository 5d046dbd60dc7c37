import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { EffectEncoder } from './effect-codec.ts';
import type { EffectSink } from './effects.ts';
import { Keyspace } from './keyspace.ts';
import { slotOf } from './slot.ts';

type Effect = (sink: EffectSink) => void;

const key = fc.constantFrom('a', 'b', 'c', '{t}1', '{t}2', 'long-key-of-more-than-twenty-four-bytes');
const value = fc.string({ maxLength: 40, unit: 'binary' }).map((text) => Buffer.from(text).latin1Slice());
const effect: fc.Arbitrary<Effect> = fc.oneof(
  fc.tuple(key, value, fc.constantFrom(0, 5000, 9000)).map(
    ([k, v, at]): Effect =>
      (sink) =>
        sink.putString(k, v, at),
  ),
  fc.tuple(key, value).map(
    ([k, v]): Effect =>
      (sink) =>
        sink.appendString(k, v),
  ),
  fc.tuple(key, fc.nat(50), value).map(
    ([k, at, v]): Effect =>
      (sink) =>
        sink.setRange(k, at, v),
  ),
  key.map(
    (k): Effect =>
      (sink) =>
        sink.remove(k),
  ),
  fc.tuple(key, fc.constantFrom(0, 7000)).map(
    ([k, at]): Effect =>
      (sink) =>
        sink.setExpiry(k, at),
  ),
  fc.tuple(key, key).map(
    ([a, b]): Effect =>
      (sink) =>
        sink.rename(a, b),
  ),
  fc.tuple(key, key).map(
    ([a, b]): Effect =>
      (sink) =>
        sink.copy(a, b),
  ),
  fc.constant<Effect>((sink) => sink.clear()),
  longStringEffect(),
  elementEffect(),
  elementEffect(),
  elementEffect(),
);

/** Strings that become long, or shrink to plain ones. */
function longStringEffect(): fc.Arbitrary<Effect> {
  const name = fc.constantFrom('long1', 'long2');
  const length = fc.constantFrom(1, 100, 20_000, 65_535, 65_536, 65_537, 150_000);
  return fc.tuple(name, length, value, fc.nat(6)).map(([k, n, v, what]): Effect => {
    return (sink) => {
      if (what === 0) sink.putString(k, v.padEnd(n, 'x'), 0);
      else if (what === 1) sink.appendString(k, v.padEnd(n >> 2, 'y'));
      else if (what === 2) sink.setRange(k, n, v);
      else if (what === 3) sink.copy('long1', 'long2');
      else if (what === 4) sink.combineBits(v < 'm' ? 'xor' : 'or', 'long1', [k, 'long2', 'a', 'none']);
      else if (what === 5) sink.combineBits('not', k, ['long2']);
      else sink.setExpiry(k, 8000);
    };
  });
}

/** Changes of elements, each on keys of its own type. */
function elementEffect(): fc.Arbitrary<Effect> {
  const element = fc.oneof(value, fc.nat(600).map(String));
  const index = fc.nat(8);
  const score = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -3, max: 3 }));
  const name = fc.constantFrom('1', '2');
  return fc.oneof(
    fc.tuple(name, element, value, fc.boolean()).map(([n, field, v, put]): Effect => {
      return (sink) => (put ? sink.hashSet(`hash${n}`, field, v) : sink.hashRemove(`hash${n}`, field));
    }),
    fc.tuple(name, element, fc.boolean()).map(([n, member, put]): Effect => {
      return (sink) => (put ? sink.setAdd(`set${n}`, member) : sink.setRemove(`set${n}`, member));
    }),
    fc.tuple(name, element, score, fc.boolean()).map(([n, member, s, put]): Effect => {
      return (sink) =>
        put ? sink.sortedSetPut(`zset${n}`, member, s) : sink.sortedSetRemove(`zset${n}`, member);
    }),
    fc.tuple(name, fc.nat(300), fc.nat(200)).map(([n, from, count]): Effect => {
      return (sink) => sink.sortedSetRemoveRange(`zset${n}`, from, count);
    }),
    fc.tuple(name, index, value, fc.nat(3)).map(([n, at, item, what]): Effect => {
      return (sink) => {
        if (what === 0) sink.listInsert(`list${n}`, at, item);
        else if (what === 1) sink.listAppend(`list${n}`, item);
        else if (what === 2) sink.listSet(`list${n}`, at, item);
        else sink.listRemove(`list${n}`, at, 2);
      };
    }),
    fc.tuple(fc.constantFrom('hash', 'set', 'zset', 'list'), fc.nat(3)).map(([type, what]): Effect => {
      return (sink) => {
        if (what === 0) sink.rename(`${type}1`, `${type}2`);
        else if (what === 1) sink.copy(`${type}2`, `${type}1`);
        else if (what === 2) sink.setExpiry(`${type}1`, 8000);
        else sink.remove(`${type}1`);
      };
    }),
    // Many at once, so that tables split and trees branch.
    fc
      .tuple(fc.constantFrom('hash', 'set', 'zset', 'list'), fc.nat(400), fc.boolean())
      .map(([type, from, put]) => {
        return (sink: EffectSink) => {
          for (let i = from; i < from + 300; i++) {
            const member = String(i);
            if (type === 'hash' && put) sink.hashSet('hash1', member, 'v');
            else if (type === 'hash') sink.hashRemove('hash1', member);
            else if (type === 'set' && put) sink.setAdd('set1', member);
            else if (type === 'set') sink.setRemove('set1', member);
            else if (type === 'zset' && put) sink.sortedSetPut('zset1', member, i % 7);
            else if (type === 'zset') sink.sortedSetRemove('zset1', member);
            else if (put) sink.listInsert('list1', i % 5, member);
            else sink.listRemove('list1', 1, 1);
          }
        };
      }),
  );
}

function restored(slices: { next(bytes: number): Buffer | null }): Keyspace {
  const copy = new Keyspace();
  const loader = copy.restore();
  for (let slice = slices.next(64); slice !== null; slice = slices.next(64)) loader.load(Buffer.from(slice));
  loader.finish(0);
  return copy;
}

describe('the keyspace', () => {
  it('pitfall 37: effects through bytes give the state that they gave directly', () => {
    fc.assert(
      fc.property(fc.array(fc.array(effect, { maxLength: 4 }), { maxLength: 30 }), (entries) => {
        const leader = new Keyspace();
        const follower = new Keyspace();
        const out = new ByteWriter(64);
        const encoder = new EffectEncoder(out);
        let lsn = 0;
        for (const effects of entries) {
          lsn += 1;
          leader.writeLsn = lsn;
          encoder.begin();
          for (const apply of effects) {
            apply(leader);
            apply(encoder);
          }
          const bytes = out.take();
          follower.applyEntry(bytes, 0, bytes.length, lsn);
        }
        expect(follower.digest()).toBe(leader.digest());
        expect(follower.size).toBe([...leader.keys()].length);
        expect(follower.expiring).toBe(
          [...follower.keys()].filter((k) => follower.peek(k)?.expiresAt !== 0).length,
        );
        expect(follower.memoryBytes).toBe(leader.memoryBytes);
        if (follower.size === 0) expect(follower.memoryBytes).toBe(0);
      }),
    );
  });

  it('an entry with many effects on one key holds the key once', () => {
    const out = new ByteWriter(64);
    const encoder = new EffectEncoder(out);
    const name = 'k'.repeat(10_000);
    encoder.begin();
    for (let i = 0; i < 1000; i++) encoder.hashSet(name, String(i), 'v');
    expect(out.length).toBeLessThan(30_000);
    const [first, last] = [new Keyspace(), new Keyspace()];
    for (let i = 0; i < 1000; i++) first.hashSet(name, String(i), 'v');
    const bytes = out.take();
    last.applyEntry(bytes, 0, bytes.length, 1);
    expect(last.digest()).toBe(first.digest());
    encoder.begin();
    encoder.remove(name);
    expect(out.length).toBeGreaterThan(10_000);
    const same = Buffer.from([5, 255, 255, 255, 255]);
    expect(() => last.applyEntry(same, 0, same.length, 2)).toThrow(MalformedBytes);
  });

  it('pitfall 42: a checkpoint holds the state of its moment, whatever changes while it is read', () => {
    fc.assert(
      fc.property(
        fc.array(effect, { maxLength: 30 }),
        fc.array(effect, { maxLength: 30 }),
        (before, during) => {
          const keyspace = new Keyspace();
          for (const apply of before) apply(keyspace);
          const wanted = keyspace.digest();
          const { memoryBytes } = keyspace;
          const slices = keyspace.beginCheckpoint();
          const rest = [...during];
          const copy = restored({
            next: (bytes) => {
              rest.shift()?.(keyspace);
              rest.shift()?.(keyspace);
              return slices.next(bytes);
            },
          });
          expect(slices.digest).toBe(wanted);
          expect(copy.digest()).toBe(wanted);
          expect(copy.memoryBytes).toBe(memoryBytes);
        },
      ),
    );
  });

  it('a scan returns every key that was there throughout', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 40 }), fc.nat(1000), (oneSlot, count, seed) => {
        const keyspace = new Keyspace();
        const name = (i: number): string => (oneSlot ? `{x}${i}` : `k${i}`);
        for (let i = 0; i < 1500; i++) keyspace.putString(name(i), 'v', 0);
        const seen = new Set<string>();
        let cursor = 0;
        let round = seed;
        do {
          cursor = keyspace.scan(cursor, count, (k) => seen.add(k));
          // Keys from 1000 on come and go.
          keyspace.remove(name(1000 + (round++ % 500)));
          keyspace.putString(name(1000 + ((round * 7) % 500)), 'w', 0);
        } while (cursor !== 0);
        for (let i = 0; i < 1000; i++) expect(seen.has(name(i))).toBe(true);
      }),
      { numRuns: 20, examples: [[true, 1, 0]] },
    );
  });

  it('names due keys once, and not those whose expiry went away', () => {
    const keyspace = new Keyspace();
    keyspace.putString('soon', '1', 100);
    keyspace.putString('later', '1', 200);
    keyspace.putString('kept', '1', 100);
    keyspace.setExpiry('kept', 0);
    for (let i = 0; i < 5000; i++) keyspace.setExpiry('later', 300 + i);
    expect(keyspace.nextDue(150, 10)).toEqual(['soon']);
    keyspace.remove('soon');
    expect(keyspace.nextDue(150, 10)).toEqual([]);
    expect(keyspace.nextDue(10_000, 10)).toEqual(['later']);
  });

  it('pitfall 39: knows what a reply about a missing key depends on until the delete is committed', () => {
    const keyspace = new Keyspace();
    keyspace.keepTombstones = true;
    keyspace.writeLsn = 7;
    keyspace.putString('k', 'v', 0);
    keyspace.writeLsn = 8;
    keyspace.remove('k');
    expect(keyspace.gateOf('k')).toBe(8);
    keyspace.committed(7);
    expect(keyspace.gateOf('k')).toBe(8);
    keyspace.committed(8);
    expect(keyspace.gateOf('k')).toBe(0);
    keyspace.writeLsn = 9;
    keyspace.clear();
    expect(keyspace.gateOf('anything')).toBe(9);
  });

  it('puts keys in the slots that Redis Cluster names', () => {
    expect(slotOf('123456789')).toBe(0x31c3);
    expect(slotOf('{user1000}.following')).toBe(slotOf('{user1000}.followers'));
    expect(slotOf('foo{}{bar}')).not.toBe(slotOf('bar'));
  });
});
