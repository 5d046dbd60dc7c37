import type { Reply } from '../../src/resp/reply-parser.ts';

/** Flags that say what a command does; the others say when a Redis takes it: while it loads, while a script runs. */
const comparedFlags: ReadonlySet<string> = new Set([
  ...['write', 'readonly', 'denyoom', 'admin', 'noscript', 'fast', 'no_auth', 'movablekeys', 'blocking'],
]);

/** What COMMAND INFO says of a command, in a form that two servers can be compared by. */
export interface CommandInfo {
  readonly name: string;
  readonly facts: string;
  readonly subcommands: readonly CommandInfo[];
}

/** Reads one element of the reply of COMMAND INFO; null when there is no such command. */
export function readCommandInfo(reply: Reply): CommandInfo | null {
  if (!Array.isArray(reply)) return null;
  const [name, arity, flags, first, last, step, categories, , , subcommands] = reply as [
    ...[string, number, string[], number, number, number, string[], Reply[], Reply[], Reply[]],
  ];
  const kept = flags.filter((flag) => comparedFlags.has(flag)).sort();
  return {
    name,
    facts: JSON.stringify({
      arity,
      flags: kept,
      keys: [first, last, step],
      categories: [...categories].sort(),
    }),
    subcommands: subcommands.flatMap((each) => readCommandInfo(each) ?? []),
  };
}

/** What differs, a line each. Subcommands that only Redis has do not count. */
export function compareCommandInfo(redis: CommandInfo | null, bellwether: CommandInfo): string[] {
  if (redis === null) return [`${bellwether.name}: Redis has none`];
  const differences =
    redis.facts === bellwether.facts
      ? []
      : [`${bellwether.name}: Redis ${redis.facts}, Bellwether ${bellwether.facts}`];
  for (const each of bellwether.subcommands) {
    const other = redis.subcommands.find(({ name }) => name === each.name) ?? null;
    differences.push(...compareCommandInfo(other, each));
  }
  return differences;
}
