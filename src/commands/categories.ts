import type { CommandSpec } from './types.ts';

const byGroup: Readonly<Record<string, string>> = {
  generic: 'keyspace',
  string: 'string',
  hash: 'hash',
  list: 'list',
  set: 'set',
  'sorted-set': 'sortedset',
  bitmap: 'bitmap',
  hyperloglog: 'hyperloglog',
  geo: 'geo',
  connection: 'connection',
  transactions: 'transaction',
  scripting: 'scripting',
};

/** Categories of commands where they do not follow from flags and group. */
const special: Readonly<Record<string, readonly string[]>> = {
  keys: ['dangerous'],
  restore: ['dangerous'],
  dbsize: ['keyspace'],
  flushdb: ['keyspace', 'dangerous'],
  flushall: ['keyspace', 'dangerous'],
  info: ['dangerous'],
  role: ['admin', 'dangerous'],
  lastsave: ['admin', 'dangerous'],
  readonly: ['connection'],
  readwrite: ['connection'],
  asking: ['connection'],
  command: ['connection'],
};
const sorting = ['set', 'sortedset', 'list', 'dangerous'];
/** The group of these is not the one that makes their category. */
const otherGroups: Readonly<Record<string, readonly string[]>> = {
  wait: ['connection'],
  waitaof: ['connection'],
  sort: sorting,
  sort_ro: sorting,
};

/** Access categories as COMMAND INFO names them, in Redis's order. */
export function categoriesOf(spec: CommandSpec): string[] {
  const { flags, doc, name } = spec;
  const found = new Set<string>(special[name.startsWith('command|') ? 'command' : name]);
  const group = byGroup[doc.group];
  const groups = otherGroups[name] ?? (group === undefined ? [] : [group]);
  if (spec.subcommands === undefined) for (const each of groups) found.add(each);
  if (flags.includes('write')) found.add('write');
  if (flags.includes('readonly')) found.add('read');
  if (flags.includes('admin')) found.add('admin').add('dangerous');
  if (flags.includes('blocking')) found.add('blocking');
  found.add(flags.includes('fast') ? 'fast' : 'slow');
  return order.filter((category) => found.has(category));
}

const order: readonly string[] = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
];
