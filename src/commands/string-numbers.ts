import type { Bytes } from '../bytes/types.ts';
import type { StringValue } from '../state/entry.ts';
import { addLongDoubles, formatLongDouble, isInfinite, parseLongDouble } from './long-double.ts';
import { inInt64, notAFloat, notAnInteger, parseInteger } from './parse.ts';
import { commandGroup, firstKey } from './spec.ts';
import { admitsElements } from './store.ts';
import { isStringOrNone, wrongType } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('string');

/** What a number may be read from: a long string holds none. */
function numberText(value: StringValue | undefined): Bytes {
  if (value === undefined) return '0';
  return typeof value === 'string' ? value : '';
}

/** Adds to the integer at a key; the expiry stays. */
function increment(context: CommandContext, key: Bytes, by: bigint): void {
  const entry = context.get(key);
  if (!isStringOrNone(entry)) {
    context.reply.error(wrongType);
    return;
  }
  const old = parseInteger(numberText(entry?.value));
  if (old === null) {
    context.reply.error(notAnInteger);
    return;
  }
  const sum = old + by;
  if (!inInt64(sum)) {
    context.reply.error('ERR increment or decrement would overflow');
    return;
  }
  context.effects.putString(key, sum.toString(), entry?.expiresAt ?? 0);
  context.reply.integer(sum);
}

function incrementBy(sign: 1n | -1n) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const by = parseInteger(args[2] as Bytes);
    if (by === null) context.reply.error(notAnInteger);
    else if (sign < 0n && !inInt64(-by)) context.reply.error('ERR decrement would overflow');
    else increment(context, args[1] as Bytes, by * sign);
  };
}

function incrementByFloat(context: CommandContext, args: readonly Bytes[]): void {
  const key = args[1] as Bytes;
  const entry = context.get(key);
  if (!isStringOrNone(entry)) {
    context.reply.error(wrongType);
    return;
  }
  const old = parseLongDouble(numberText(entry?.value));
  const by = parseLongDouble(args[2] as Bytes);
  if (old === null || by === null) {
    context.reply.error(notAFloat);
    return;
  }
  const sum = typeof old === 'string' || typeof by === 'string' ? null : addLongDoubles(old, by);
  if (sum === null || isInfinite(sum)) {
    context.reply.error('ERR increment would produce NaN or Infinity');
    return;
  }
  const text = formatLongDouble(sum);
  // Numbers may be thousands of digits long: many in one transaction would log far more than was sent.
  if (!admitsElements(context, key, [text])) return;
  context.effects.putString(key, text, entry?.expiresAt ?? 0);
  context.reply.bulk(text);
}

export const numberCommands: readonly CommandSpec[] = [
  onKeys(
    'incr',
    firstKey,
    [2, ['write', 'denyoom', 'fast'], '1.0.0', 'O(1)', 'key', 'Adds one to the integer at a key.'],
    (context, args) => increment(context, args[1] as Bytes, 1n),
  ),
  onKeys(
    'decr',
    firstKey,
    [2, ['write', 'denyoom', 'fast'], '1.0.0', 'O(1)', 'key', 'Takes one from the integer at a key.'],
    (context, args) => increment(context, args[1] as Bytes, -1n),
  ),
  onKeys(
    'incrby',
    firstKey,
    [3, ['write', 'denyoom', 'fast'], '1.0.0', 'O(1)', 'key increment', 'Adds to the integer at a key.'],
    incrementBy(1n),
  ),
  onKeys(
    'decrby',
    firstKey,
    [3, ['write', 'denyoom', 'fast'], '1.0.0', 'O(1)', 'key decrement', 'Takes from the integer at a key.'],
    incrementBy(-1n),
  ),
  onKeys(
    'incrbyfloat',
    firstKey,
    [3, ['write', 'denyoom', 'fast'], '2.6.0', 'O(1)', 'key increment', 'Adds to the number at a key.'],
    incrementByFloat,
  ),
];
