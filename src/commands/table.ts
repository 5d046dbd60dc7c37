import type { Bytes } from '../bytes/types.ts';
import { bitfieldCommands } from './bitfield.ts';
import { bitmapCommands } from './bitmaps.ts';
import { clusterCommands } from './cluster.ts';
import { connectionCommands } from './connection.ts';
import { dumpCommands } from './dump.ts';
import { functionCommands } from './functions.ts';
import { geoCommands } from './geo.ts';
import { hashCommands } from './hashes.ts';
import { hyperLogLogCommands } from './hyperloglog.ts';
import { hyperLogLogDebugCommands } from './hyperloglog-debugging.ts';
import { keyCommands } from './keys.ts';
import { keysOf } from './keys-of.ts';
import { lcsCommands } from './lcs.ts';
import { listPopCommands } from './list-pops.ts';
import { blockingListCommands } from './list-waits.ts';
import { listCommands } from './lists.ts';
import { memoryCommands } from './memory.ts';
import { shownInError } from './parse.ts';
import { replicationCommands } from './replication.ts';
import { commandCommands, serverCommands } from './server.ts';
import { setCommands } from './sets.ts';
import { sortCommands } from './sort.ts';
import { sortedSetAlgebraCommands } from './sorted-set-algebra.ts';
import { sortedSetPopCommands } from './sorted-set-pops.ts';
import { sortedSetRangeCommands } from './sorted-set-range-commands.ts';
import { sortedSetCommands } from './sorted-sets.ts';
import { numberCommands } from './string-numbers.ts';
import { stringCommands } from './strings.ts';
import { transactionCommands } from './transactions.ts';
import type { CommandSpec } from './types.ts';

/** Every command that exists, containers with their subcommands. */
export const allCommands: readonly CommandSpec[] = [
  ...stringCommands,
  ...numberCommands,
  ...lcsCommands,
  ...bitmapCommands,
  ...bitfieldCommands,
  ...hyperLogLogCommands,
  ...hyperLogLogDebugCommands,
  ...hashCommands,
  ...listCommands,
  ...listPopCommands,
  ...setCommands,
  ...blockingListCommands,
  ...sortedSetCommands,
  ...sortedSetRangeCommands,
  ...sortedSetPopCommands,
  ...sortedSetAlgebraCommands,
  ...geoCommands,
  ...keyCommands,
  ...sortCommands,
  ...dumpCommands,
  ...transactionCommands,
  ...connectionCommands,
  ...serverCommands,
  ...functionCommands,
  ...memoryCommands,
  ...replicationCommands,
  ...clusterCommands,
  ...commandCommands(() => allCommands, findByName, keysOf),
];

/** By name in lower and in upper case, so that the usual spellings are found without making a new string. */
const byName = new Map<Bytes, CommandSpec>();
for (const spec of allCommands) {
  for (const each of [spec, ...(spec.subcommands ?? [])]) {
    byName.set(each.name, each);
    byName.set(each.name.toUpperCase(), each);
  }
}

/** The command that was found last: most come many times in a row, and comparing a name is cheaper than looking it up. */
let lastName: Bytes = '';
let lastFound: CommandSpec | undefined;

function findByName(name: Bytes): CommandSpec | undefined {
  if (name === lastName) return lastFound;
  lastFound = byName.get(name) ?? byName.get(name.toLowerCase());
  lastName = name;
  return lastFound;
}

/** The command that a request names, with the right number of arguments; else the error line that Redis answers. */
export function findCommand(args: readonly Bytes[]): CommandSpec | string {
  const spec = findByName(args[0] as Bytes);
  if (spec === undefined || (args[0] as Bytes).includes('|')) return unknown(args);
  if (spec.subcommands !== undefined && (args.length > 1 || spec.run === undefined)) {
    const word = args[1];
    if (word === undefined) return wrongNumber(spec.name);
    const sub = findByName(`${spec.name}|${word.toLowerCase()}`);
    if (sub === undefined)
      return `ERR unknown subcommand '${shownInError(word.slice(0, 128))}'. Try ${spec.name.toUpperCase()} HELP.`;
    return arityFits(sub, args) ? sub : wrongNumber(sub.name);
  }
  return arityFits(spec, args) ? spec : wrongNumber(spec.name);
}

function arityFits(spec: CommandSpec, args: readonly Bytes[]): boolean {
  return spec.arity > 0 ? args.length === spec.arity : args.length >= -spec.arity;
}

function wrongNumber(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

function unknown(args: readonly Bytes[]): string {
  let shown = '';
  for (const arg of args.slice(1)) {
    if (shown.length >= 128) break;
    shown += `'${shownInError(arg.slice(0, 128 - shown.length))}' `;
  }
  return `ERR unknown command '${shownInError((args[0] as Bytes).slice(0, 128))}', with args beginning with: ${shown}`;
}
