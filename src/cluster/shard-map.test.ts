import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slotCount } from '../state/slot.ts';
import { evenShardMap, ShardMap, usesEveryNode } from './shard-map.ts';

test('an even map gives every slot one owner and every shard nearly as many as the others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1024 }), fc.integer({ min: 1, max: 9 }), (shards, nodes) => {
      const map = evenShardMap(
        shards,
        Array.from({ length: nodes }, (_, i) => `n${i}`),
      );
      const counts = map.placements.map(({ slots }) =>
        slots.reduce((sum, { from, to }) => sum + to - from + 1, 0),
      );
      expect(counts.reduce((a, b) => a + b)).toBe(slotCount);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      for (const { shard, slots } of map.placements)
        for (const { from, to } of slots) {
          expect(map.ownerOf(from)).toBe(shard);
          expect(map.ownerOf(to)).toBe(shard);
        }
      const led = new Map<string | null, number>();
      for (const { preferred } of map.placements) led.set(preferred, (led.get(preferred) ?? 0) + 1);
      if (shards > 1) expect(Math.max(...led.values())).toBe(Math.ceil(shards / nodes));
    }),
    { numRuns: 30 },
  );
});

test('a map with a slot that has no owner, or two, is none', () => {
  const half = { shard: 1, members: [], slots: [{ from: 0, to: 8191 }], preferred: null };
  const rest = { shard: 2, members: [], slots: [{ from: 8192, to: 16383 }], preferred: null };
  expect(new ShardMap([half, rest]).ownerOf(8192)).toBe(2);
  expect(() => new ShardMap([half])).toThrow('slot 8192 has no owner');
  expect(() => new ShardMap([half, { ...rest, slots: [{ from: 8191, to: 16383 }] }])).toThrow(
    'slot 8191 has two',
  );
});

test('replicas are spread as evenly as shards, on different nodes, the preferred leader among them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 100 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (shards, count, wanted) => {
        const nodes = Array.from({ length: count }, (_, i) => `n${i}`);
        const replicas = Math.min(wanted, count);
        const held = new Map<string, number>();
        for (const { members, preferred } of evenShardMap(shards, nodes, replicas).placements) {
          expect(new Set(members).size).toBe(replicas);
          expect(members).toContain(preferred);
          for (const node of members) held.set(node, (held.get(node) ?? 0) + 1);
        }
        expect(held.size === count).toBe(usesEveryNode(shards, count, replicas));
        if (shards % count === 0) expect(new Set(held.values()).size).toBe(1);
      },
    ),
    { numRuns: 100 },
  );
});
