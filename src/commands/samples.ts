import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import type { HashTable } from '../state/hash-table.ts';
import { parseInteger } from './parse.ts';

/** Most items that one reply repeats: what lies beyond would take all memory, in Redis too. */
const mostRepeated = 10_000_000n;
const outOfRange = 'ERR value is out of range';
const longest = 9223372036854775807n;

/** The count of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER: below 0, items may come twice. A string is the error line. */
export function parseSampleCount(text: Bytes, notInteger: string): number | string {
  const count = parseInteger(text);
  if (count === null) return notInteger;
  if (count < -longest) return `${outOfRange}, value must between -${longest} and ${longest}`;
  return count < -mostRepeated ? outOfRange : Number(count);
}

/** The error line for so many pairs, as Redis counts them; null when it takes them. */
export function tooManyPairs(count: number): string | null {
  return Math.abs(count) >= 2 ** 62 ? outOfRange : null;
}

/** So many random items: different ones, at most all, for a count above 0; each drawn anew below it. */
export function sample<V>(table: HashTable<V>, count: number, random: Random): [Bytes, V][] {
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
