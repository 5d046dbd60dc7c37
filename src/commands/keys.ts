import type { Bytes } from '../bytes/types.ts';
import type { Entry } from '../state/entry.ts';
import { typeOf } from '../state/entry.ts';
import { encodingOf } from './encoding.ts';
import type { ExpiryUnit } from './expiry-options.ts';
import { expiryTime, storable } from './expiry-options.ts';
import { globMatches } from './glob.ts';
import { notAnInteger, parseInt32, parseInteger, shownInError, syntaxError } from './parse.ts';
import { parseScanOptions, replyScan } from './scan-options.ts';
import { allKeys, commandGroup, firstKey, twoKeys } from './spec.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onShard, container } = commandGroup('generic');
const { onShard: onServer } = commandGroup('server');
const noSuchKey = 'ERR no such key';

function remove(context: CommandContext, args: readonly Bytes[]): void {
  let count = 0;
  for (let i = 1; i < args.length; i++) {
    if (context.get(args[i] as Bytes) === undefined) continue;
    context.effects.remove(args[i] as Bytes);
    count += 1;
  }
  context.reply.integer(count);
}

/** EXISTS only looks; TOUCH counts as a use. */
function countExisting(how: 'look' | 'get') {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    let count = 0;
    for (let i = 1; i < args.length; i++) if (context[how](args[i] as Bytes) !== undefined) count += 1;
    context.reply.integer(count);
  };
}

function rename(context: CommandContext, args: readonly Bytes[]): void {
  const [, from, to] = args as [Bytes, Bytes, Bytes];
  if (context.get(from) === undefined) {
    context.reply.error(noSuchKey);
    return;
  }
  context.get(to);
  if (from !== to) context.effects.rename(from, to);
  context.reply.ok();
}

function renameIfAbsent(context: CommandContext, args: readonly Bytes[]): void {
  const [, from, to] = args as [Bytes, Bytes, Bytes];
  if (context.get(from) === undefined) {
    context.reply.error(noSuchKey);
    return;
  }
  const absent = context.get(to) === undefined;
  if (absent) context.effects.rename(from, to);
  context.reply.integer(absent ? 1 : 0);
}

function copy(context: CommandContext, args: readonly Bytes[]): void {
  const [, from, to] = args as [Bytes, Bytes, Bytes];
  let replace = false;
  for (let i = 3; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    if (word === 'REPLACE') replace = true;
    else if (word === 'DB' && args[i + 1] !== undefined) {
      const database = parseInt32(args[++i] as Bytes);
      if (database !== 0) {
        context.reply.error(typeof database === 'string' ? database : 'ERR DB index is out of range');
        return;
      }
    } else {
      context.reply.error(syntaxError);
      return;
    }
  }
  if (from === to) {
    context.reply.error('ERR source and destination objects are the same');
    return;
  }
  const copied = context.get(from) !== undefined && (context.get(to) === undefined || replace);
  if (copied) context.effects.copy(from, to);
  context.reply.integer(copied ? 1 : 0);
}

function scan(context: CommandContext, args: readonly Bytes[]): void {
  const options = parseScanOptions(args, 1, ['MATCH', 'COUNT', 'TYPE']);
  if (typeof options === 'string') {
    context.reply.error(options);
    return;
  }
  const { type } = options;
  replyScan<Entry>(
    context,
    options,
    (cursor, count, visit) => context.keyspace.scan(cursor, count, visit),
    (key, entry, found) => {
      if (context.isLive(entry) && (type === null || typeOf(entry.value) === type)) found.push(key);
    },
  );
}

function keysMatching(context: CommandContext, args: readonly Bytes[]): void {
  const pattern = args[1] as Bytes;
  const found: Bytes[] = [];
  const { keyspace } = context;
  for (const key of keyspace.keys()) {
    if (context.isLive(keyspace.peek(key) as Entry) && globMatches(pattern, key)) found.push(key);
  }
  context.reply.array(found.length);
  for (const key of found) context.reply.bulk(key);
}

function randomKey(context: CommandContext): void {
  const { keyspace } = context;
  // Expired keys that were not yet deleted are passed over, but not for ever.
  for (let tries = 0; tries < 100; tries++) {
    const key = keyspace.randomKey(context.random);
    if (key === undefined) break;
    if (context.isLive(keyspace.peek(key) as Entry)) {
      context.reply.bulk(key);
      return;
    }
  }
  context.reply.nil();
}

function flush(context: CommandContext, args: readonly Bytes[]): void {
  const mode = args[1]?.toUpperCase();
  if (args.length > 2 || (mode !== undefined && mode !== 'ASYNC' && mode !== 'SYNC')) {
    context.reply.error(syntaxError);
    return;
  }
  if (context.keyspace.size > 0) context.effects.clear();
  context.reply.ok();
}

/** NX, XX, GT, LT; a string is the error line. */
function parseExpireConditions(args: readonly Bytes[]): Set<string> | string {
  const conditions = new Set<string>();
  for (const arg of args.slice(3)) {
    const word = arg.toUpperCase();
    if (!['NX', 'XX', 'GT', 'LT'].includes(word)) return `ERR Unsupported option ${shownInError(arg)}`;
    conditions.add(word);
  }
  const has = (word: string): boolean => conditions.has(word);
  if (has('NX') && (has('XX') || has('GT') || has('LT'))) {
    return 'ERR NX and XX, GT or LT options at the same time are not compatible';
  }
  if (has('GT') && has('LT')) return 'ERR GT and LT options at the same time are not compatible';
  return conditions;
}

function expire(unit: ExpiryUnit, name: string) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { reply } = context;
    const key = args[1] as Bytes;
    const conditions = parseExpireConditions(args);
    if (typeof conditions === 'string') {
      reply.error(conditions);
      return;
    }
    if (parseInteger(args[2] as Bytes) === null) {
      reply.error(notAnInteger);
      return;
    }
    const at = expiryTime(args[2] as Bytes, unit, context.now, name, false);
    if (typeof at === 'string') {
      reply.error(at);
      return;
    }
    const entry = context.get(key);
    if (entry === undefined || !conditionsMet(conditions, entry.expiresAt, at)) {
      reply.integer(0);
      return;
    }
    if (at <= context.now) context.effects.remove(key);
    else context.effects.setExpiry(key, storable(at));
    reply.integer(1);
  };
}

function conditionsMet(conditions: ReadonlySet<string>, current: number, at: number): boolean {
  if (conditions.has('NX') && current !== 0) return false;
  if (conditions.has('XX') && current === 0) return false;
  if (conditions.has('GT') && (current === 0 || at <= current)) return false;
  return !(conditions.has('LT') && current !== 0 && at >= current);
}

/** Time to live or expiry time; -2 for a missing key, -1 for one that never expires. */
function timeLeft(unitMs: number, absolute: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const entry = context.look(args[1] as Bytes);
    if (entry === undefined) context.reply.integer(-2);
    else if (entry.expiresAt === 0) context.reply.integer(-1);
    else {
      const ms = Math.floor(absolute ? entry.expiresAt : Math.max(entry.expiresAt - context.now, 0));
      context.reply.integer(unitMs === 1 ? ms : Math.floor((ms + unitMs / 2) / unitMs));
    }
  };
}

function objectInfo(answer: (entry: Entry, context: CommandContext) => void) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const entry = context.look(args[2] as Bytes);
    if (entry === undefined) context.reply.nil();
    else answer(entry, context);
  };
}

const objectKey = { first: 2, last: 2, step: 1 };

export const keyCommands: readonly CommandSpec[] = [
  onKeys(
    'del',
    allKeys,
    [-2, ['write'], '1.0.0', 'O(N) with N keys', 'key [key ...]', 'Deletes keys.'],
    remove,
  ),
  onKeys(
    'unlink',
    allKeys,
    [
      -2,
      ['write', 'fast'],
      '4.0.0',
      'O(N) with N keys',
      'key [key ...]',
      'Deletes keys; their memory is freed later.',
    ],
    remove,
  ),
  onKeys(
    'exists',
    allKeys,
    [
      -2,
      ['readonly', 'fast'],
      '1.0.0',
      'O(N) with N keys',
      'key [key ...]',
      'How many of the named keys exist.',
    ],
    countExisting('look'),
  ),
  onKeys(
    'touch',
    allKeys,
    [
      -2,
      ['readonly', 'fast'],
      '3.2.1',
      'O(N) with N keys',
      'key [key ...]',
      'How many of the named keys exist; they count as used.',
    ],
    countExisting('get'),
  ),
  onKeys(
    'type',
    firstKey,
    [2, ['readonly', 'fast'], '1.0.0', 'O(1)', 'key', 'Type of the value at a key.'],
    (context, args) => {
      const entry = context.look(args[1] as Bytes);
      context.reply.simple(entry === undefined ? 'none' : typeOf(entry.value));
    },
  ),
  onKeys(
    'rename',
    twoKeys,
    [3, ['write'], '1.0.0', 'O(1)', 'key newkey', 'Gives a value another key, replacing what is there.'],
    rename,
  ),
  onKeys(
    'renamenx',
    twoKeys,
    [
      3,
      ['write', 'fast'],
      '1.0.0',
      'O(1)',
      'key newkey',
      'Gives a value another key when that does not exist.',
    ],
    renameIfAbsent,
  ),
  onKeys(
    'copy',
    twoKeys,
    [
      -3,
      ['write', 'denyoom'],
      '6.2.0',
      'O(1) for strings',
      'source destination [DB destination-db] [REPLACE]',
      'Copies a value to another key.',
    ],
    copy,
  ),
  onKeys(
    'expire',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '1.0.0',
      'O(1)',
      'key seconds [NX | XX | GT | LT]',
      'Lets a key expire after some seconds.',
    ],
    expire('EX', 'expire'),
  ),
  onKeys(
    'pexpire',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '2.6.0',
      'O(1)',
      'key milliseconds [NX | XX | GT | LT]',
      'Lets a key expire after some milliseconds.',
    ],
    expire('PX', 'pexpire'),
  ),
  onKeys(
    'expireat',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '1.2.0',
      'O(1)',
      'key unix-time-seconds [NX | XX | GT | LT]',
      'Lets a key expire at a time given in seconds.',
    ],
    expire('EXAT', 'expireat'),
  ),
  onKeys(
    'pexpireat',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '2.6.0',
      'O(1)',
      'key unix-time-milliseconds [NX | XX | GT | LT]',
      'Lets a key expire at a time given in milliseconds.',
    ],
    expire('PXAT', 'pexpireat'),
  ),
  onKeys(
    'ttl',
    firstKey,
    [2, ['readonly', 'fast'], '1.0.0', 'O(1)', 'key', 'Seconds until a key expires.'],
    timeLeft(1000, false),
  ),
  onKeys(
    'pttl',
    firstKey,
    [2, ['readonly', 'fast'], '2.6.0', 'O(1)', 'key', 'Milliseconds until a key expires.'],
    timeLeft(1, false),
  ),
  onKeys(
    'expiretime',
    firstKey,
    [2, ['readonly', 'fast'], '7.0.0', 'O(1)', 'key', 'When a key expires, in seconds since the epoch.'],
    timeLeft(1000, true),
  ),
  onKeys(
    'pexpiretime',
    firstKey,
    [2, ['readonly', 'fast'], '7.0.0', 'O(1)', 'key', 'When a key expires, in milliseconds since the epoch.'],
    timeLeft(1, true),
  ),
  onKeys(
    'persist',
    firstKey,
    [2, ['write', 'fast'], '2.2.0', 'O(1)', 'key', 'Lets a key never expire.'],
    (context, args) => {
      const expires = (context.get(args[1] as Bytes)?.expiresAt ?? 0) !== 0;
      if (expires) context.effects.setExpiry(args[1] as Bytes, 0);
      context.reply.integer(expires ? 1 : 0);
    },
  ),
  container('object', '2.2.3', 'Facts about the value at a key.', [
    onKeys(
      'object|encoding',
      objectKey,
      [3, ['readonly'], '2.2.3', 'O(1)', 'key', 'How Redis would store the value.'],
      objectInfo((entry, { node, reply }) => reply.bulk(encodingOf(entry.value, node.encodingLimits))),
    ),
    onKeys(
      'object|refcount',
      objectKey,
      [3, ['readonly'], '2.2.3', 'O(1)', 'key', 'Always 1.'],
      objectInfo((_, { reply }) => reply.integer(1)),
    ),
    onKeys(
      'object|idletime',
      objectKey,
      [3, ['readonly'], '2.2.3', 'O(1)', 'key', 'Seconds since the last use that this node knows of.'],
      objectInfo((entry, context) => context.reply.integer(Math.floor(context.idleMs(entry) / 1000))),
    ),
    onKeys(
      'object|freq',
      objectKey,
      [3, ['readonly'], '4.0.0', 'O(1)', 'key', 'An error: frequencies are not recorded.'],
      objectInfo((_, { reply }) =>
        reply.error(
          'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
        ),
      ),
    ),
  ]),
  onShard('randomkey', [1, ['readonly'], '1.0.0', 'O(1)', '', 'Some key.'], randomKey),
  onShard(
    'keys',
    [2, ['readonly'], '1.0.0', 'O(N) with N keys in the shard', 'pattern', 'Keys that match a pattern.'],
    keysMatching,
  ),
  onShard(
    'scan',
    [
      -2,
      ['readonly'],
      '2.8.0',
      'O(1) for each call',
      'cursor [MATCH pattern] [COUNT count] [TYPE type]',
      'Goes through the keys step by step.',
    ],
    scan,
  ),
  onServer('dbsize', [1, ['readonly', 'fast'], '1.0.0', 'O(1)', '', 'Number of keys.'], (context) =>
    context.reply.integer(context.keyspace.size),
  ),
  onServer('flushdb', [-1, ['write'], '1.0.0', 'O(1)', '[ASYNC | SYNC]', 'Deletes all keys.'], flush),
  onServer('flushall', [-1, ['write'], '1.0.0', 'O(1)', '[ASYNC | SYNC]', 'Deletes all keys.'], flush),
];
