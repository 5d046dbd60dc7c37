import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import { corruptedHyperLogLog, hyperLogLogAt } from './hyperloglog.ts';
import type { Registers } from './hyperloglog-format.ts';
import {
  denseChange,
  denseRegister,
  encodeRegisters,
  estimate,
  isDense,
  placeOf,
  registerCount,
  registersOf,
  shownRuns,
  toDense,
} from './hyperloglog-format.ts';
import { commandGroup } from './spec.ts';
import { admitsElements } from './store.ts';
import type { CommandContext, CommandSpec } from './types.ts';

const { onKeys, onSession } = commandGroup('hyperloglog');

/** The dense form of what is at a key, which it has from now on; null when the error was answered. */
function makeDense(context: CommandContext, key: Bytes, text: Bytes): Bytes | null {
  if (isDense(text)) return text;
  const dense = toDense(text);
  if (dense === null) {
    context.reply.error(corruptedHyperLogLog);
    return null;
  }
  const expiresAt = context.get(key)?.expiresAt ?? 0;
  if (!admitsElements(context, key, [dense])) return null;
  context.effects.putString(key, dense, expiresAt);
  return dense;
}

function debug(context: CommandContext, args: readonly Bytes[]): void {
  const { reply } = context;
  const [, word, key] = args as [Bytes, Bytes, Bytes];
  const text = hyperLogLogAt(context, key);
  if (text === null) return;
  if (text === undefined) {
    reply.error('ERR The specified key does not exist');
    return;
  }
  switch (word.toLowerCase()) {
    case 'encoding':
      reply.simple(isDense(text) ? 'dense' : 'sparse');
      return;
    case 'decode':
      if (isDense(text)) reply.error('ERR HLL encoding is not sparse');
      else reply.bulk(shownRuns(text));
      return;
    case 'todense': {
      const before = isDense(text);
      if (makeDense(context, key, text) !== null) reply.integer(before ? 0 : 1);
      return;
    }
    case 'getreg': {
      const dense = makeDense(context, key, text);
      if (dense === null) return;
      reply.array(registerCount);
      for (let index = 0; index < registerCount; index++) reply.integer(denseRegister(dense, index));
      return;
    }
    default:
      reply.error(`ERR Unknown PFDEBUG subcommand '${word}'`);
  }
}

/** Whether registers keep what is put into them, one by one and together; a string is what went wrong. */
function checkRegisters(random: Random): string | null {
  const wanted = new Uint8Array(registerCount);
  for (let i = 0; i < registerCount; i++) wanted[i] = random.below(64);
  let text = encodeRegisters(wanted, 0);
  for (let changes = 100; changes > 0; changes--) {
    const index = random.below(registerCount);
    const value = random.below(64);
    wanted[index] = value;
    const { offset, bytes } = denseChange(text, index, value);
    text = text.slice(0, offset) + bytes + text.slice(offset + bytes.length);
  }
  const found = registersOf(text) as Registers;
  for (let i = 0; i < registerCount; i++)
    if (found[i] !== wanted[i] || denseRegister(text, i) !== wanted[i])
      return `Register ${i} should be ${wanted[i]} but is ${found[i]}`;
  return null;
}

/** Most elements of which the count is tried: more would hold up others. */
const mostCounted = 1000;

/** Whether counts are about right, and the same in both forms; a string is what went wrong. */
function checkCounts(random: Random): string | null {
  const registers = new Uint8Array(registerCount);
  const seed = random.below(2 ** 32);
  for (let added = 1, checked = 1; added <= mostCounted; added++) {
    const { index, value } = placeOf(`${seed}:${added}`);
    registers[index] = Math.max(registers[index] as number, value);
    if (added < checked) continue;
    const count = estimate(registers);
    const sparse = encodeRegisters(registers, registerCount);
    if (isDense(sparse)) return 'sparse encoding not used';
    if (estimate(registersOf(sparse) ?? new Uint8Array(registerCount)) !== count)
      return 'dense/sparse disagree';
    // Six times the standard error.
    const most = added <= 10 ? 1 : Math.ceil((6 * 1.04 * added) / Math.sqrt(registerCount));
    const wrong = Math.abs(count - added);
    if (wrong > most) return `Too big error. card:${added} abserr:${wrong}`;
    checked *= 10;
  }
  return null;
}

function selfTest({ reply, random }: CommandContext): void {
  const wrong = checkRegisters(random) ?? checkCounts(random);
  if (wrong === null) reply.ok();
  else reply.error(`ERR TESTFAILED ${wrong}`);
}

/** What the tests of Redis's HyperLogLog look at it with. */
export const hyperLogLogDebugCommands: readonly CommandSpec[] = [
  onKeys(
    'pfdebug',
    { first: 2, last: 2, step: 1 },
    [
      3,
      ['write', 'denyoom', 'admin'],
      '2.8.9',
      'O(1)',
      'subcommand key',
      'Shows how a HyperLogLog is stored (ENCODING, DECODE, GETREG), or makes it dense (TODENSE, GETREG).',
    ],
    debug,
  ),
  onSession(
    'pfselftest',
    [1, ['admin'], '2.8.9', 'O(1)', '', 'Tries out registers and counts of HyperLogLogs.'],
    selfTest,
  ),
];
