import type { Bytes } from '../bytes/types.ts';
import { slotOf } from '../state/slot.ts';
import { notAnInteger, parsePosition, syntaxError } from './parse.ts';

/** A pattern of BY or GET: the element itself (`#`), or a key and perhaps a field of it, with the element in place of `*`. */
export type Pattern = { readonly kind: 'element' } | KeyPattern | { readonly kind: 'nothing' };

export interface KeyPattern {
  readonly kind: 'key';
  readonly before: Bytes;
  readonly after: Bytes;
  readonly field: Bytes | null;
}

export interface SortOptions {
  readonly descending: boolean;
  readonly alpha: boolean;
  readonly offset: number;
  /** Below 0: all. */
  readonly count: number;
  /** Null: by the elements themselves. */
  readonly by: KeyPattern | null;
  /** BY something constant: the order stays as it is. */
  readonly unsorted: boolean;
  readonly get: readonly Pattern[];
  readonly store: Bytes | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Options of SORT, without STORE those of SORT_RO; a string is the error line. */
export function parseSortOptions(args: readonly Bytes[], mayStore: boolean): SortOptions | string {
  const get: Pattern[] = [];
  const options: Mutable<SortOptions> = {
    ...{ descending: false, alpha: false, offset: 0, count: -1, by: null, unsorted: false, get, store: null },
  };
  const slot = slotOf(args[1] as Bytes);
  for (let i = 2; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    const value = args[i + 1];
    if (word === 'ASC' || word === 'DESC') options.descending = word === 'DESC';
    else if (word === 'ALPHA') options.alpha = true;
    else if (value === undefined) return syntaxError;
    else if (word === 'LIMIT' && args[i + 2] !== undefined) {
      const offset = parsePosition(value);
      const count = parsePosition(args[i + 2] as Bytes);
      if (offset === null || count === null) return notAnInteger;
      options.offset = offset;
      options.count = count;
      i += 2;
    } else if (mayStore && word === 'STORE') {
      options.store = value;
      i += 1;
    } else if (word === 'BY') {
      const pattern = patternOf(value);
      if (pattern.kind !== 'key') options.unsorted = true;
      else if (!staysIn(pattern, slot)) return 'ERR BY option of SORT denied in Cluster mode.';
      else options.by = pattern;
      i += 1;
    } else if (word === 'GET') {
      const pattern = patternOf(value);
      if (!staysIn(pattern, slot)) return 'ERR GET option of SORT denied in Cluster mode.';
      get.push(pattern);
      i += 1;
    } else return syntaxError;
  }
  return options;
}

function patternOf(text: Bytes): Pattern {
  if (text === '#') return { kind: 'element' };
  const star = text.indexOf('*');
  if (star < 0) return { kind: 'nothing' };
  const arrow = text.indexOf('->', star + 1);
  const hasField = arrow >= 0 && arrow + 2 < text.length;
  return {
    kind: 'key',
    before: text.slice(0, star),
    after: text.slice(star + 1, hasField ? arrow : text.length),
    field: hasField ? text.slice(arrow + 2) : null,
  };
}

/** True when every key that the pattern can make is in this slot, by a hash tag in front of the element. */
function staysIn(pattern: Pattern, slot: number): boolean {
  if (pattern.kind !== 'key') return true;
  const tag = /\{([^}]+)\}/.exec(pattern.before);
  return tag !== null && pattern.before.indexOf('{') === tag.index && slotOf(tag[0]) === slot;
}

/** The argument that holds the key behind the last STORE, as Redis finds it. */
export function storeArgument(args: readonly Bytes[]): number | null {
  let found: number | null = null;
  for (let i = 2; i < args.length; i++) {
    const word = (args[i] as Bytes).toUpperCase();
    if (word === 'LIMIT') i += 2;
    else if (word === 'GET' || word === 'BY') i += 1;
    else if (word === 'STORE' && i + 1 < args.length) found = i + 1;
  }
  return found;
}
