import type { Question } from './question.ts';

export const questions: readonly Question[] = [];
