import { encodeRequest } from '../../../src/resp/reply-parser.ts';
import type { Agreement, Step } from '../redis-script.ts';
import { Draw, values } from './draw.ts';
import { families } from './families.ts';
import type { Family } from './family.ts';

/** Keys that any family may turn to. */
const allKeys = families.flatMap(({ keys, apart }) => (apart === true ? [] : keys));
const byWeight: readonly Family[] = families.flatMap((family) => Array<Family>(family.weight).fill(family));
const agreements: Readonly<Record<string, Agreement>> = Object.assign(
  {},
  ...families.map((family) => family.agreements),
);
const connections = ['a', 'a', 'a', 'b', 'c'];
/**
 * These stay as they are drawn: another last argument may be a time to wait that is too long, without its last argument
 * SPOP leaves to chance what goes, and Redis 7.0 does not know yet that ranks take an option.
 */
const kept = /^(BL|BR|BZ|SPOP|ZRANK|ZREVRANK)/;

/** Draws commands of all families, with mistakes. */
export class CommandSource {
  readonly #draw: Draw;
  #connection = 'a';

  constructor(seed: number) {
    this.#draw = new Draw(seed, allKeys);
  }

  next(): Step {
    const draw = this.#draw;
    // Now and then another connection, so that what one sends can leave together.
    if (draw.chance(6)) this.#connection = draw.pick(connections);
    const family = draw.pick(byWeight);
    draw.home = family.keys.length === 0 ? allKeys : family.keys;
    let args = family.command(draw);
    if (!kept.test(args[0] as string)) {
      if (draw.chance(50)) args = args.slice(0, -1);
      if (draw.chance(50)) args.push(draw.pick([...values, 'NX', 'GET', 'KEEPTTL']));
      if (args.length === 0) args = ['PING'];
    }
    if (draw.chance(4)) args[0] = (args[0] as string).toLowerCase();
    return stepOf(this.#connection, args);
  }
}

/** Commands that show the whole keyspace, to whom they are sent. */
export function shownState(): Step[] {
  // Not DBSIZE: Redis counts keys that have expired until it comes across them.
  const reads = families.flatMap((home) =>
    home.keys.flatMap((key) =>
      families
        .filter((family) =>
          home.apart === true ? family === home || family.keys.length === 0 : family.apart !== true,
        )
        .flatMap((family) => family.shown(key)),
    ),
  );
  return [['KEYS', '*'], ...reads].map((args) => stepOf('z', args));
}

export function stepOf(connection: string, args: readonly string[]): Step {
  return {
    connection,
    bytes: encodeRequest(args).latin1Slice(),
    text: `${connection}> ${args.map((arg) => (/^[!-~]+$/.test(arg) ? arg : JSON.stringify(arg))).join(' ')}`,
    agreement: agreements[(args[0] as string).toUpperCase()] ?? 'exact',
    until: null,
    difference: null,
  };
}
