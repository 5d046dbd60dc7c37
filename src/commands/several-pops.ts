import type { Bytes } from '../bytes/types.ts';
import { parsePosition, syntaxError } from './parse.ts';

/** What LMPOP, ZMPOP and those of them that wait take, and from which end. */
export interface SeveralPops {
  readonly keys: readonly Bytes[];
  readonly head: boolean;
  readonly count: number;
}

/**
 * `numkeys key [key ...] <end> [COUNT count]` from argument `at` on; a string is the error line.
 * @param parseEnd true for the word of the head, false for the other end's, null for none
 */
export function parseSeveral(
  args: readonly Bytes[],
  at: number,
  parseEnd: (text: Bytes) => boolean | null,
): SeveralPops | string {
  const number = parsePosition(args[at] as Bytes);
  if (number === null || number < 1) return 'ERR numkeys should be greater than 0';
  const end = at + number + 1;
  const head = parseEnd(args[end] ?? '');
  if (head === null) return syntaxError;
  let count = 1;
  if (args.length > end + 1) {
    if ((args[end + 1] as Bytes).toUpperCase() !== 'COUNT' || args[end + 2] === undefined) return syntaxError;
    const wanted = parsePosition(args[end + 2] as Bytes);
    if (wanted === null || wanted < 1) return 'ERR count should be greater than 0';
    if (args.length > end + 3) return syntaxError;
    count = wanted;
  }
  return { keys: args.slice(at + 1, end), head, count };
}
