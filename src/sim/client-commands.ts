import { findCommand } from '../commands/table.ts';
import type { Reply } from '../resp/reply-parser.ts';
import type { Operation, Request } from './history.ts';
import type { OperationKind } from './models.ts';

/** Keys that stand for two, which transactions alone change and read, both at once. */
export const pairPrefix = 'pair';

const fixed: Readonly<Partial<Record<OperationKind, readonly [name: string, ...rest: string[]]>>> = {
  lrange: ['LRANGE', '0', '-1'],
  zrange: ['ZRANGE', '0', '-1', 'WITHSCORES'],
};

/** The keys that a key of the workload stands for. */
export function halvesOf(key: string): string[] {
  return key.startsWith(pairPrefix) ? ['a', 'b'].map((half) => `{${key}}${half}`) : [key];
}

/** The commands of one request: one, or a transaction. */
export function commandsOf(request: Request): string[][] {
  const commands = halvesOf(request.key).map((key) => commandOf(request, key));
  return commands.length === 1 ? commands : [['MULTI'], ...commands, ['EXEC']];
}

function commandOf({ kind, value, ttlMs = 0 }: Request, key: string): string[] {
  const [name, ...rest] = fixed[kind] ?? [kind.toUpperCase()];
  switch (kind) {
    case 'setpx':
      return ['SET', key, value, 'PX', String(ttlMs)];
    case 'pexpire':
      return ['PEXPIRE', key, String(ttlMs)];
    case 'hset':
      return ['HSET', key, ...value.split(':')];
    case 'zadd':
      return ['ZADD', key, ...value.split(':').reverse()];
    default:
      return value === '' ? [name, key, ...rest] : [name, key, value];
  }
}

/** True when the table has what a kind of operation needs. */
export function exists(kind: OperationKind): boolean {
  return ['', 'a:1'].some(
    (value) => typeof findCommand(commandOf({ key: 'k', kind, value }, 'k')) !== 'string',
  );
}

/** What the last reply to a request says, as the models say it. */
export function resultOf({ key, kind }: Request, reply: Reply): Operation['result'] {
  if (!key.startsWith(pairPrefix)) return plain(kind, reply);
  const [a, b] = Array.isArray(reply) ? reply.map((half: Reply) => plain(kind, half)) : [];
  if (a === undefined || b === undefined) throw new Error(`no transaction: ${JSON.stringify(reply)}`);
  return a === b ? a : `two halves: ${a} and ${b}`;
}

function plain(kind: OperationKind, reply: Reply): Operation['result'] {
  if (reply === null || typeof reply === 'string' || typeof reply === 'number') return reply;
  if (!Array.isArray(reply)) throw new Error(`an unexpected reply: ${JSON.stringify(reply)}`);
  if (reply.length === 0) return null;
  const words = reply.map(String);
  if (kind === 'lrange') return words.join(',');
  if (kind === 'smembers') return words.sort().join(',');
  const pairs = words.flatMap((word, i) => (i % 2 === 0 ? [`${word}:${words[i + 1]}`] : []));
  return pairs.sort().join(',');
}
