import { catchUpRate } from './catch-up.ts';
import { memory } from './memory.ts';
import { pauses } from './pauses.ts';
import type { Question } from './question.ts';
import { reads } from './reads.ts';
import { restart } from './restart.ts';
import { shards } from './shards.ts';
import { values } from './values.ts';

export const questions: readonly Question[] = [values, restart, memory, catchUpRate, pauses, shards, reads];
