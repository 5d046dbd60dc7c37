import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { Bytes } from '../bytes/types.ts';
import { storable } from './expiry-options.ts';
import { notAnInteger, parseInteger, parsePosition, syntaxError, tooLargeResult } from './parse.ts';
import { crc64 } from './rdb/crc64.ts';
import type { Budget } from './rdb/packed.ts';
import type { DumpedValue } from './rdb/read-value.ts';
import { readValue } from './rdb/read-value.ts';
import { newestVersion } from './rdb/types.ts';
import { dumpOf } from './rdb/write-value.ts';
import { commandGroup, firstKey } from './spec.ts';
import { admitsElements } from './store.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('generic');

/** Version and checksum behind a dump. */
const footerBytes = 10;
/** What a change of one element takes in an entry, beside its bytes. */
const elementBytes = 17;
/** How many more bytes are read before the entry is asked again whether it takes them. */
const stepBytes = 64 << 10;

class TooLarge extends Error {}

function dump(context: CommandContext, args: readonly Bytes[]): void {
  const entry = context.get(args[1] as Bytes);
  if (entry === undefined) {
    context.reply.nil();
    return;
  }
  const bytes = dumpOf(entry.value);
  context.reply.bulkPieces(bytes.length, [bytes]);
}

interface RestoreOptions {
  readonly replace: boolean;
  readonly absolute: boolean;
  /** Seconds; null when none were given. */
  readonly idle: number | null;
}

/** A string is the error line. */
function parseOptions(args: readonly Bytes[]): RestoreOptions | string {
  let replace = false;
  let absolute = false;
  let idle: number | null = null;
  let frequency: number | null = null;
  for (let i = 4; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    const value = args[i + 1];
    if (word === 'REPLACE') replace = true;
    else if (word === 'ABSTTL') absolute = true;
    else if (word === 'IDLETIME' && value !== undefined && frequency === null) {
      idle = parsePosition(value);
      if (idle === null) return notAnInteger;
      if (idle < 0) return 'ERR Invalid IDLETIME value, must be >= 0';
      i += 1;
    } else if (word === 'FREQ' && value !== undefined && idle === null) {
      frequency = parsePosition(value);
      if (frequency === null) return notAnInteger;
      if (frequency < 0 || frequency > 255) return 'ERR Invalid FREQ value, must be >= 0 and <= 255';
      i += 1;
    } else return syntaxError;
  }
  return { replace, absolute, idle };
}

function restore(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects } = context;
  const [, key, timeText, payload] = args as [Bytes, Bytes, Bytes, Bytes];
  const options = parseOptions(args);
  if (typeof options === 'string') {
    reply.error(options);
    return;
  }
  const exists = context.get(key) !== undefined;
  if (exists && !options.replace) {
    reply.error('BUSYKEY Target key name already exists.');
    return;
  }
  const time = parseInteger(timeText);
  if (time === null || time < 0n) {
    reply.error(time === null ? notAnInteger : 'ERR Invalid TTL value, must be >= 0');
    return;
  }
  const value = readDump(context, payload);
  if (typeof value === 'string') {
    reply.error(value);
    return;
  }
  if (!admitsElements(context, key, elementsOf(value))) return;
  const at = time === 0n ? 0 : Number(time) + (options.absolute ? 0 : context.now);
  if (exists) effects.remove(key);
  if (at === 0 || at > context.now) {
    put(context, key, value, at === 0 ? 0 : storable(Math.min(at, Number.MAX_SAFE_INTEGER)));
    if (options.idle !== null) context.setIdle(key, options.idle * 1000);
  }
  reply.ok();
}

/** The value in a dump; else the error line. */
function readDump(context: CommandContext, payload: Bytes): DumpedValue | string {
  const bytes = Buffer.from(payload, 'latin1');
  const body = bytes.length - footerBytes;
  if (
    body < 0 ||
    bytes.readUInt16LE(body) > newestVersion ||
    !crc64(bytes, body + 2).equals(bytes.subarray(body + 2))
  )
    return 'ERR DUMP payload version or checksum are wrong';
  try {
    return readValue(bytes.subarray(0, body), budgetOf(context));
  } catch (error) {
    if (error instanceof TooLarge) return tooLargeResult;
    if (error instanceof MalformedBytes) return 'ERR Bad data format';
    throw error;
  }
}

/** What compressed dumps may become, the entry that will hold it takes: it is asked before much is unpacked. */
function budgetOf(context: CommandContext): Budget {
  let used = 0;
  let allowed = 0;
  return {
    take: (bytes) => {
      used += bytes + elementBytes;
      if (used <= allowed) return;
      if (!context.admits(used)) throw new TooLarge('a dump holds too much');
      allowed = used + stepBytes;
    },
  };
}

function elementsOf(value: DumpedValue): readonly Bytes[] {
  switch (value.type) {
    case 'string':
      return [value.text];
    case 'list':
      return value.items;
    case 'set':
      return [...value.members];
    case 'hash':
      return [...value.fields].flat();
    case 'zset':
      return [...value.scores.keys()];
  }
}

function put({ effects }: CommandContext, key: Bytes, value: DumpedValue, expiresAt: number): void {
  switch (value.type) {
    case 'string':
      effects.putString(key, value.text, expiresAt);
      return;
    case 'list':
      for (const item of value.items) effects.listAppend(key, item);
      break;
    case 'set':
      for (const member of value.members) effects.setAdd(key, member);
      break;
    case 'hash':
      for (const [field, text] of value.fields) effects.hashSet(key, field, text);
      break;
    case 'zset':
      for (const [member, score] of value.scores) effects.sortedSetPut(key, member, score);
      break;
  }
  if (expiresAt !== 0) effects.setExpiry(key, expiresAt);
}

export const dumpCommands: readonly CommandSpec[] = [
  onKeys(
    'dump',
    firstKey,
    [2, ['readonly'], '2.6.0', 'O(N) with N bytes', 'key', "The value at a key in Redis's format."],
    dump,
  ),
  onKeys(
    'restore',
    firstKey,
    [
      -4,
      ['write', 'denyoom'],
      '2.6.0',
      'O(N) with N elements, O(N*log(N)) for sorted sets',
      'key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]',
      'Makes a key of what DUMP answered.',
    ],
    restore,
  ),
];
