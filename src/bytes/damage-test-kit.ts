import { SeededRandom } from '../sim/seeded-random.ts';

/** How many times as much `.ci/run` tries as `npm test`. */
const rounds = Number(process.env['BELLWETHER_ROUNDS'] ?? '1');

/** Numbers that break arithmetic on lengths and counts. */
const extremes = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Runs one trial per seed; a failure names the seed, which alone makes it happen again. */
export function eachSeed(count: number, trial: (random: SeededRandom, seed: number) => void): void {
  const only = process.env['BELLWETHER_SEED'];
  const first = only === undefined ? 1 : Number(only);
  const end = only === undefined ? 1 + Math.round(count * rounds) : first + 1;
  for (let seed = first; seed < end; seed++) {
    try {
      trial(new SeededRandom(seed), seed);
    } catch (error) {
      throw new Error(`seed ${seed} (BELLWETHER_SEED=${seed} repeats it): ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** A copy that was damaged in one to four ways: bits, numbers, pieces cut out, put in, repeated, taken from another. */
export function damaged(random: SeededRandom, valid: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(valid);
  for (let times = 1 + random.below(4); times > 0; times--) bytes = damagedOnce(random, bytes, others);
  return bytes;
}

function damagedOnce(random: SeededRandom, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const at = random.below(bytes.length + 1);
  const length = random.below(Math.min(64, bytes.length - at) + 1);
  const other = random.pick(others);
  switch (random.below(8)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = random.below(256);
      return bytes;
    case 2:
      if (at + 4 <= bytes.length) bytes.writeUInt32LE(random.pick(extremes), at);
      return bytes;
    case 3:
      if (at + 8 <= bytes.length) bytes.writeDoubleLE(random.pick([Number.NaN, Infinity, -1, 1e300, 0]), at);
      return bytes;
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 6:
      return bytes.subarray(0, at);
    default:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
  }
}

/** The bytes in pieces, as a socket may give them: often byte by byte, or nearly whole. */
export function pieces(random: SeededRandom, bytes: Buffer): Buffer[] {
  const longest = bytes.length > 2000 ? random.pick([200, 3000]) : random.pick([1, 3, 20, 1000]);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(longest));
    // A copy each, since a parser may keep what it is given.
    found.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return found;
}
