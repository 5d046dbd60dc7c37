import type { Bytes } from '../bytes/types.ts';
import { parseTimeout } from './blocking.ts';
import { parsePosition, syntaxError } from './parse.ts';
import type { CommandContext } from './types.ts';

type Run = (context: CommandContext, args: readonly Bytes[]) => void;

/** True for the word of the head, false for the other end's, null for none. */
type ParseEnd = (text: Bytes) => boolean | null;

/** Pops from the first of the keys that holds something; false when none does, and nothing was answered. */
type PopFromFirst = (context: CommandContext, wanted: SeveralPops) => boolean;

/** What LMPOP, ZMPOP and those of them that wait take, and from which end. */
export interface SeveralPops {
  readonly keys: readonly Bytes[];
  readonly head: boolean;
  readonly count: number;
}

/** `numkeys key [key ...] <end> [COUNT count]` from argument `at` on; a string is the error line. */
function parseSeveral(args: readonly Bytes[], at: number, parseEnd: ParseEnd): SeveralPops | string {
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

/** LMPOP and ZMPOP. */
export function popSeveral(parseEnd: ParseEnd, popFromFirst: PopFromFirst): Run {
  return (context, args) => {
    const wanted = parseSeveral(args, 1, parseEnd);
    if (typeof wanted === 'string') context.reply.error(wanted);
    else if (!popFromFirst(context, wanted)) context.reply.nilArray();
  };
}

/** BLMPOP and BZMPOP, which wait for one of their keys to hold such a value. */
export function popSeveralOrWait(type: 'list' | 'zset', parseEnd: ParseEnd, popFromFirst: PopFromFirst): Run {
  return (context, args) => {
    const { reply, session } = context;
    const wanted = parseSeveral(args, 2, parseEnd);
    if (typeof wanted === 'string') {
      reply.error(wanted);
      return;
    }
    const timeoutMs = parseTimeout(context, args[1] as Bytes);
    if (timeoutMs === null || popFromFirst(context, wanted)) return;
    if (!session.waitForKeys(wanted.keys, type, timeoutMs)) reply.nilArray();
  };
}
