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
      return value.memoryBytes <= compactListBytes ? 'listpack' : 'quicklist';
  }
}
