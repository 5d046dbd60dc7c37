import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterMove, type Move, movesOf, nextMove, type Spread } from './balance.ts';
import type { NodeRecord, ShardRecord } from './metadata.ts';
import { wantedCopies } from './metadata.ts';

type Places = Spread['metadata'];

function nodeIn(zone: string, state: NodeRecord['state'] = 'member'): NodeRecord {
  return { peer: '', client: '', instance: '', state, zone };
}

/** Nodes by zone, `a:1,2 b:3`, and shards by their members, `123`, of which the first is preferred. */
function places(zones: string, ...shards: readonly string[]): Places {
  const nodes = new Map<string, NodeRecord>();
  for (const part of zones.split(' ')) {
    const [zone = '', ids = ''] = part.split(':');
    for (const id of ids.split(',')) nodes.set(id, nodeIn(zone));
  }
  return {
    nodes,
    shards: new Map(
      shards.map((members, i) => [i + 1, { members: [...members].sort(), preferred: members[0] ?? null }]),
    ),
  };
}

const anything = { there: (): boolean => true, settled: (): boolean => true };

function spread(metadata: Places, most = 1000): { moves: readonly Move[]; metadata: Places } {
  const moves = movesOf({ metadata, ...anything }, most);
  return { moves, metadata: moves.reduce(afterMove, metadata) };
}

function membersOf({ shards }: Places): string[] {
  return [...shards.values()].map(({ members }) => members.join(''));
}

test('a node that comes is given replicas, then shards to lead, and nothing else is moved', () => {
  const { moves, metadata } = spread(places(':1,2,3,4', '123', '231', '312', '123'));
  expect(moves.map(({ kind, to }) => `${kind} ${to}`)).toEqual([
    'replica 4',
    'replica 4',
    'replica 4',
    'leader 4',
  ]);
  expect(membersOf(metadata).join('').split('').sort().join('')).toBe('111222333444');
});

test('zones come before even numbers', () => {
  const { metadata } = spread(places('a:1,2,3 b:4 c:5', '123', '123'));
  expect(membersOf(metadata)).toEqual(['345', '245']);
});

test('what is even stays as it is', () => {
  expect(spread(places(':1,2,3', '123', '231', '312')).moves).toEqual([]);
  expect(spread(places('a:1,2 b:3,4', '13', '24', '41')).moves).toEqual([]);
});

test('a shard that lost a replica gets another one as soon as there is a node for it', () => {
  const short = new Map<number, ShardRecord>([[1, { members: ['1', '2'], preferred: null, copies: 3 }]]);
  const two = { ...places('a:1 b:2'), shards: short };
  expect(spread(two).moves).toEqual([]);
  expect(spread({ ...two, nodes: places('a:1,3 b:2 c:4').nodes }).moves).toEqual([
    { kind: 'add', shard: 1, to: '4' },
  ]);
});

test('leadership goes by way of others where those who lead little share no shard with those who lead much', () => {
  const begun = places(':1,2,3', '12', '12', '23');
  // One that anybody may lead.
  const shards = new Map([...begun.shards, [4, { members: ['3'], preferred: null }]]);
  const { moves, metadata } = spread({ ...begun, shards });
  expect(moves).toEqual([
    { kind: 'leader', shard: 3, from: '2', to: '3' },
    { kind: 'leader', shard: 1, from: '1', to: '2' },
  ]);
  expect([...metadata.shards.values()].map(({ preferred }) => preferred)).toEqual(['2', '1', '3', null]);
});

test('nobody who is away or leaving is given anything, and what is not settled is not moved', () => {
  const metadata = places(':1,2,3,4,5', '123', '231', '312');
  const nodes = new Map(metadata.nodes).set('4', nodeIn('', 'leaving'));
  const away = { there: (node: string) => node !== '5', settled: () => true };
  expect(nextMove({ metadata: { ...metadata, nodes }, ...away })).toBeNull();
  const one = movesOf({ metadata, there: () => true, settled: (shard) => shard === 2 }, 9);
  expect(one.every(({ shard }) => shard === 2)).toBe(true);
});

const drawn = fc
  .record({
    zones: fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 1, maxLength: 8 }),
    states: fc.array(fc.constantFrom('member', 'member', 'member', 'leaving', 'removed'), {
      minLength: 8,
      maxLength: 8,
    }),
    shards: fc.array(fc.tuple(fc.uniqueArray(fc.nat(7), { minLength: 1 }), fc.nat(7), fc.nat(4)), {
      maxLength: 12,
    }),
    away: fc.uniqueArray(fc.nat(7), { maxLength: 3 }),
  })
  .map(({ zones, states, shards, away }) => {
    const ids = zones.map((_, i) => `n${i}`);
    const nodes = new Map(
      ids.map((id, i) => [id, nodeIn(zones[i] as string, states[i] as NodeRecord['state'])]),
    );
    const records = shards.map(([members, preferred, copies], i): [number, ShardRecord] => {
      const on = [...new Set(members.map((at) => ids[at % ids.length] as string))].sort();
      return [i + 1, { members: on, preferred: on[preferred % on.length] as string, copies }];
    });
    const metadata: Places = { nodes, shards: new Map(records) };
    return { metadata, there: (node: string) => !away.includes(Number(node.slice(1))), settled: () => true };
  });

function sumOfSquares(counts: Iterable<number>): number {
  return [...counts].reduce((sum, count) => sum + count * count, 0);
}

function counts(names: readonly string[]): number[] {
  return [...new Set(names)].map((name) => names.filter((other) => other === name).length);
}

/** How far from even, what counts most first. */
function distance({ nodes, shards }: Places): number[] {
  const records = [...shards.values()];
  const zones = records.map(({ members }) => counts(members.map((node) => nodes.get(node)?.zone ?? '')));
  return [
    records.reduce((sum, record) => sum + wantedCopies(record) - record.members.length, 0),
    zones.reduce((sum, crowd) => sum + sumOfSquares(crowd), 0),
    sumOfSquares(counts(records.flatMap(({ members }) => members))),
    sumOfSquares(counts(records.flatMap(({ preferred }) => preferred ?? []))),
  ];
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at >= 0 && (one[at] as number) < (other[at] as number);
}

test('every state comes to an end, without a step back and without ever having less than before', () => {
  fc.assert(
    fc.property(drawn, ({ metadata, there, settled }) => {
      let now: Places = metadata;
      const seen = new Set<string>();
      for (let steps = 0; ; steps++) {
        expect(steps).toBeLessThan(500);
        const state = JSON.stringify([...now.shards]);
        expect(seen.has(state)).toBe(false);
        seen.add(state);
        const move = nextMove({ metadata: now, there, settled });
        if (move === null) break;
        const next = afterMove(now, move);
        // Steps of leadership by way of others gain nothing until the last one.
        if (move.kind !== 'leader') expect(isLess(distance(next), distance(now))).toBe(true);
        else expect(isLess(distance(now), distance(next))).toBe(false);
        for (const [shard, { members, preferred }] of next.shards) {
          expect(new Set(members).size).toBe(members.length);
          expect(members.length).toBeGreaterThanOrEqual(now.shards.get(shard)?.members.length ?? 0);
          expect(members).toContain(preferred);
        }
        expect(there(move.to) && now.nodes.get(move.to)?.state === 'member').toBe(true);
        now = next;
      }
    }),
    { numRuns: 300 },
  );
});

test('in the end zones are as far apart as they can be, and without zones replicas and leaders are even', () => {
  fc.assert(
    fc.property(drawn, ({ metadata }) => {
      const nodes = new Map([...metadata.nodes].map(([id, { zone }]) => [id, nodeIn(zone)]));
      const ids = [...nodes.keys()];
      const end = spread({ ...metadata, nodes }).metadata;
      for (const record of end.shards.values()) {
        expect(record.members.length).toBe(Math.min(wantedCopies(record), ids.length));
        const crowd = (zone: string): number =>
          record.members.filter((id) => nodes.get(id)?.zone === zone).length;
        for (const id of ids.filter((one) => !record.members.includes(one)))
          for (const member of record.members)
            expect(crowd(nodes.get(member)?.zone ?? '') - crowd(nodes.get(id)?.zone ?? '')).toBeLessThan(2);
      }
      const plain = new Map(ids.map((id) => [id, nodeIn('')]));
      const even = [...spread({ ...metadata, nodes: plain }).metadata.shards.values()];
      const held = ids.map((id) => even.filter(({ members }) => members.includes(id)).length);
      expect(Math.max(...held) - Math.min(...held)).toBeLessThan(2);
    }),
    { numRuns: 300 },
  );
});
