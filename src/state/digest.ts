/**
 * A digest of a set of records that does not depend on their order: each record is hashed, the hashes are added. It
 * finds accidents (a lost, extra or different record), not forgeries.
 */
export class Digest {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #records = 0;

  /** @param seed tells records with the same bytes apart, 32 bits */
  add(bytes: Buffer, start: number, end: number, seed = 0): void {
    let a = 0x811c9dc5 ^ seed;
    let b = 0x9e3779b9 ^ (end - start);
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(((b << 5) | (b >>> 27)) ^ byte, 0x85ebca6b);
    }
    a = scramble(a);
    b = scramble(b);
    this.#a = (this.#a + a) >>> 0;
    this.#b = (this.#b + b) >>> 0;
    this.#c = (this.#c + scramble(a ^ Math.imul(b, 0x27d4eb2f))) >>> 0;
    this.#d = (this.#d + scramble(b ^ Math.imul(a, 0x165667b1))) >>> 0;
    this.#records = (this.#records + 1) >>> 0;
  }

  /** 40 hexadecimal characters. */
  get hex(): string {
    return [this.#a, this.#b, this.#c, this.#d, this.#records]
      .map((part) => part.toString(16).padStart(8, '0'))
      .join('');
  }
}

/** A seed for the elements of one collection; `bytes` from `start` to `end` say which one. */
export function seedOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return scramble(hash);
}

/** The seed of an element whose position counts. */
export function seedAt(seed: number, index: number): number {
  return seed ^ scramble(index + 1);
}

function scramble(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
