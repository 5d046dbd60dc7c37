import type { Bytes } from '../bytes/types.ts';
import { LongString, maxStringBytes } from '../state/long-string.ts';
import type { ExpiryUnit } from './expiry-options.ts';
import { expiryTime, storable } from './expiry-options.ts';
import { clampRange, notAnInteger, parseInteger, syntaxError } from './parse.ts';
import { allKeys, commandGroup, firstKey, keyValuePairs } from './spec.ts';
import { isStringOrNone, replyString, stringAt, wrongType } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('string');
const tooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
const units: readonly string[] = ['EX', 'PX', 'EXAT', 'PXAT'];

/** Options behind the value of SET, or behind the key of GETEX. */
interface StringOptions {
  condition: 'NX' | 'XX' | null;
  get: boolean;
  keepTtl: boolean;
  persist: boolean;
  unit: ExpiryUnit | null;
  /** The argument behind the unit, not yet looked at. */
  expiry: Bytes;
}

/** Null when they make no sense. A word may come twice, but not with one that contradicts it. */
function parseOptions(args: readonly Bytes[], from: number, setting: boolean): StringOptions | null {
  const options: StringOptions = {
    condition: null,
    get: false,
    keepTtl: false,
    persist: false,
    unit: null,
    expiry: '',
  };
  for (let i = from; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    const next = args[i + 1];
    const { condition, unit } = options;
    if (setting && (word === 'NX' || word === 'XX') && (condition === null || condition === word))
      options.condition = word;
    else if (setting && word === 'GET') options.get = true;
    else if (setting && word === 'KEEPTTL' && unit === null) options.keepTtl = true;
    else if (!setting && word === 'PERSIST' && unit === null) options.persist = true;
    else if (units.includes(word) && (unit === null || unit === word) && next !== undefined) {
      if (options.keepTtl || options.persist) return null;
      options.unit = word as ExpiryUnit;
      options.expiry = next;
      i += 1;
    } else return null;
  }
  return options;
}

function set(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects } = context;
  const key = args[1] as Bytes;
  const value = args[2] as Bytes;
  if (args.length === 3) {
    effects.putString(key, value, 0);
    reply.ok();
    return;
  }
  const options = parseOptions(args, 3, true);
  if (options === null) {
    reply.error(syntaxError);
    return;
  }
  const { condition, get, keepTtl, unit } = options;
  const at = unit === null ? 0 : expiryTime(options.expiry, unit, context.now, 'set', true);
  if (typeof at === 'string') {
    reply.error(at);
    return;
  }
  const old = context.get(key);
  if (get && !isStringOrNone(old)) {
    reply.error(wrongType);
    return;
  }
  const oldValue = isStringOrNone(old) ? old?.value : undefined;
  const met = condition === null || (condition === 'NX') === (old === undefined);
  if (met) {
    const expiresAt = keepTtl ? (old?.expiresAt ?? 0) : unit === null ? 0 : storable(at);
    if (expiresAt !== 0 && expiresAt <= context.now) {
      if (old !== undefined) effects.remove(key);
    } else {
      effects.putString(key, value, expiresAt);
    }
  }
  if (get) replyString(context, oldValue);
  else if (met) reply.ok();
  else reply.nil();
}

function setWithExpiry(unit: ExpiryUnit, name: string) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const at = expiryTime(args[2] as Bytes, unit, context.now, name, true);
    if (typeof at === 'string') {
      context.reply.error(at);
      return;
    }
    context.get(args[1] as Bytes);
    context.effects.putString(args[1] as Bytes, args[3] as Bytes, storable(at));
    context.reply.ok();
  };
}

function getex(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, effects } = context;
  const key = args[1] as Bytes;
  const options = parseOptions(args, 2, false);
  if (options === null) {
    reply.error(syntaxError);
    return;
  }
  const entry = context.get(key);
  if (!isStringOrNone(entry)) {
    reply.error(wrongType);
    return;
  }
  if (entry === undefined) {
    reply.nil();
    return;
  }
  const { value } = entry;
  const { unit, persist } = options;
  const at = unit === null ? 0 : expiryTime(options.expiry, unit, context.now, 'getex', true);
  if (typeof at === 'string') {
    reply.error(at);
    return;
  }
  if (unit !== null && at <= context.now) effects.remove(key);
  else if (unit !== null) effects.setExpiry(key, storable(at));
  else if (persist && entry.expiresAt !== 0) effects.setExpiry(key, 0);
  replyString(context, value);
}

function getRange(context: CommandContext, args: readonly Bytes[]): void {
  const start = parseInteger(args[2] as Bytes);
  const end = parseInteger(args[3] as Bytes);
  if (start === null || end === null) {
    context.reply.error(notAnInteger);
    return;
  }
  const value = stringAt(context, args[1] as Bytes);
  if (value === null) return;
  const range = value === undefined ? null : clampRange(Number(start), Number(end), value.length);
  if (value === undefined || range === null) context.reply.bulk('');
  else if (value instanceof LongString)
    context.reply.bulkPieces(range.to + 1 - range.from, value.pieces(range.from, range.to + 1));
  else context.reply.bulk(value.slice(range.from, range.to + 1));
}

function setRange(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const key = args[1] as Bytes;
  const part = args[3] as Bytes;
  const wanted = parseInteger(args[2] as Bytes);
  if (wanted === null || wanted < 0n) {
    reply.error(wanted === null ? notAnInteger : 'ERR offset is out of range');
    return;
  }
  const old = stringAt(context, key);
  if (old === null) return;
  const length = old?.length ?? 0;
  const end = Number(wanted) + part.length;
  if (part.length === 0) reply.integer(length);
  else if (end > maxStringBytes) reply.error(tooLong);
  else {
    context.effects.setRange(key, Number(wanted), part);
    reply.integer(Math.max(length, end));
  }
}

function append(context: CommandContext, args: readonly Bytes[]): void {
  const key = args[1] as Bytes;
  const suffix = args[2] as Bytes;
  const old = stringAt(context, key);
  if (old === null) return;
  const length = (old?.length ?? 0) + suffix.length;
  if (length > maxStringBytes) {
    context.reply.error(tooLong);
    return;
  }
  context.effects.appendString(key, suffix);
  context.reply.integer(length);
}

function multiSet(onlyIfAbsent: boolean, name: string) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    if (args.length % 2 === 0) {
      context.reply.error(`ERR wrong number of arguments for '${name}' command`);
      return;
    }
    let present = false;
    for (let i = 1; i < args.length; i += 2) present = context.get(args[i] as Bytes) !== undefined || present;
    if (onlyIfAbsent && present) {
      context.reply.integer(0);
      return;
    }
    for (let i = 1; i < args.length; i += 2)
      context.effects.putString(args[i] as Bytes, args[i + 1] as Bytes, 0);
    if (onlyIfAbsent) context.reply.integer(1);
    else context.reply.ok();
  };
}

export const stringCommands: readonly CommandSpec[] = [
  onKeys(
    'get',
    firstKey,
    [2, ['readonly', 'fast'], '1.0.0', 'O(1)', 'key', 'The string at a key.'],
    (context, args) => {
      const value = stringAt(context, args[1] as Bytes);
      if (value !== null) replyString(context, value);
    },
  ),
  onKeys(
    'set',
    firstKey,
    [
      -3,
      ['write', 'denyoom'],
      '1.0.0',
      'O(1)',
      'key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]',
      'Puts a string at a key, whatever was there.',
    ],
    set,
  ),
  onKeys(
    'setnx',
    firstKey,
    [
      3,
      ['write', 'denyoom', 'fast'],
      '1.0.0',
      'O(1)',
      'key value',
      'Puts a string at a key that does not exist.',
    ],
    (context, args) => {
      const absent = context.get(args[1] as Bytes) === undefined;
      if (absent) context.effects.putString(args[1] as Bytes, args[2] as Bytes, 0);
      context.reply.integer(absent ? 1 : 0);
    },
  ),
  onKeys(
    'setex',
    firstKey,
    [
      4,
      ['write', 'denyoom'],
      '2.0.0',
      'O(1)',
      'key seconds value',
      'Puts a string that expires after some seconds.',
    ],
    setWithExpiry('EX', 'setex'),
  ),
  onKeys(
    'psetex',
    firstKey,
    [
      4,
      ['write', 'denyoom'],
      '2.6.0',
      'O(1)',
      'key milliseconds value',
      'Puts a string that expires after some milliseconds.',
    ],
    setWithExpiry('PX', 'psetex'),
  ),
  onKeys(
    'getset',
    firstKey,
    [
      3,
      ['write', 'denyoom', 'fast'],
      '1.0.0',
      'O(1)',
      'key value',
      'Puts a string and gives back the one before.',
    ],
    (context, args) => {
      const old = stringAt(context, args[1] as Bytes);
      if (old === null) return;
      context.effects.putString(args[1] as Bytes, args[2] as Bytes, 0);
      replyString(context, old);
    },
  ),
  onKeys(
    'getdel',
    firstKey,
    [2, ['write', 'fast'], '6.2.0', 'O(1)', 'key', 'The string at a key, which is deleted.'],
    (context, args) => {
      const value = stringAt(context, args[1] as Bytes);
      if (value === null) return;
      if (value !== undefined) context.effects.remove(args[1] as Bytes);
      replyString(context, value);
    },
  ),
  onKeys(
    'getex',
    firstKey,
    [
      -2,
      ['write', 'fast'],
      '6.2.0',
      'O(1)',
      'key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]',
      'The string at a key, whose expiry is changed.',
    ],
    getex,
  ),
  onKeys(
    'mget',
    allKeys,
    [-2, ['readonly', 'fast'], '1.0.0', 'O(N) with N keys', 'key [key ...]', 'The strings at several keys.'],
    (context, args) => {
      context.reply.array(args.length - 1);
      for (let i = 1; i < args.length; i++) {
        const entry = context.get(args[i] as Bytes);
        replyString(context, isStringOrNone(entry) ? entry?.value : undefined);
      }
    },
  ),
  onKeys(
    'mset',
    keyValuePairs,
    [
      -3,
      ['write', 'denyoom'],
      '1.0.1',
      'O(N) with N keys',
      'key value [key value ...]',
      'Puts strings at several keys at once.',
    ],
    multiSet(false, 'mset'),
  ),
  onKeys(
    'msetnx',
    keyValuePairs,
    [
      -3,
      ['write', 'denyoom'],
      '1.0.1',
      'O(N) with N keys',
      'key value [key value ...]',
      'Puts strings at several keys when none of them exists.',
    ],
    multiSet(true, 'msetnx'),
  ),
  onKeys(
    'append',
    firstKey,
    [
      3,
      ['write', 'denyoom', 'fast'],
      '2.0.0',
      'O(N) with N bytes appended',
      'key value',
      'Appends to the string at a key.',
    ],
    append,
  ),
  onKeys(
    'strlen',
    firstKey,
    [2, ['readonly', 'fast'], '2.2.0', 'O(1)', 'key', 'Length of the string at a key, in bytes.'],
    (context, args) => {
      const value = stringAt(context, args[1] as Bytes);
      if (value !== null) context.reply.integer(value?.length ?? 0);
    },
  ),
  onKeys(
    'getrange',
    firstKey,
    [4, ['readonly'], '2.4.0', 'O(N) with N bytes returned', 'key start end', 'Part of the string at a key.'],
    getRange,
  ),
  onKeys(
    'substr',
    firstKey,
    [
      4,
      ['readonly'],
      '1.0.0',
      'O(N) with N bytes returned',
      'key start end',
      'Part of the string at a key; the old name of GETRANGE.',
    ],
    getRange,
  ),
  onKeys(
    'setrange',
    firstKey,
    [
      4,
      ['write', 'denyoom'],
      '2.2.0',
      'O(N) with N bytes written',
      'key offset value',
      'Overwrites part of the string at a key.',
    ],
    setRange,
  ),
];
