import type { Bytes } from '../bytes/types.ts';
import type { ScoredMember, SortedSetValue } from '../state/collections.ts';
import { notAnInteger, parseInteger, syntaxError } from './parse.ts';
import { parseBound } from './scores.ts';

/** Positions from `from` to before `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Finds the positions of a range in a sorted set. */
type Find = (sorted: SortedSetValue) => Span;

function byRank(min: Bytes, max: Bytes): Find | string {
  const [start, end] = [parseInteger(min), parseInteger(max)];
  if (start === null || end === null) return notAnInteger;
  return ({ size }) => ({
    from: Math.max(Number(start) + (start < 0n ? size : 0), 0),
    to: Math.min(Number(end) + (end < 0n ? size : 0), size - 1) + 1,
  });
}

function byScore(min: Bytes, max: Bytes): Find | string {
  const [afterMin, beforeMax] = [min.startsWith('('), max.startsWith('(')];
  const low = parseBound(afterMin ? min.slice(1) : min);
  const high = parseBound(beforeMax ? max.slice(1) : max);
  if (low === null || high === null) return 'ERR min or max is not a float';
  return ({ order }) => ({
    from: order.find(({ score }) => (score < low || (afterMin && score === low) ? -1 : 0)),
    to: order.find(({ score }) => (score < high || (!beforeMax && score === high) ? -1 : 0)),
  });
}

const lexical = /^(?:[-+]$|[[(])/;

function byMember(min: Bytes, max: Bytes): Find | string {
  if (!lexical.test(min) || !lexical.test(max)) return 'ERR min or max not valid string range item';
  /** True for what is before a bound; `inclusive` makes what equals it count as before too. */
  const before = (bound: Bytes, inclusive: boolean) => {
    const text = bound.slice(1);
    return ({ member }: ScoredMember): number => {
      if (bound === '-' || bound === '+') return bound === '+' ? -1 : 0;
      return member < text || (inclusive && member === text) ? -1 : 0;
    };
  };
  return ({ order }) => ({
    from: order.find(before(min, min.startsWith('('))),
    to: order.find(before(max, max.startsWith('['))),
  });
}

/** By rank, by score, and by member where all scores are equal. A string is the error line. */
export const finders = { rank: byRank, score: byScore, member: byMember };

export interface RangeOptions {
  kind: keyof typeof finders;
  reverse: boolean;
  withScores: boolean;
  offset: number;
  limit: number;
}

/** Options of ZRANGE and its kin, some of which have some of them fixed. A string is the error line. */
export function rangeOptions(
  words: readonly Bytes[],
  kind: RangeOptions['kind'] | null,
  reverse: boolean | null,
  showsScores: boolean,
): RangeOptions | string {
  const options = { kind, reverse, withScores: false, offset: 0, limit: -1 };
  for (let i = 0; i < words.length; i++) {
    const word = (words[i] as Bytes).toUpperCase();
    if (word === 'WITHSCORES' && showsScores) options.withScores = true;
    else if (word === 'LIMIT' && i + 2 < words.length) {
      const [offset, limit] = [parseInteger(words[i + 1] as Bytes), parseInteger(words[i + 2] as Bytes)];
      if (offset === null || limit === null) return notAnInteger;
      options.offset = Number(offset);
      options.limit = Number(limit);
      i += 2;
    } else if (word === 'REV' && reverse === null) options.reverse = true;
    else if (word === 'BYLEX' && options.kind === null) options.kind = 'member';
    else if (word === 'BYSCORE' && options.kind === null) options.kind = 'score';
    else return syntaxError;
  }
  const found = { ...options, kind: options.kind ?? 'rank', reverse: options.reverse ?? false };
  if (found.limit !== -1 && found.kind === 'rank')
    return `${syntaxError}, LIMIT is only supported in combination with either BYSCORE or BYLEX`;
  if (found.withScores && found.kind === 'member')
    return `${syntaxError}, WITHSCORES not supported in combination with BYLEX`;
  return found;
}
