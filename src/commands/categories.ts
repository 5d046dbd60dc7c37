import type { CommandSpec } from './types.ts';

const byGroup: Readonly<Record<string, string>> = {
  generic: 'keyspace',
  string: 'string',
  connection: 'connection',
  transactions: 'transaction',
};

/** Commands that are in a category beyond what their flags and group say. */
const dangerous: ReadonlySet<string> = new Set(['keys', 'flushdb', 'flushall', 'info', 'role', 'lastsave']);

/** Access categories as COMMAND INFO names them, in Redis's order. */
export function categoriesOf(spec: CommandSpec): string[] {
  const { flags, doc, name } = spec;
  const found = new Set<string>();
  const group = byGroup[doc.group];
  if (group !== undefined) found.add(group);
  if (flags.includes('write')) found.add('write');
  if (flags.includes('readonly')) found.add('read');
  if (flags.includes('admin')) found.add('admin').add('dangerous');
  if (flags.includes('blocking')) found.add('blocking');
  if (dangerous.has(name)) found.add('dangerous');
  found.add(flags.includes('fast') ? 'fast' : 'slow');
  return order.filter((category) => found.has(category));
}

const order: readonly string[] = [
  'keyspace',
  'read',
  'write',
  'string',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
];
