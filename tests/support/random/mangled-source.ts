import { encodeRequest } from '../../../src/resp/reply-parser.ts';
import { Dice } from './dice.ts';

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
