import type { Bytes } from '../bytes/types.ts';
import type { ListValue } from '../state/collections.ts';
import type { Value } from '../state/entry.ts';
import { parseInteger } from './parse.ts';

/** Up to where Redis would keep values in its compact encodings: parameters of the same names, set by CONFIG SET. */
export interface EncodingLimits {
  /** Bytes of a HyperLogLog in its sparse form: the one limit that a value is stored by. */
  readonly 'hll-sparse-max-bytes': number;
  readonly 'hash-max-listpack-entries': number;
  readonly 'hash-max-listpack-value': number;
  /** Above 0 items, below 0 one of the sizes in bytes. */
  readonly 'list-max-listpack-size': number;
  readonly 'set-max-intset-entries': number;
  readonly 'set-max-listpack-entries': number;
  readonly 'set-max-listpack-value': number;
  readonly 'zset-max-listpack-entries': number;
  readonly 'zset-max-listpack-value': number;
}

/** Redis's. */
export const defaultEncodingLimits: EncodingLimits = {
  'hll-sparse-max-bytes': 3000,
  'hash-max-listpack-entries': 512,
  'hash-max-listpack-value': 64,
  'list-max-listpack-size': -2,
  'set-max-intset-entries': 512,
  'set-max-listpack-entries': 128,
  'set-max-listpack-value': 64,
  'zset-max-listpack-entries': 128,
  'zset-max-listpack-value': 64,
};

/** Bytes of a compact list by list-max-listpack-size, from -1 down. */
const compactListBytes = [4096, 8192, 16384, 32768, 65536];
/** Bytes that a compact list may take when its items are limited. */
const countedListBytes = 8192;

/**
 * What OBJECT ENCODING says: the encoding that Redis would have chosen under these limits. Programs and tests ask;
 * nothing here is stored that way.
 */
export function encodingOf(value: Value, limits: EncodingLimits): string {
  if (typeof value === 'string') {
    if (parseInteger(value) !== null) return 'int';
    return value.length <= 44 ? 'embstr' : 'raw';
  }
  if (value.type === 'string') return 'raw';
  if (value.type === 'list') return isCompactList(value, limits) ? 'listpack' : 'quicklist';
  if (value.type === 'set') {
    // What outgrew the encoding of integers has none of the compact ones any more.
    if (value.mostIntegers > limits['set-max-intset-entries']) return 'hashtable';
    if (value.integers) return 'intset';
  }
  const compact =
    value.most <= limits[`${value.type}-max-listpack-entries`] &&
    value.longest <= limits[`${value.type}-max-listpack-value`];
  return compact ? 'listpack' : value.type === 'zset' ? 'skiplist' : 'hashtable';
}

function isCompactList(list: ListValue, limits: EncodingLimits): boolean {
  const most = limits['list-max-listpack-size'];
  if (most >= 0 && list.size > Math.max(most, 1)) return false;
  const bytes =
    most >= 0 ? countedListBytes : (compactListBytes[Math.min(-most, compactListBytes.length) - 1] as number);
  return listpackBytes(list, bytes) <= bytes;
}

/** Bytes that Redis would need for a compact list; no more is added up than shows that there are more than `most`. */
function listpackBytes(list: ListValue, most: number): number {
  let bytes = 7;
  list.items.search(0, (item) => {
    bytes += listpackItemBytes(item);
    return bytes > most;
  });
  return bytes;
}
/** An integer takes what its size needs, a string its length and its bytes; behind each stands how long that was. */
function listpackItemBytes(item: Bytes): number {
  const integer = item.length <= 20 ? parseInteger(item) : null;
  if (integer !== null) {
    if (integer >= 0n && integer < 128n) return 2;
    const bits = (integer < 0n ? ~integer : integer).toString(2).length + 1;
    return bits <= 13 ? 3 : bits <= 16 ? 4 : bits <= 24 ? 5 : bits <= 32 ? 6 : 10;
  }
  const { length } = item;
  const bytes = length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
  return bytes + (bytes < 128 ? 1 : bytes < 16384 ? 2 : 3);
}
