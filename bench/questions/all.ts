import { catchUpRate } from './catch-up.ts';
import { memory } from './memory.ts';
import { pauses } from './pauses.ts';
import type { Question } from './question.ts';
import { restart } from './restart.ts';
import { values } from './values.ts';

const shards: Question = {
  name: 'shards',
  title: '6 shards on 3 nodes beside 1 shard at the same load',
  run: () =>
    Promise.resolve({
      lines: ['Not measured yet. Aim: at most 15 % less.'],
      figures: null,
    }),
};

export const questions: readonly Question[] = [values, restart, memory, catchUpRate, pauses, shards];
