import type { Bytes } from '../bytes/types.ts';
import { HashValue } from '../state/collections.ts';
import { HashTable } from '../state/hash-table.ts';
import { addLongDoubles, formatLongDouble, isInfinite, parseLongDouble } from './long-double.ts';
import { inInt64, notAFloat, notAnInteger, parseInteger } from './parse.ts';
import { parseSample, sample, sampleWork } from './samples.ts';
import { scanCollection } from './scan-options.ts';
import { commandGroup, firstKey } from './spec.ts';
import { answerInSteps } from './steps.ts';
import { admitsElements } from './store.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys } = commandGroup('hash');

function hashAt(context: CommandContext, args: readonly Bytes[]): HashValue | undefined | null {
  return collectionAt(context, args[1] as Bytes, HashValue);
}

function replyValue({ reply }: CommandContext, value: Bytes | undefined): void {
  if (value === undefined) reply.nil();
  else reply.bulk(value);
}

/** HSET answers how many fields are new, HMSET only OK. */
function set(name: string, answersCount: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { reply, effects } = context;
    if (args.length % 2 === 1) {
      reply.error(`ERR wrong number of arguments for '${name}' command`);
      return;
    }
    const key = args[1] as Bytes;
    const hash = hashAt(context, args);
    if (hash === null) return;
    const before = hash?.size ?? 0;
    for (let i = 2; i < args.length; i += 2) effects.hashSet(key, args[i] as Bytes, args[i + 1] as Bytes);
    const after = context.get(key)?.value;
    if (!answersCount) reply.ok();
    else reply.integer(after instanceof HashValue ? after.size - before : 0);
  };
}

function setIfAbsent(context: CommandContext, args: readonly Bytes[]): void {
  const [, key, field, value] = args as [Bytes, Bytes, Bytes, Bytes];
  const hash = hashAt(context, args);
  if (hash === null) return;
  const absent = hash?.fields.has(field) !== true;
  if (absent) context.effects.hashSet(key, field, value);
  context.reply.integer(absent ? 1 : 0);
}

function getSeveral(context: CommandContext, args: readonly Bytes[]): void {
  const hash = hashAt(context, args);
  if (hash === null) return;
  context.reply.array(args.length - 2);
  for (let i = 2; i < args.length; i++) replyValue(context, hash?.fields.get(args[i] as Bytes));
}

function remove(context: CommandContext, args: readonly Bytes[]): void {
  const hash = hashAt(context, args);
  if (hash === null) return;
  let count = 0;
  for (let i = 2; hash !== undefined && i < args.length; i++) {
    if (!hash.fields.has(args[i] as Bytes)) continue;
    context.effects.hashRemove(args[1] as Bytes, args[i] as Bytes);
    count += 1;
  }
  context.reply.integer(count);
}

/** Fields, values, or both. */
function list(fields: boolean, values: boolean) {
  return (context: CommandContext, args: readonly Bytes[]): void => {
    const { reply } = context;
    const hash = hashAt(context, args);
    if (hash === null) return;
    const size = hash?.size ?? 0;
    if (fields && values) reply.map(size);
    else reply.array(size);
    if (hash === undefined) return;
    for (const [field, value] of hash.fields.entries()) {
      if (fields) reply.bulk(field);
      if (values) reply.bulk(value);
    }
  };
}

function increment(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const [, key, field] = args as [Bytes, Bytes, Bytes];
  const by = parseInteger(args[3] as Bytes);
  if (by === null) {
    reply.error(notAnInteger);
    return;
  }
  const hash = hashAt(context, args);
  if (hash === null) return;
  const old = parseInteger(hash?.fields.get(field) ?? '0');
  if (old === null) reply.error('ERR hash value is not an integer');
  else if (!inInt64(old + by)) reply.error('ERR increment or decrement would overflow');
  else {
    const sum = old + by;
    context.effects.hashSet(key, field, sum.toString());
    reply.integer(sum);
  }
}

function incrementByFloat(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const [, key, field] = args as [Bytes, Bytes, Bytes];
  const by = parseLongDouble(args[3] as Bytes);
  if (by === null || typeof by === 'string') {
    reply.error(by === null ? notAFloat : 'ERR value is NaN or Infinity');
    return;
  }
  const hash = hashAt(context, args);
  if (hash === null) return;
  const old = parseLongDouble(hash?.fields.get(field) ?? '0');
  if (old === null) {
    reply.error('ERR hash value is not a float');
    return;
  }
  const sum = typeof old === 'string' ? null : addLongDoubles(old, by);
  if (sum === null || isInfinite(sum)) {
    reply.error('ERR increment would produce NaN or Infinity');
    return;
  }
  const text = formatLongDouble(sum);
  // Numbers may be thousands of digits long: many in one transaction would log far more than was sent.
  if (!admitsElements(context, key, [field, text])) return;
  context.effects.hashSet(key, field, text);
  reply.bulk(text);
}

function randomField(context: CommandContext, args: readonly Bytes[]): void {
  const { reply, random } = context;
  const wanted = parseSample(args, 'WITHVALUES');
  if (typeof wanted === 'string') {
    reply.error(wanted);
    return;
  }
  const hash = hashAt(context, args);
  if (hash === null) return;
  if (args.length === 2) {
    replyValue(context, hash?.fields.random(random)[0]);
    return;
  }
  answerInSteps(
    context,
    [hash],
    ([asNow]) => sample(asNow?.fields ?? new HashTable<Bytes>(), wanted.count, random),
    (writer, drawn) => {
      const inPairs = wanted.inPairs && writer.protocol === 3;
      writer.array(wanted.inPairs && !inPairs ? drawn.length * 2 : drawn.length);
      for (const [field, value] of drawn) {
        if (inPairs) writer.array(2);
        writer.bulk(field);
        if (wanted.inPairs) writer.bulk(value);
      }
    },
    sampleWork(hash?.size ?? 0, wanted.count),
  );
}

function scan(context: CommandContext, args: readonly Bytes[]): void {
  scanCollection(
    context,
    args,
    HashValue,
    (hash) => hash.fields,
    (field, value, found) => found.push(field, value),
  );
}

export const hashCommands: readonly CommandSpec[] = [
  onKeys(
    'hset',
    firstKey,
    [
      -4,
      ['write', 'denyoom', 'fast'],
      '2.0.0',
      'O(N) with N fields',
      'key field value [field value ...]',
      'Sets fields of a hash.',
    ],
    set('hset', true),
  ),
  onKeys(
    'hmset',
    firstKey,
    [
      -4,
      ['write', 'denyoom', 'fast'],
      '2.0.0',
      'O(N) with N fields',
      'key field value [field value ...]',
      'Sets fields of a hash; HSET does the same and says how many are new.',
    ],
    set('hmset', false),
  ),
  onKeys(
    'hsetnx',
    firstKey,
    [
      4,
      ['write', 'denyoom', 'fast'],
      '2.0.0',
      'O(1)',
      'key field value',
      'Sets a field of a hash that does not exist.',
    ],
    setIfAbsent,
  ),
  onKeys(
    'hget',
    firstKey,
    [3, ['readonly', 'fast'], '2.0.0', 'O(1)', 'key field', 'The value of a field.'],
    (context, args) => {
      const hash = hashAt(context, args);
      if (hash !== null) replyValue(context, hash?.fields.get(args[2] as Bytes));
    },
  ),
  onKeys(
    'hmget',
    firstKey,
    [
      -3,
      ['readonly', 'fast'],
      '2.0.0',
      'O(N) with N fields',
      'key field [field ...]',
      'The values of several fields.',
    ],
    getSeveral,
  ),
  onKeys(
    'hdel',
    firstKey,
    [
      -3,
      ['write', 'fast'],
      '2.0.0',
      'O(N) with N fields',
      'key field [field ...]',
      'Deletes fields; without fields left, the key.',
    ],
    remove,
  ),
  onKeys(
    'hlen',
    firstKey,
    [2, ['readonly', 'fast'], '2.0.0', 'O(1)', 'key', 'Number of fields.'],
    (context, args) => {
      const hash = hashAt(context, args);
      if (hash !== null) context.reply.integer(hash?.size ?? 0);
    },
  ),
  onKeys(
    'hstrlen',
    firstKey,
    [3, ['readonly', 'fast'], '3.2.0', 'O(1)', 'key field', 'Length of the value of a field, in bytes.'],
    (context, args) => {
      const hash = hashAt(context, args);
      if (hash !== null) context.reply.integer(hash?.fields.get(args[2] as Bytes)?.length ?? 0);
    },
  ),
  onKeys(
    'hexists',
    firstKey,
    [3, ['readonly', 'fast'], '2.0.0', 'O(1)', 'key field', 'Whether a field exists.'],
    (context, args) => {
      const hash = hashAt(context, args);
      if (hash !== null) context.reply.integer(hash?.fields.has(args[2] as Bytes) === true ? 1 : 0);
    },
  ),
  onKeys(
    'hkeys',
    firstKey,
    [2, ['readonly'], '2.0.0', 'O(N) with N fields', 'key', 'All fields.'],
    list(true, false),
  ),
  onKeys(
    'hvals',
    firstKey,
    [2, ['readonly'], '2.0.0', 'O(N) with N fields', 'key', 'All values.'],
    list(false, true),
  ),
  onKeys(
    'hgetall',
    firstKey,
    [2, ['readonly'], '2.0.0', 'O(N) with N fields', 'key', 'All fields and their values.'],
    list(true, true),
  ),
  onKeys(
    'hincrby',
    firstKey,
    [
      4,
      ['write', 'denyoom', 'fast'],
      '2.0.0',
      'O(1)',
      'key field increment',
      'Adds to the integer in a field.',
    ],
    increment,
  ),
  onKeys(
    'hincrbyfloat',
    firstKey,
    [
      4,
      ['write', 'denyoom', 'fast'],
      '2.6.0',
      'O(1)',
      'key field increment',
      'Adds to the number in a field.',
    ],
    incrementByFloat,
  ),
  onKeys(
    'hrandfield',
    firstKey,
    [-2, ['readonly'], '6.2.0', 'O(N) with N fields returned', 'key [count [WITHVALUES]]', 'Random fields.'],
    randomField,
  ),
  onKeys(
    'hscan',
    firstKey,
    [
      -3,
      ['readonly'],
      '2.8.0',
      'O(1) for each call',
      'key cursor [MATCH pattern] [COUNT count]',
      'Goes through the fields step by step.',
    ],
    scan,
  ),
];
