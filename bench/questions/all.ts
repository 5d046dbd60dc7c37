import { catchUpRate } from './catch-up.ts';
import { elementMemory } from './element-memory.ts';
import { largeCollections } from './large-collections.ts';
import { memory } from './memory.ts';
import { pauses } from './pauses.ts';
import type { Question } from './question.ts';
import { reads } from './reads.ts';
import { restart } from './restart.ts';
import { shards } from './shards.ts';
import { typeRows } from './type-rows.ts';
import { values } from './values.ts';

export const questions: readonly Question[] = [
  values,
  typeRows,
  restart,
  memory,
  elementMemory,
  catchUpRate,
  pauses,
  largeCollections,
  shards,
  reads,
];
