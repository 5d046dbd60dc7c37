import type { SlotStep } from '../core/types.ts';
import { rangesOf, type SlotRange, slotCount, slotsCounted, slotsIn } from '../state/slot.ts';
import type { Metadata, MetadataChange, SlotMove } from './metadata.ts';
import type { Decision } from './placement.ts';

/** What has become of a move, by metadata that knows of its beginning. */
export type MoveOutcome = 'under way' | 'moved' | 'cancelled';

/** Slots are to be elsewhere: the leaders of the shards that have them bring them there, a batch at a time. */
export function wantOwners(metadata: Metadata, wanted: Uint16Array): Decision {
  const unknown = wanted.find((shard) => !metadata.shards.has(shard));
  if (unknown !== undefined) return { refused: `there is no shard ${unknown}` };
  for (const [slot, shard] of wanted.entries())
    if (shard !== metadata.wanted[slot] && isMoving(metadata, slot))
      return { refused: `slot ${slot} is being moved: cancel that, or wait` };
  return { change: { wanted } };
}

/** The same for some slots of one shard: those that are named, or so many, the last ones that stay until now. */
export function wantElsewhere(
  metadata: Metadata,
  which: readonly SlotRange[] | number,
  from: number,
  to: number,
): Decision {
  for (const shard of [from, to])
    if (!metadata.shards.has(shard)) return { refused: `there is no shard ${shard}` };
  if (from === to) return { refused: 'a shard has its slots already' };
  const { owners } = metadata;
  const staying = [...owners.keys()].filter(
    (slot) => owners[slot] === from && metadata.wanted[slot] === from && !isMoving(metadata, slot),
  );
  const slots = typeof which === 'number' ? staying.slice(-which) : [...slotsIn(which)];
  if (typeof which === 'number' && staying.length < which)
    return { refused: `shard ${from} has ${staying.length} slots that stay, not ${which}` };
  const other = slots.find((slot) => owners[slot] !== from);
  if (other !== undefined) return { refused: `slot ${other} is in shard ${owners[other]}, not in ${from}` };
  const wanted = metadata.wanted.slice();
  for (const slot of slots) wanted[slot] = to;
  return wantOwners(metadata, wanted);
}

/**
 * The batch that a shard's leader moves next: slots that are to go to the same shard. Null when a batch of it is under
 * way, or nothing is to go.
 * @param mayGo false for slots that the shard has not taken over yet
 * @param keysIn how many keys a slot has
 * @param most slots and keys of one batch, a single slot excepted
 */
export function nextBatch(
  { owners, wanted, moves }: Metadata,
  from: number,
  mayGo: (slot: number) => boolean,
  keysIn: (slot: number) => number,
  most: { readonly slots: number; readonly keys: number },
): SlotMove | null {
  if ([...moves.values()].some((move) => move.from === from)) return null;
  const goes = (slot: number): boolean => owners[slot] === from && wanted[slot] !== from && mayGo(slot);
  const slots: number[] = [];
  let to: number | null = null;
  let keys = 0;
  for (let slot = 0; slot < slotCount && slots.length < most.slots; slot++) {
    if (!goes(slot) || (to !== null && wanted[slot] !== to)) continue;
    keys += keysIn(slot);
    if (slots.length > 0 && keys > most.keys) break;
    to = wanted[slot] as number;
    slots.push(slot);
  }
  return to === null ? null : { from, to, slots: rangesOf(slots) };
}

/** A batch begins: the epoch that this change makes is its name. */
export function beginMove(metadata: Metadata, move: SlotMove): Decision {
  const { owners, wanted, shards, moves } = metadata;
  if (!shards.has(move.to)) return { refused: `there is no shard ${move.to}` };
  if (slotsCounted(move.slots) === 0) return { refused: 'a move of no slots' };
  if ([...moves.values()].some(({ from }) => from === move.from))
    return { refused: `slots of shard ${move.from} are being moved` };
  for (const slot of slotsIn(move.slots))
    if (owners[slot] !== move.from || wanted[slot] !== move.to)
      return { refused: `slot ${slot} is not to go from shard ${move.from} to ${move.to}` };
  return { change: { moves: new Map([[metadata.epoch + 1, move]]) } };
}

/** The other shard has logged that it has everything, and that is committed: it owns the slots from here on. */
export function finishMove(metadata: Metadata, began: number): Decision {
  const move = metadata.moves.get(began);
  if (move === undefined) return { refused: `no move began with epoch ${began}` };
  const owners = metadata.owners.slice();
  const since = metadata.since.slice();
  for (const slot of slotsIn(move.slots)) {
    owners[slot] = move.to;
    since[slot] = began;
  }
  return { change: { owners, since, wanted: metadata.wanted, moves: new Map([[began, null]]) } };
}

/** A batch that does not get on ends; it may be begun again. */
export function abandonMove(metadata: Metadata, began: number): Decision {
  if (!metadata.moves.has(began)) return { refused: `no move began with epoch ${began}` };
  return { change: { moves: new Map([[began, null]]) } };
}

/** What the leader of a shard asks for. */
export function slotStepDecided(metadata: Metadata, { step, began, from, to, slots }: SlotStep): Decision {
  switch (step) {
    case 'begin':
      return beginMove(metadata, { from, to, slots });
    case 'finish':
      return finishMove(metadata, began);
    case 'abandon':
      return abandonMove(metadata, began);
  }
}

/** Nothing is to go away from a shard (null: from any) any more, and what is under way ends. */
export function cancelMoves(metadata: Metadata, from: number | null): Decision {
  const { owners } = metadata;
  const wanted = metadata.wanted.map((shard, slot) =>
    from === null || owners[slot] === from ? (owners[slot] as number) : shard,
  );
  const moves = [...metadata.moves].filter(([, move]) => from === null || move.from === from);
  const change: MetadataChange = { wanted, moves: new Map(moves.map(([began]) => [began, null])) };
  const differs = wanted.some((shard, slot) => shard !== metadata.wanted[slot]);
  return moves.length > 0 || differs ? { change } : { refused: 'no slots are to be moved' };
}

/**
 * What has become of a move that the log of one of its shards knows of. Null while this metadata may be older than the
 * move.
 * @param since the epoch of the move that had brought the slots to their owner before, for the one that gives them
 */
export function outcomeFor(
  { epoch, moves, owners, since }: Metadata,
  shard: number,
  move: { readonly began: number; readonly slots: readonly SlotRange[]; readonly gives: boolean },
  before: (slot: number) => number,
): MoveOutcome | null {
  if (epoch < move.began) return null;
  if (moves.has(move.began)) return 'under way';
  const { value: slot } = slotsIn(move.slots).next() as { readonly value: number };
  // The one that gives them thaws before the next move of them: what brought them to it is as it was, or they went.
  if (move.gives) return owners[slot] === shard && since[slot] === before(slot) ? 'cancelled' : 'moved';
  return owners[slot] === shard && since[slot] === move.began ? 'moved' : 'cancelled';
}

function isMoving({ moves }: Metadata, slot: number): boolean {
  for (const { slots } of moves.values())
    if (slots.some(({ from, to }) => slot >= from && slot <= to)) return true;
  return false;
}
