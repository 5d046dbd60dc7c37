import type { Random } from '../env/random.ts';

/** Repeatable randomness: the same seed gives the same numbers. The generator is sfc32 (PractRand, public domain). */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x100000000) | 0;
    this.#c = 0x2545f491;
    for (let i = 0; i < 16; i++) this.next();
  }

  /** 32 random bits, unsigned. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  float(): number {
    return this.next() / 0x100000000;
  }

  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** A float in [from, to). */
  between(from: number, to: number): number {
    return from + this.float() * (to - from);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** The same elements in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    const result: T[] = [];
    while (left.length > 0) result.push(...left.splice(this.below(left.length), 1));
    return result;
  }

  /** A generator of its own, so that what one part draws does not change what another one gets. */
  fork(): SeededRandom {
    return new SeededRandom(this.next() * 0x100000 + (this.next() >>> 12));
  }
}
