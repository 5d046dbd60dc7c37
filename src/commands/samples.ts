import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import type { HashTable } from '../state/hash-table.ts';
import { notAnInteger, parseInteger, syntaxError } from './parse.ts';
import type { Steps } from './steps.ts';

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

export type Drawn<V> = [Bytes, V][];
type Table<V> = Pick<HashTable<V>, 'size' | 'entries' | 'random' | 'pick'> & { readonly scattered: boolean };

/** So few items are drawn one by one, whatever the size; and one of so many. */
const few = 16;
const oneOf = 1000;
/** What lies in a row of so many is drawn together from a table of so many rows of it, or more. */
const row = 64;
const manyRows = 1024;

/** So many random items: different ones, at most all, for a count above 0; each drawn anew below it. */
export function* sample<V>(table: Table<V>, count: number, random: Random): Steps<Drawn<V>> {
  const { size } = table;
  if (size === 0 || count >= size) return [...table.entries()];
  const wanted = Math.abs(count);
  const singly = wanted <= few || wanted * oneOf < size;
  if (count < 0) return yield* singly ? drawEach(table, wanted, random) : drawAgain(table, wanted, random);
  return yield* singly ? drawDifferent(table, wanted, random) : pickDifferent(table, wanted, random);
}

/** How many items a sample walks over, about. */
export function sampleWork(size: number, count: number): number {
  const wanted = Math.abs(count);
  return Math.min(size, wanted * (count < 0 ? bucketItems : row));
}

/** Of a bucket of a hash table, about. */
const bucketItems = 128;

function* drawEach<V>(table: Table<V>, count: number, random: Random): Steps<Drawn<V>> {
  const drawn: Drawn<V> = [];
  while (drawn.length < count) if (drawn.push(table.random(random)) % few === 0) yield;
  return drawn;
}

function* drawDifferent<V>(table: Table<V>, count: number, random: Random): Steps<Drawn<V>> {
  const drawn = new Map<Bytes, V>();
  while (drawn.size < count) {
    drawn.set(...table.random(random));
    if (drawn.size % few === 0) yield;
  }
  return [...drawn];
}

/** Positions that are drawn anew each; their items stand in the order in which they were drawn. */
function* drawAgain<V>(table: Table<V>, count: number, random: Random): Steps<Drawn<V>> {
  const positions = new Float64Array(count);
  // A position, and behind it the number of its draw: no table is so large that both together lose a digit.
  for (let i = 0; i < count; i++) positions[i] = random.below(table.size) * count + i;
  positions.sort();
  const order = positions.map((each) => each % count);
  for (let i = 0; i < count; i++) positions[i] = Math.floor((positions[i] as number) / count);
  const drawn: Drawn<V> = new Array(count);
  yield* table.pick(positions, (key, value, nth) => {
    drawn[order[nth] as number] = [key, value];
  });
  return drawn;
}

function* pickDifferent<V>(table: Table<V>, count: number, random: Random): Steps<Drawn<V>> {
  const { size } = table;
  const inRows = table.scattered && size >= row * manyRows && count <= size / 4;
  const positions = inRows ? rowsOfPositions(count, size, random) : differentPositions(count, size, random);
  const drawn: Drawn<V> = [];
  yield* table.pick(positions, (key, value) => drawn.push([key, value]));
  return drawn;
}

/**
 * The same as `differentPositions`, in rows: each position has the same chance, but not each choice of them. So few
 * buckets of a hash table are met, and changed.
 */
function rowsOfPositions(count: number, size: number, random: Random): Float64Array {
  const rows = differentPositions(Math.ceil(count / row), Math.floor(size / row), random);
  const shift = random.below(size);
  const positions = new Float64Array(count);
  // Rows may go around the end. The last one is not whole: it must not always be the same part of the table.
  const first = random.below(rows.length);
  for (let i = 0; i < count; i++) {
    const start = (rows[(first + Math.floor(i / row)) % rows.length] as number) * row;
    positions[i] = (start + (i % row) + shift) % size;
  }
  return positions.sort();
}

/** So many different positions below `size`, ascending, each choice of them with the same chance. */
function differentPositions(count: number, size: number, random: Random): Float64Array {
  // Of more than half, those that are left out are fewer.
  if (2 * count > size) return others(differentPositions(size - count, size, random), size);
  const positions = new Float64Array(count);
  let found = 0;
  while (found < count) {
    for (let i = found; i < count; i++) positions[i] = random.below(size);
    positions.sort();
    found = 0;
    for (const each of positions) if (found === 0 || each !== positions[found - 1]) positions[found++] = each;
  }
  return positions;
}

/** All positions below `size` that are not among these, which are ascending. */
function others(positions: Float64Array, size: number): Float64Array {
  const rest = new Float64Array(size - positions.length);
  let next = 0;
  for (let at = 0, found = 0; at < size; at++) {
    if (positions[next] === at) next += 1;
    else rest[found++] = at;
  }
  return rest;
}
