import type { Bytes } from '../bytes/types.ts';
import type { Collection } from '../state/collections.ts';
import type { HashTable } from '../state/hash-table.ts';
import { globMatches } from './glob.ts';
import { notAnInteger, parseInteger, syntaxError } from './parse.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext } from './types.ts';

const badCursor = 'ERR invalid cursor';

export interface ScanOptions {
  /** No cursor that was given out is `endCursor` or above: there is nothing behind it. */
  readonly cursor: number;
  readonly count: number;
  /** True when it fits the pattern. */
  readonly matches: (name: Bytes) => boolean;
  /** Type that was asked for, in lower case; null for all. */
  readonly type: string | null;
}

const endCursor = Number.MAX_SAFE_INTEGER;
const all = (): boolean => true;

/** A cursor as C's strtoul reads it, so nothing at all is 0; null when Redis refuses it. */
function parseCursor(text: Bytes): number | null {
  if (!/^([+-]?\d+)?$/.test(text)) return null;
  const value = BigInt.asUintN(64, BigInt(text.replace('+', '')));
  const inRange = BigInt(text.replace(/[+-]/, '')) < 1n << 64n;
  return inRange ? Math.min(Number(value), endCursor) : null;
}

/** What follows the name of a command of the SCAN family: cursor at `at`, options behind it. A string is the error line. */
export function parseScanOptions(
  args: readonly Bytes[],
  at: number,
  words: readonly string[],
): ScanOptions | string {
  const cursor = parseCursor(args[at] as Bytes);
  if (cursor === null) return badCursor;
  let count = 10;
  let matches: ScanOptions['matches'] = all;
  let type: string | null = null;
  for (let i = at + 1; i < args.length; i += 2) {
    const word = (args[i] as Bytes).toUpperCase();
    const value = args[i + 1];
    if (value === undefined || !words.includes(word)) return syntaxError;
    if (word === 'MATCH') matches = value === '*' ? all : (name) => globMatches(value, name);
    else if (word === 'TYPE') type = value.toLowerCase();
    else {
      const wanted = parseInteger(value);
      if (wanted === null || wanted < 1n) return wanted === null ? notAnInteger : syntaxError;
      count = Number(wanted);
    }
  }
  return { cursor, count, matches, type };
}

/** One step of SCAN or of its kin for one collection: `scan` is the collection's. Answers cursor and what `collect` gathered. */
export function replyScan<V>(
  { reply }: CommandContext,
  { cursor, count, matches }: ScanOptions,
  scan: (cursor: number, count: number, visit: (name: Bytes, value: V) => void) => number,
  collect: (name: Bytes, value: V, found: Bytes[]) => void,
): void {
  const found: Bytes[] = [];
  const next =
    cursor === endCursor
      ? 0
      : scan(cursor, count, (name, value) => {
          if (matches(name)) collect(name, value, found);
        });
  reply.array(2);
  reply.bulk(String(next));
  reply.array(found.length);
  for (const each of found) reply.bulk(each);
}

/** HSCAN, SSCAN and ZSCAN. Like Redis, it looks at the key before the options: a missing one makes any of them right. */
export function scanCollection<C extends Collection, V>(
  context: CommandContext,
  args: readonly Bytes[],
  kind: new () => C,
  tableOf: (collection: C) => Pick<HashTable<V>, 'scan'>,
  collect: (name: Bytes, value: V, found: Bytes[]) => void,
): void {
  const { reply } = context;
  if (parseCursor(args[2] as Bytes) === null) {
    reply.error(badCursor);
    return;
  }
  const collection = collectionAt(context, args[1] as Bytes, kind);
  if (collection === null) return;
  if (collection === undefined) {
    reply.array(2);
    reply.bulk('0');
    reply.array(0);
    return;
  }
  const options = parseScanOptions(args, 2, ['MATCH', 'COUNT']);
  if (typeof options === 'string') {
    reply.error(options);
    return;
  }
  const table = tableOf(collection);
  replyScan<V>(context, options, (cursor, count, visit) => table.scan(cursor, count, visit), collect);
}
