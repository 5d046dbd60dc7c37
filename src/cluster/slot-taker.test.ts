import { expect, test } from 'vitest';
import type { SlotContent, SlotCopy } from '../core/types.ts';
import { TestCluster } from '../shard/cluster-test-kit.ts';
import type { Replica } from '../shard/replica.ts';
import { slotCount } from '../state/slot.ts';
import { slotPhase } from '../state/slot-fences.ts';
import type { Metadata } from './metadata.ts';
import { SlotTaker } from './slot-taker.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const slots = [{ from: 100, to: 110 }];
const began = 6;

function copyStep(attempt: number, sequence: number, content: SlotContent): SlotCopy {
  const empty = new Uint8Array();
  return { kind: 'slotCopy', term: 3, from: 1, began, attempt, sequence, content, lsn: 40, bytes: empty };
}

/** The metadata while slots move from shard 1 to shard 0, or behind that. */
function metadata(epoch: number, moved: boolean): Metadata {
  const owners = new Uint16Array(slotCount).fill(moved ? 0 : 1);
  const since = new Uint32Array(slotCount).fill(moved ? began : 0);
  const moves = new Map(moved ? [] : [[began, { from: 1, to: 0, slots }]]);
  return { epoch, nodes: new Map(), shards: new Map(), owners, wanted: owners, since, moves };
}

test('a copy that comes late does not take slots in again that the shard has served since', () => {
  const cluster = new TestCluster();
  const replica = cluster.host('a').replicas.get(0) as Replica;
  const taker = (): SlotTaker =>
    new SlotTaker(replica, { logger: quiet, send: () => {}, finish: () => {}, slotsChanged: () => {} });
  const first = taker();
  const underWay = metadata(7, false);
  for (const step of [copyStep(1, 1, 'begin'), copyStep(1, 2, 'end')]) first.received('b', step, underWay);
  const { fences } = replica.keyspace;
  expect(fences.phaseOf(100)).toBe(slotPhase.imported);
  first.look(metadata(8, true), cluster.now);
  expect(fences.serves(100, began)).toBe(true);

  // A later leader's node may not know yet that the move is over.
  for (const step of [copyStep(2, 1, 'begin'), copyStep(2, 2, 'end')]) taker().received('b', step, underWay);
  expect(fences.serves(100, began)).toBe(true);
});

test('time in the shard that takes slots is not before that in the one that gave them', () => {
  const cluster = new TestCluster();
  const replica = cluster.host('a').replicas.get(0) as Replica;
  const taker = new SlotTaker(replica, {
    ...{ logger: quiet, send: () => {}, finish: () => {}, slotsChanged: () => {} },
  });
  const later = replica.core.timeMs + 60_000;
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(later);
  const end = { ...copyStep(1, 2, 'end'), bytes };
  for (const step of [copyStep(1, 1, 'begin'), end]) taker.received('b', step, metadata(7, false));
  cluster.settle();
  expect(replica.historyMs).toBe(later);
  const follower = cluster.host('b').replicas.get(0) as Replica;
  cluster.run(50);
  expect(follower.historyMs).toBeGreaterThanOrEqual(later);
});
