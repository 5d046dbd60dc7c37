import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import type { HashTable } from '../state/hash-table.ts';
import { notAnInteger, parseInteger, syntaxError } from './parse.ts';

/** Most items that one reply repeats: what lies beyond would take all memory, in Redis too. */
const mostRepeated = 10_000_000n;
const outOfRange = 'ERR value is out of range';
const longest = 9223372036854775807n;
/** Redis counts both parts of a pair. */
const mostPairs = 2 ** 62;

/** The count of SRANDMEMBER and its kin: below 0, items may come twice. A string is the error line. */
export function parseSampleCount(text: Bytes): number | string {
  const count = parseInteger(text);
  if (count === null) return notAnInteger;
  if (count < -longest) return `${outOfRange}, value must between -${longest} and ${longest}`;
  return count < -mostRepeated ? outOfRange : Number(count);
}

interface Sample {
  readonly count: number;
  readonly inPairs: boolean;
}

/** `key [count [word]]` of HRANDFIELD and ZRANDMEMBER, where the word asks for pairs; without a count, 1. A string is the error line. */
export function parseSample(args: readonly Bytes[], word: string): Sample | string {
  const count = args.length > 2 ? parseSampleCount(args[2] as Bytes) : 1;
  if (typeof count === 'string') return count;
  const inPairs = args.length > 3;
  if (args.length > 4 || (inPairs && (args[3] as Bytes).toUpperCase() !== word)) return syntaxError;
  return inPairs && Math.abs(count) >= mostPairs ? outOfRange : { count, inPairs };
}

/** So many random items: different ones, at most all, for a count above 0; each drawn anew below it. */
export function sample<V>(
  table: Pick<HashTable<V>, 'size' | 'entries' | 'random'>,
  count: number,
  random: Random,
): [Bytes, V][] {
  const drawn: [Bytes, V][] = [];
  if (count < 0) {
    for (let i = 0; i < -count; i++) drawn.push(table.random(random));
    return drawn;
  }
  if (count >= table.size) return [...table.entries()];
  // Drawing again what was drawn before is cheap as long as most is left; else some are left out of all.
  if (count * 3 > table.size) {
    const all = [...table.entries()];
    for (let i = 0; i < count; i++) {
      const at = i + random.below(all.length - i);
      drawn.push(all[at] as [Bytes, V]);
      all[at] = all[i] as [Bytes, V];
    }
    return drawn;
  }
  const seen = new Set<Bytes>();
  while (drawn.length < count) {
    const item = table.random(random);
    if (seen.has(item[0])) continue;
    seen.add(item[0]);
    drawn.push(item);
  }
  return drawn;
}
