import type { Bytes } from '../bytes/types.ts';
import type { ListValue } from '../state/collections.ts';
import type { Value } from '../state/entry.ts';
import { parseInteger } from './parse.ts';

/** Redis's default limits for its compact encodings. */
const compactItems = 128;
const compactItemBytes = 64;
const integerSetItems = 512;
/** Bytes that a compact list may take (list-max-listpack-size -2). */
const compactListBytes = 8192;

/**
 * What OBJECT ENCODING says: the encoding that Redis would have chosen at its default settings. Programs and tests ask;
 * nothing here is stored that way.
 */
export function encodingOf(value: Value): string {
  if (typeof value === 'string') {
    if (parseInteger(value) !== null) return 'int';
    return value.length <= 44 ? 'embstr' : 'raw';
  }
  if (value.type === 'string') return 'raw';
  const compact = value.size <= compactItems && value.longest <= compactItemBytes;
  switch (value.type) {
    case 'hash':
      return compact ? 'listpack' : 'hashtable';
    case 'set':
      if (value.integers && value.size <= integerSetItems) return 'intset';
      return compact ? 'listpack' : 'hashtable';
    case 'zset':
      return compact ? 'listpack' : 'skiplist';
    case 'list':
      return listpackBytes(value) <= compactListBytes ? 'listpack' : 'quicklist';
  }
}

/** Bytes that Redis would need for a compact list; no more is added up than shows that it is none. */
function listpackBytes(list: ListValue): number {
  let bytes = 7;
  list.items.search(0, (item) => {
    bytes += listpackItemBytes(item);
    return bytes > compactListBytes;
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
