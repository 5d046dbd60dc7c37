import type { Bytes } from '../bytes/types.ts';
import type { Registers } from './hyperloglog-format.ts';
import {
  denseChange,
  denseRegister,
  encodeRegisters,
  estimate,
  isDense,
  isHyperLogLog,
  keptCount,
  outdating,
  placeOf,
  registerCount,
  registersOf,
} from './hyperloglog-format.ts';
import { allKeys, commandGroup, firstKey } from './spec.ts';
import { admitsElements } from './store.ts';
import { stringAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('hyperloglog');
export const corruptedHyperLogLog = 'INVALIDOBJ Corrupted HLL object detected';

/** Bytes that a sparse form takes at most. */
function sparseLimit({ node }: CommandContext): number {
  return node.encodingLimits['hll-sparse-max-bytes'];
}

/** The HyperLogLog at a key, undefined for a missing key; null when it holds something else: then the error was answered. */
export function hyperLogLogAt(context: CommandContext, key: Bytes): Bytes | undefined | null {
  const value = stringAt(context, key);
  if (value === undefined || value === null) return value;
  if (typeof value === 'string' && isHyperLogLog(value)) return value;
  context.reply.error('WRONGTYPE Key is not a valid HyperLogLog string value.');
  return null;
}

function add(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects } = context;
  const key = args[1] as Bytes;
  const text = hyperLogLogAt(context, key);
  if (text === null) return;
  if (text !== undefined && isDense(text)) {
    reply.integer(addToDense(context, text, args) ? 1 : 0);
    return;
  }
  const registers = text === undefined ? new Uint8Array(registerCount) : registersOf(text);
  if (registers === null) {
    reply.error(corruptedHyperLogLog);
    return;
  }
  let changed = text === undefined;
  for (let i = 2; i < args.length; i++) {
    const { index, value } = placeOf(args[i] as Bytes);
    if (value <= (registers[index] as number)) continue;
    registers[index] = value;
    changed = true;
  }
  if (changed) {
    const expiresAt = context.get(key)?.expiresAt ?? 0;
    const after = encodeRegisters(registers, sparseLimit(context));
    if (!admitsElements(context, key, [after])) return;
    effects.putString(key, after, expiresAt);
  }
  reply.integer(changed ? 1 : 0);
}

/** Logs the few bytes of each register that changes; true when one did. */
function addToDense(context: CommandContext, before: Bytes, args: readonly Bytes[]): boolean {
  const key = args[1] as Bytes;
  let text = before;
  const put = ({ offset, bytes }: { offset: number; bytes: Bytes }): void => {
    context.effects.setRange(key, offset, bytes);
    text = context.get(key)?.value as Bytes;
  };
  let changed = false;
  for (let i = 2; i < args.length; i++) {
    const { index, value } = placeOf(args[i] as Bytes);
    if (value <= denseRegister(text, index)) continue;
    put(denseChange(text, index, value));
    changed = true;
  }
  const mark = changed ? outdating(text) : null;
  if (mark !== null) put(mark);
  return changed;
}

/** The highest of each register at all keys; null when the error was answered. */
function merged(
  context: CommandContext,
  keys: readonly Bytes[],
): { registers: Registers; dense: boolean } | null {
  let registers: Registers | null = null;
  let dense = false;
  for (const key of keys) {
    const text = hyperLogLogAt(context, key);
    if (text === null) return null;
    if (text === undefined) continue;
    const some = registersOf(text);
    if (some === null) {
      context.reply.error(corruptedHyperLogLog);
      return null;
    }
    dense ||= isDense(text);
    if (registers === null) registers = some;
    else
      for (let i = 0; i < registerCount; i++)
        if ((some[i] as number) > (registers[i] as number)) registers[i] = some[i] as number;
  }
  return { registers: registers ?? new Uint8Array(registerCount), dense };
}

function count(context: CommandContext, args: readonly Bytes[]): void {
  if (args.length === 2) {
    const text = hyperLogLogAt(context, args[1] as Bytes);
    if (text === null) return;
    const kept = text === undefined ? 0n : keptCount(text);
    if (kept !== null) {
      context.reply.integer(BigInt.asIntN(64, kept));
      return;
    }
  }
  const union = merged(context, args.slice(1));
  if (union !== null) context.reply.integer(estimate(union.registers));
}

function merge(context: CommandContext, args: readonly Bytes[]): void {
  const key = args[1] as Bytes;
  const union = merged(context, args.slice(1));
  if (union === null) return;
  const text = encodeRegisters(union.registers, union.dense ? 0 : sparseLimit(context));
  const target = context.get(key);
  if (!admitsElements(context, key, [text])) return;
  if (target?.value !== text) context.effects.putString(key, text, target?.expiresAt ?? 0);
  context.reply.ok();
}

export const hyperLogLogCommands: readonly CommandSpec[] = [
  onKeys(
    'pfadd',
    firstKey,
    [
      -2,
      ['write', 'denyoom', 'fast'],
      '2.8.9',
      'O(1) for each element',
      'key [element [element ...]]',
      'Adds elements to a HyperLogLog, which knows about how many different ones it was given.',
    ],
    add,
  ),
  onKeys(
    'pfcount',
    allKeys,
    [
      -2,
      ['readonly'],
      '2.8.9',
      'O(N) with N keys',
      'key [key ...]',
      'About how many different elements one or several HyperLogLogs were given.',
    ],
    count,
  ),
  onKeys(
    'pfmerge',
    allKeys,
    [
      -2,
      ['write', 'denyoom'],
      '2.8.9',
      'O(N) with N keys',
      'destkey [sourcekey [sourcekey ...]]',
      'Makes one HyperLogLog of several.',
    ],
    merge,
  ),
];
