import { evenSlots, type SlotShift } from '../cluster/balance-slots.ts';
import type { Metadata } from '../cluster/metadata.ts';
import { BellwetherError } from '../errors.ts';
import { slotCount, slotsCounted, slotsIn } from '../state/slot.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { type AskedNode, formatBytes, leaderOf } from './cluster-view.ts';
import { changeMetadata, type ShownMetadata } from './metadata-access.ts';

/** Questions on one connection. */
const mostAtOnce = 4096;

/**
 * Which slots would go where, by what the leaders of shards say of their sizes; null while one of them is missing. A node
 * that hands leadership over closes connections.
 */
export async function slotShifts(
  access: ClusterAccess,
  metadata: Metadata,
  asked: readonly AskedNode[],
): Promise<SlotShift[] | null> {
  try {
    const bytes = await slotSizes(access, metadata, asked);
    return bytes === null ? null : evenSlots(metadata, (slot) => bytes[slot] as number);
  } catch (error) {
    if (error instanceof BellwetherError && error.code === 'BW_NOT_A_CLUSTER') return null;
    throw error;
  }
}

async function slotSizes(
  access: ClusterAccess,
  metadata: Metadata,
  asked: readonly AskedNode[],
): Promise<Float64Array | null> {
  const bytes = new Float64Array(slotCount);
  for (const shard of metadata.shards.keys()) {
    const leader = leaderOf(asked, shard);
    if (leader === null || !leader.shard.serving) return null;
    const { keys, memoryBytes } = leader.shard;
    const bytesPerKey = memoryBytes / Math.max(1, keys);
    const slots = [...metadata.owners.keys()].filter((slot) => metadata.owners[slot] === shard);
    for (let at = 0; at < slots.length; at += mostAtOnce) {
      const some = slots.slice(at, at + mostAtOnce);
      const questions = some.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', String(slot)]);
      const counts = await access.tellAll(leader.node.client, questions);
      for (const [i, slot] of some.entries()) bytes[slot] = Number(counts[i]) * bytesPerKey;
    }
  }
  return bytes;
}

export function shiftLine({ from, to, slots, bytes }: SlotShift): string {
  const count = slotsCounted(slots);
  return `${count} ${count === 1 ? 'slot' : 'slots'} of shard ${from} to shard ${to} (about ${formatBytes(bytes)})`;
}

/** Decides that slots go elsewhere; the leaders of their shards bring them there. */
export async function moveSlots(
  access: ClusterAccess,
  { from, to, slots }: SlotShift,
  patienceMs: number,
): Promise<void> {
  const ranges = slots.map((range) => `${range.from}-${range.to}`).join(',');
  const words = ['SLOTS', 'MOVE', ranges, 'FROM', String(from), 'TO', String(to)];
  const wanted = new Set(slotsIn(slots));
  await changeMetadata(access, patienceMs, words, (shown) =>
    [...wanted].every((slot) => goesTo(shown, slot) === to),
  );
}

/** The shard that a slot is in, or is to go to. */
function goesTo({ wanted, shards }: ShownMetadata, slot: number): number | null {
  const move = wanted.find(([first, last]) => first <= slot && slot <= last);
  if (move !== undefined) return move[2];
  const owner = Object.entries(shards).find(([, { slots }]) =>
    slots.some(([first, last]) => first <= slot && slot <= last),
  );
  return owner === undefined ? null : Number(owner[0]);
}

/** Slots that are not yet where they are to be. */
export function slotsLeft({ owners, wanted }: Metadata): number {
  return owners.filter((shard, slot) => shard !== wanted[slot]).length;
}
