import type { Bytes } from '../bytes/types.ts';
import type { Collection } from '../state/collections.ts';
import type { Entry, StringValue } from '../state/entry.ts';
import { LongString } from '../state/long-string.ts';
import type { CommandContext } from './types.ts';

export const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

type StringEntry = Entry & { value: StringValue };

/** True for a key that holds a string, or nothing. */
export function isStringOrNone(entry: Entry | undefined): entry is StringEntry | undefined {
  if (entry === undefined) return true;
  return typeof entry.value === 'string' || entry.value instanceof LongString;
}

/** The string at a key, undefined for a missing key; null when it holds another type: then the error was answered. */
export function stringAt(context: CommandContext, key: Bytes): StringValue | undefined | null {
  const entry = context.get(key);
  if (isStringOrNone(entry)) return entry?.value;
  context.reply.error(wrongType);
  return null;
}

/** Answers a string, or nil. */
export function replyString({ reply }: CommandContext, value: StringValue | undefined): void {
  if (value === undefined) reply.nil();
  else if (typeof value === 'string') reply.bulk(value);
  else reply.bulkPieces(value.length, value.pieces());
}

/** The collection at a key, undefined for a missing key; null when it holds another type: then the error was answered. */
export function collectionAt<C extends Collection>(
  context: CommandContext,
  key: Bytes,
  kind: new () => C,
): C | undefined | null {
  const value = context.get(key)?.value;
  if (value === undefined || value instanceof kind) return value;
  context.reply.error(wrongType);
  return null;
}
