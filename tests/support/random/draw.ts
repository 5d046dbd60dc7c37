import { Dice } from './dice.ts';

export const values: readonly string[] = [
  ...['', '0', '1', '-1', '42', '007', '-0', '9223372036854775807', '-9223372036854775808'],
  ...['1.5', '-0.1', '3.0', '1e3', '0.30000000000000004', 'inf', 'abc', 'hello world', ' 7', 'NX'],
  ...['\x00\x01\xff', 'line\r\nbreak', 'x'.repeat(44), 'y'.repeat(45), 'z'.repeat(300), '\xc3\xa9'],
];
/** Few, so that they meet again. */
const members: readonly string[] = [
  ...['a', 'b', 'c', 'd', 'e', 'f', 'A', '1', '2', '3', '10', '-5', '1.5', '', 'x y', '\x00\xff'],
  ...['9223372036854775807', '007', 'm'.repeat(64), 'n'.repeat(65)],
];
const integers: readonly string[] = [
  ...['0', '1', '-1', '2', '3', '-3', '7', '10', '-10', '100', '1000', '9223372036854775807'],
  ...['-9223372036854775808', '9223372036854775808', 'x', '', '1.0', ' 1', '+1', '01'],
];
const indexes: readonly string[] = ['0', '0', '1', '-1', '2', '-2', '3', '-3', '5', '-5', '100', '-100'];
const floats: readonly string[] = [
  ...['0.1', '-0.1', '1e-5', '100', '-2.5', '1e20', '0x1p-2', 'nan', '-inf', 'x'],
];
const patterns: readonly string[] = ['*', '{r}*', '*a', '?', '{r}[a-c]', '{r}[^a-c]', '\\{r}a', '[', 'none'];
/** Times that are past, too far or no times: which of two servers was faster must not matter. */
const badTimes: readonly string[] = [
  ...['0', '-1', '-3', '-9223372036854775808', '9223372036854775808'],
  ...['x', '', '1.0', ' 1', '+1', '01'],
];

/**
 * Draws what commands are made of. Expiries that count from now never come near each other, so that no comparison of
 * two depends on the moment.
 */
export class Draw extends Dice {
  readonly #allKeys: readonly string[];
  #homeKeys: readonly string[];
  #relativeSeconds = 10_000;

  constructor(seed: number, allKeys: readonly string[]) {
    super(seed);
    this.#allKeys = allKeys;
    this.#homeKeys = allKeys;
  }

  /** From now on keys are mostly these. */
  set home(keys: readonly string[]) {
    this.#homeKeys = keys;
  }

  /** Mostly a key where values of the family's type are; now and then any. */
  key(): string {
    return this.pick(this.chance(8) ? this.#allKeys : this.#homeKeys);
  }

  /** One or more. */
  keys(): string[] {
    return this.some(() => this.key());
  }

  /** One or more; half of all are one. */
  some<T>(one: () => T): T[] {
    const all = [one()];
    while (this.chance(2)) all.push(one());
    return all;
  }

  /** Any string that a client may send, of those that have gone wrong somewhere. */
  value(): string {
    return this.pick(values);
  }

  /** A field, an element, a member: of few, so that they meet again. */
  member(): string {
    return this.pick(members);
  }

  members(): string[] {
    return this.some(() => this.member());
  }

  /** An integer, or what is none. */
  integer(): string {
    return this.pick(integers);
  }

  /** A place in a short collection; now and then nonsense. */
  index(): string {
    return this.chance(20) ? this.integer() : this.pick(indexes);
  }

  /** A number, or what is none. */
  float(): string {
    return this.pick(this.chance(3) ? integers : floats);
  }

  pattern(): string {
    return this.pick(patterns);
  }

  /** Each of these, or not. */
  options(...some: readonly string[]): string[] {
    return some.filter(() => this.chance(4));
  }

  badTime(): string {
    return this.pick(badTimes);
  }

  /** For EX, PX, EXAT or PXAT: from now on, or absolute in the far future. */
  time(unit: string): string {
    this.#relativeSeconds += 1000;
    const seconds = unit.endsWith('AT') ? 33_000_000_000 + this.below(100) : this.#relativeSeconds;
    return unit.startsWith('P') ? String(seconds * 1000) : String(seconds);
  }

  /** Unit and time: absolute in the far future or past, from now on, or nonsense. */
  expiry(): [unit: string, time: string] {
    const unit = this.pick(['EX', 'PX', 'EXAT', 'PXAT']);
    if (this.chance(6)) return [unit, this.badTime()];
    if (this.chance(8)) return [`${unit.slice(0, 2)}AT`, '1'];
    return [unit, this.time(unit)];
  }
}
