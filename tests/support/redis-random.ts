import { encodeRequest } from '../../src/resp/reply-parser.ts';
import type { Agreement, Step } from './redis-script.ts';

/** The same numbers for the same seed. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to below `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** All in one slot, so that transactions may name several. */
export const randomKeys: readonly string[] = ['{r}a', '{r}b', '{r}c', '{r}d', '{r}\x00\xff\r\n', 'r'];

const values: readonly string[] = [
  ...['', '0', '1', '-1', '42', '007', '-0', '9223372036854775807', '-9223372036854775808'],
  ...['1.5', '-0.1', '3.0', '1e3', '0.30000000000000004', 'inf', 'abc', 'hello world', ' 7', 'NX'],
  ...['\x00\x01\xff', 'line\r\nbreak', 'x'.repeat(44), 'y'.repeat(45), 'z'.repeat(300), '\xc3\xa9'],
];
const integers: readonly string[] = [
  ...['0', '1', '-1', '2', '3', '-3', '7', '10', '-10', '100', '1000', '9223372036854775807'],
  ...['-9223372036854775808', '9223372036854775808', 'x', '', '1.0', ' 1', '+1', '01'],
];
/** Times that are past, too far or no times: which of two servers was faster must not matter. */
const badTimes: readonly string[] = [
  ...['0', '-1', '-3', '-9223372036854775808', '9223372036854775808'],
  ...['x', '', '1.0', ' 1', '+1', '01'],
];
const floats: readonly string[] = [
  '0.1',
  '-0.1',
  '1e-5',
  '100',
  '-2.5',
  '1e20',
  '0x1p-2',
  'nan',
  '-inf',
  'x',
];
const patterns: readonly string[] = ['*', '{r}*', '*a', '?', '{r}[a-c]', '{r}[^a-c]', '\\{r}a', '[', 'none'];

/** Draws commands. Expiries that count from now never come near each other, so that no comparison of two depends on the moment. */
export class CommandSource {
  readonly #dice: Dice;
  #relativeSeconds = 10_000;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  next(): Step {
    const dice = this.#dice;
    const connection = dice.pick(['a', 'a', 'a', 'b', 'c']);
    let args = this.#command();
    if (dice.chance(50)) args = args.slice(0, -1);
    if (dice.chance(50)) args.push(dice.pick([...values, 'NX', 'GET', 'KEEPTTL']));
    if (args.length === 0) args = ['PING'];
    if (dice.chance(4)) args[0] = (args[0] as string).toLowerCase();
    return {
      connection,
      bytes: encodeRequest(args).latin1Slice(),
      text: `${connection}> ${args.map((arg) => (/^[!-~]+$/.test(arg) ? arg : JSON.stringify(arg))).join(' ')}`,
      agreement: agreementOf(args),
      until: null,
      difference: null,
    };
  }

  #key(): string {
    return this.#dice.pick(randomKeys);
  }

  #keys(): string[] {
    const keys = [this.#key()];
    while (this.#dice.chance(2)) keys.push(this.#key());
    return keys;
  }

  #pairs(): string[] {
    return this.#keys().flatMap((key) => [key, this.#dice.pick(values)]);
  }

  /** Unit and time: absolute in the far future or past, from now on, or nonsense. */
  #expiry(): [unit: string, time: string] {
    const dice = this.#dice;
    const unit = dice.pick(['EX', 'PX', 'EXAT', 'PXAT']);
    if (dice.chance(6)) return [unit, dice.pick(badTimes)];
    if (dice.chance(8)) return [unit.slice(0, 2) + 'AT', '1'];
    return [unit, this.#time(unit)];
  }

  #time(unit: string): string {
    this.#relativeSeconds += 1000;
    const seconds = unit.endsWith('AT') ? 33_000_000_000 + this.#dice.below(100) : this.#relativeSeconds;
    return unit.startsWith('P') ? String(seconds * 1000) : String(seconds);
  }

  #options(...some: readonly string[]): string[] {
    return some.filter(() => this.#dice.chance(4));
  }

  #set(): string[] {
    const dice = this.#dice;
    const args = ['SET', this.#key(), dice.pick(values), ...this.#options('NX', 'XX', 'GET', 'KEEPTTL')];
    if (dice.chance(3)) args.push(...this.#expiry());
    return args;
  }

  #expire(): string[] {
    const dice = this.#dice;
    const [command, unit] = dice.pick([
      ['EXPIRE', 'EX'],
      ['PEXPIRE', 'PX'],
      ['EXPIREAT', 'EXAT'],
      ['PEXPIREAT', 'PXAT'],
    ] as const);
    const time = dice.chance(5) ? dice.pick(badTimes) : this.#time(unit);
    return [command, this.#key(), time, ...this.#options('NX', 'XX', 'GT', 'LT')];
  }

  #transaction(): string[] {
    const dice = this.#dice;
    const word = dice.pick([
      'MULTI',
      'MULTI',
      'EXEC',
      'EXEC',
      'EXEC',
      'DISCARD',
      'WATCH',
      'WATCH',
      'UNWATCH',
    ]);
    return word === 'WATCH' ? [word, ...this.#keys()] : [word];
  }

  #rare(): string[] {
    const dice = this.#dice;
    return dice.pick([
      () => ['FLUSHALL'],
      () => ['FLUSHDB', dice.pick(['SYNC', 'ASYNC', 'x'])],
      () => ['HELLO', dice.pick(['2', '3', '4'])],
      () => ['RESET'],
      () => ['SELECT', dice.pick(['0', '1', 'x'])],
      () => ['CLIENT', 'SETNAME', dice.pick(['me', '', 'a b', 'line\nbreak', '\xff'])],
      () => ['CLIENT', 'GETNAME'],
      () => ['ECHO', dice.pick(values)],
      () => ['PING', dice.pick(values)],
      () => ['NOSUCH', dice.pick(values), dice.pick(values)],
      () => ['COMMAND', 'GETKEYS', 'SET', dice.pick(values), 'v'],
      () => [dice.pick(values), this.#key()],
    ])();
  }

  #command(): string[] {
    const dice = this.#dice;
    const reads = (): string[] =>
      dice.pick([
        () => ['GET', this.#key()],
        () => ['STRLEN', this.#key()],
        () => ['TYPE', this.#key()],
        () => [dice.pick(['MGET', 'EXISTS', 'TOUCH']), ...this.#keys()],
        () => [dice.pick(['GETRANGE', 'SUBSTR']), this.#key(), dice.pick(integers), dice.pick(integers)],
        () => [dice.pick(['TTL', 'PTTL', 'EXPIRETIME', 'PEXPIRETIME']), this.#key()],
        () => ['KEYS', dice.pick(patterns)],
        () => ['OBJECT', dice.pick(['FREQ', 'x']), this.#key()],
      ])();
    const writes = (): string[] =>
      dice.pick([
        () => this.#set(),
        () => this.#set(),
        () => ['SETNX', this.#key(), dice.pick(values)],
        () => ['SETEX', this.#key(), dice.chance(4) ? dice.pick(badTimes) : this.#time('EX'), 'v'],
        () => ['PSETEX', this.#key(), dice.chance(4) ? dice.pick(badTimes) : this.#time('PX'), 'v'],
        () => ['GETSET', this.#key(), dice.pick(values)],
        () => ['GETDEL', this.#key()],
        () => ['GETEX', this.#key(), ...dice.pick([[], ['PERSIST'], this.#expiry(), ['NX']])],
        () => ['MSET', ...this.#pairs()],
        () => ['MSETNX', ...this.#pairs()],
        () => ['APPEND', this.#key(), dice.pick(values)],
        () => ['SETRANGE', this.#key(), dice.pick(integers), dice.pick(values)],
        () => [dice.pick(['INCR', 'DECR']), this.#key()],
        () => [dice.pick(['INCRBY', 'DECRBY']), this.#key(), dice.pick(integers)],
        () => ['INCRBYFLOAT', this.#key(), dice.pick([...floats, ...integers])],
        () => [dice.pick(['DEL', 'UNLINK']), ...this.#keys()],
        () => [dice.pick(['RENAME', 'RENAMENX']), this.#key(), this.#key()],
        () => ['COPY', this.#key(), this.#key(), ...this.#options('REPLACE', 'x')],
        () => this.#expire(),
        () => this.#expire(),
        () => ['PERSIST', this.#key()],
      ])();
    const kind = dice.below(20);
    if (kind < 6) return reads();
    if (kind < 15) return writes();
    return kind < 19 ? this.#transaction() : this.#rare();
  }
}

const wholeRequests: readonly string[] = [
  ...[['PING'], ['ECHO', 'hallo'], ['SET', 'a', 'b c'], ['GET', 'a']].map((args) =>
    encodeRequest(args).latin1Slice(),
  ),
  ...['PING\r\n', 'ECHO "a b"\r\n', "ECHO 'x\\'y'\r\n", 'GET a\n', '\r\n', '*0\r\n'],
];
const strayBytes: readonly string[] = [
  ...['*', '$', '\n', '\r\n', "'", '"', '1', '0', '9', '-', ' ', 'x', '\\', '\xff', '\t'],
];

/** Some requests in which bytes were added, lost or changed. */
export class MangledSource {
  readonly #dice: Dice;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  next(): string {
    const dice = this.#dice;
    for (;;) {
      let text = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(wholeRequests)).join('');
      for (let i = dice.below(4); i > 0; i--) {
        const at = dice.below(text.length + 1);
        const rest = text.slice(at + dice.below(2));
        text = text.slice(0, at) + (dice.chance(3) ? '' : dice.pick(strayBytes)) + rest;
      }
      // What follows a carriage return is not looked at by Redis: a deliberate difference.
      if (!/\r(?!\n)/.test(text)) return text;
    }
  }
}

function agreementOf(args: readonly string[]): Agreement {
  switch ((args[0] as string).toUpperCase()) {
    case 'TTL':
    case 'PTTL':
    case 'EXPIRETIME':
    case 'PEXPIRETIME':
      return 'about';
    case 'KEYS':
      return 'unordered';
    case 'HELLO':
      return 'kind';
    default:
      return 'exact';
  }
}
