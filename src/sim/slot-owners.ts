import type { Metadata } from '../cluster/metadata.ts';
import { slotCount } from '../state/slot.ts';

/** Every slot has exactly one owner at every epoch, and that is a shard. Answers what is wrong; null when nothing is. */
export function checkOwners({
  epoch,
  shards,
  owners,
}: Pick<Metadata, 'epoch' | 'shards' | 'owners'>): string | null {
  if (owners.length !== slotCount) return `epoch ${epoch} has owners of ${owners.length} slots`;
  for (let slot = 0; slot < slotCount; slot++) {
    const owner = owners[slot] as number;
    if (!shards.has(owner))
      return `slot ${slot} belongs to shard ${owner} at epoch ${epoch}, and there is none`;
  }
  return null;
}

/** A node routes by the owners of the epoch that it goes by. Answers what is wrong; null when nothing is. */
export function checkRouting(
  node: string,
  { epoch, owners }: Pick<Metadata, 'epoch' | 'owners'>,
  ownerOf: (slot: number) => number,
): string | null {
  for (let slot = 0; slot < slotCount; slot++)
    if (ownerOf(slot) !== owners[slot])
      return `${node} sends clients of slot ${slot} to shard ${ownerOf(slot)}, and at epoch ${epoch} it belongs to shard ${owners[slot]}`;
  return null;
}
