import type { Bytes } from '../bytes/types.ts';
import { keysOf } from '../commands/keys-of.ts';
import type { CommandSpec } from '../commands/types.ts';
import { slotOf } from '../state/slot.ts';

/** What a command needs of a shard's state. */
export type Needs = 'nothing' | 'read' | 'write';

export const crossSlot = "CROSSSLOT Keys in request don't hash to the same slot";

export function needsOf(spec: CommandSpec): Needs {
  if (spec.scope === 'session') return 'nothing';
  return spec.flags.includes('write') ? 'write' : 'read';
}

/** The slot of a command's keys; -1 without keys; an error line when they are in several. */
export function slotOfCommand(spec: CommandSpec, args: readonly Bytes[]): number | string {
  if (spec.scope !== 'keys') return -1;
  // Most commands have one key, always in the same place.
  if (spec.findKeys === undefined && spec.keys !== null && spec.keys.first === spec.keys.last)
    return slotOf(args[spec.keys.first] as Bytes);
  const indices = keysOf(spec, args);
  if (indices === null) return -1; // the handler will find the same and say what is wrong
  let slot = -1;
  for (const index of indices) {
    const keySlot = slotOf(args[index] as Bytes);
    if (slot >= 0 && keySlot !== slot) return crossSlot;
    slot = keySlot;
  }
  return slot;
}
