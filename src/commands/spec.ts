import { parseSafeInteger } from './parse.ts';
import type { CommandFlag, CommandSpec, KeyRange } from './types.ts';

/** One key right behind the name. */
export const firstKey: KeyRange = { first: 1, last: 1, step: 1 };
/** Every argument is a key. */
export const allKeys: KeyRange = { first: 1, last: -1, step: 1 };
export const twoKeys: KeyRange = { first: 1, last: 2, step: 1 };
/** Keys and values in turn. */
export const keyValuePairs: KeyRange = { first: 1, last: -1, step: 2 };

/** Keys from the first argument on; the last argument is the timeout. */
export const keysBeforeTimeout: KeyRange = { first: 1, last: -2, step: 1 };

/** The keys behind their number, which is the argument `at`. */
export function countedKeys(at: number): NonNullable<CommandSpec['findKeys']> {
  return (args, indices) => {
    const count = parseSafeInteger(args[at] ?? '');
    if (count === null || count <= 0 || at + count >= args.length) return false;
    for (let i = 1; i <= count; i++) indices.push(at + i);
    return true;
  };
}

/** A target, and the keys behind their number. */
export const targetAndCountedKeys: NonNullable<CommandSpec['findKeys']> = (args, indices) => {
  indices.push(1);
  return countedKeys(2)(args, indices);
};

type Run = NonNullable<CommandSpec['run']>;
type Details = readonly [
  arity: number,
  flags: readonly CommandFlag[],
  since: string,
  complexity: string,
  synopsis: string,
  summary: string,
];

/** Since when containers have HELP, those that did not get it with 5.0. */
const helpSince: Readonly<Record<string, string>> = {
  object: '6.2.0',
  memory: '4.0.0',
  repl: '7.2.0',
  function: '7.0.0',
};

/** Builds the specs of one group; see `CommandSpec` for what the details mean. */
export function commandGroup(group: string) {
  const make = (
    name: string,
    scope: CommandSpec['scope'],
    keys: KeyRange | null,
    [arity, flags, since, complexity, synopsis, summary]: Details,
    run: Run,
  ): CommandSpec => ({
    name,
    arity,
    flags,
    scope,
    keys,
    doc: { summary, since, group, complexity, arguments: synopsis },
    run,
  });
  return {
    onKeys: (name: string, keys: KeyRange, details: Details, run: Run): CommandSpec =>
      make(name, 'keys', keys, details, run),
    /** `keys`: those that always stand in the same place. */
    onMovableKeys: (
      name: string,
      keys: KeyRange | null,
      findKeys: NonNullable<CommandSpec['findKeys']>,
      [arity, flags, ...others]: Details,
      run: Run,
    ): CommandSpec => ({
      ...make(name, 'keys', keys, [arity, [...flags, 'movablekeys'], ...others], run),
      findKeys,
    }),
    onShard: (name: string, details: Details, run: Run): CommandSpec =>
      make(name, 'shard', null, details, run),
    onSession: (name: string, details: Details, run: Run): CommandSpec =>
      make(name, 'session', null, details, run),
    container: (
      name: string,
      since: string,
      summary: string,
      subcommands: readonly CommandSpec[],
    ): CommandSpec => ({
      name,
      arity: -2,
      flags: [],
      scope: 'session',
      keys: null,
      subcommands: [...subcommands, helpOf(name, group, helpSince[name] ?? '5.0.0', subcommands)],
      doc: { summary, since, group, complexity: 'Depends on subcommand.', arguments: '' },
    }),
  };
}

/** `<container> HELP`, made from the documents of its subcommands. */
function helpOf(
  name: string,
  group: string,
  since: string,
  subcommands: readonly CommandSpec[],
): CommandSpec {
  return {
    name: `${name}|help`,
    arity: 2,
    flags: ['loading', 'stale'],
    scope: 'session',
    keys: null,
    doc: {
      summary: `Lists the subcommands of ${name.toUpperCase()}.`,
      since,
      group,
      complexity: 'O(1)',
      arguments: '',
    },
    run: ({ reply }) => {
      const lines = [`${name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
      for (const { name: full, doc } of subcommands) {
        lines.push(
          `${full.slice(name.length + 1).toUpperCase()} ${doc.arguments}`.trim(),
          `    ${doc.summary}`,
        );
      }
      lines.push('HELP', '    Lists the subcommands.');
      reply.array(lines.length);
      for (const line of lines) reply.simple(line);
    },
  };
}
