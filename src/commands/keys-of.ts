import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from './types.ts';

/** Indices of the keys among a command's arguments; null when they make no sense. The arity has been checked. */
export function keysOf(spec: CommandSpec, args: readonly Bytes[]): number[] | null {
  const indices: number[] = [];
  if (spec.findKeys !== undefined) return spec.findKeys(args, indices) ? indices : null;
  if (spec.keys === null) return indices;
  const { first, step } = spec.keys;
  const last = spec.keys.last < 0 ? args.length + spec.keys.last : spec.keys.last;
  for (let i = first; i <= last; i += step) indices.push(i);
  return indices;
}
