import type { Bytes } from '../bytes/types.ts';

/** A run of bytes that both strings have; positions are inclusive. */
export interface CommonRun {
  readonly inFirst: readonly [from: number, to: number];
  readonly inSecond: readonly [from: number, to: number];
  readonly length: number;
}

/** Lengths of the longest common subsequences of all pairs of prefixes, row by row; needs 4 bytes for each. */
export class CommonSubsequence {
  readonly #first: Bytes;
  readonly #second: Bytes;
  readonly #lengths: Uint32Array;

  constructor(first: Bytes, second: Bytes) {
    this.#first = first;
    this.#second = second;
    const width = second.length + 1;
    const lengths = new Uint32Array((first.length + 1) * width);
    const codes = Uint8Array.from(second, (character) => character.charCodeAt(0));
    for (let i = 1; i <= first.length; i++) {
      const code = first.charCodeAt(i - 1);
      const row = i * width;
      for (let j = 1; j < width; j++) {
        const at = row + j;
        if (code === codes[j - 1]) lengths[at] = (lengths[at - width - 1] as number) + 1;
        else lengths[at] = Math.max(lengths[at - width] as number, lengths[at - 1] as number);
      }
    }
    this.#lengths = lengths;
  }

  get length(): number {
    return this.#lengths[this.#lengths.length - 1] as number;
  }

  /** The runs that one longest common subsequence is made of, the last one first. */
  runs(): CommonRun[] {
    const first = this.#first;
    const second = this.#second;
    const width = second.length + 1;
    const runs: CommonRun[] = [];
    let i = first.length;
    let j = second.length;
    while (i > 0 && j > 0) {
      if (first[i - 1] !== second[j - 1]) {
        const above = this.#lengths[(i - 1) * width + j] as number;
        const beside = this.#lengths[i * width + j - 1] as number;
        if (above > beside) i -= 1;
        else j -= 1;
        continue;
      }
      let length = 0;
      while (length < i && length < j && first[i - 1 - length] === second[j - 1 - length]) length += 1;
      i -= length;
      j -= length;
      runs.push({ inFirst: [i, i + length - 1], inSecond: [j, j + length - 1], length });
    }
    return runs;
  }

  text(): Bytes {
    return this.runs()
      .reverse()
      .map(({ inFirst: [from, to] }) => this.#first.slice(from, to + 1))
      .join('');
  }
}
