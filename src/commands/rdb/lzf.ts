import { MalformedBytes } from '../../bytes/byte-reader.ts';

/** Longest run of bytes that are as they were. */
const longestLiteral = 32;

/**
 * What LZF made of `length` bytes. Its stream is a row of runs: a byte below 32 says how many bytes follow as they are,
 * less one; any other how many to copy (less two) from how far back, in three and thirteen bits.
 */
export function lzfDecompress(input: Uint8Array, length: number): Buffer {
  const output = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  const next = (): number => {
    const byte = input[from++];
    if (byte === undefined) throw new MalformedBytes('a compressed run ends early', from);
    return byte;
  };
  while (from < input.length) {
    const control = next();
    if (control < longestLiteral) {
      const run = control + 1;
      if (run > length - to || run > input.length - from) throw new MalformedBytes('a run is too long', from);
      output.set(input.subarray(from, from + run), to);
      from += run;
      to += run;
      continue;
    }
    let run = control >> 5;
    if (run === 7) run += next();
    run += 2;
    let source = to - ((control & 0x1f) << 8) - next() - 1;
    if (source < 0 || run > length - to) throw new MalformedBytes('a run leaves the text', from);
    // Byte by byte: a run may repeat what it has just written.
    for (; run > 0; run--) output[to++] = output[source++] as number;
  }
  if (to !== length) throw new MalformedBytes('a compressed text has another length', from);
  return output;
}
