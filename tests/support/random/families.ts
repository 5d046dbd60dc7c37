import { bitFamily } from './bits.ts';
import type { Family } from './family.ts';
import { geoFamily } from './geo.ts';
import { hashFamily } from './hashes.ts';
import { hyperLogLogFamily } from './hyperloglogs.ts';
import { keyspaceFamily } from './keyspace.ts';
import { listFamily } from './lists.ts';
import { sessionFamily } from './sessions.ts';
import { setFamily } from './sets.ts';
import { sortedSetFamily } from './sorted-sets.ts';
import { stringFamily } from './strings.ts';

export const families: readonly Family[] = [
  stringFamily,
  bitFamily,
  hashFamily,
  listFamily,
  setFamily,
  sortedSetFamily,
  geoFamily,
  hyperLogLogFamily,
  keyspaceFamily,
  sessionFamily,
];
