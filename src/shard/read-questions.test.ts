import { expect, test } from 'vitest';
import { ReadQuestions } from './read-questions.ts';

const lostMs = 50;

test('all readers of a turn share one question, and later ones wait for one that is new enough', () => {
  const questions = new ReadQuestions(0);
  for (let i = 0; i < 100; i++) questions.want(1000 + i / 100, false);
  expect(questions.next(1001, lostMs)).toEqual({ context: 0, byLease: false });
  expect(questions.next(1001, lostMs)).toBeNull();
  questions.want(1000.5, false);
  expect(questions.next(1002, lostMs)).toBeNull();
  questions.want(1002, false);
  expect(questions.next(1003, lostMs)).toEqual({ context: 1, byLease: false });
});

test('a question that a lease may answer is none that needs a majority; the other way round it is', () => {
  const questions = new ReadQuestions(0);
  questions.want(1000, true);
  expect(questions.next(1000, lostMs)).toEqual({ context: 0, byLease: true });
  questions.want(1000, false);
  expect(questions.next(1001, lostMs)).toEqual({ context: 1, byLease: false });
  questions.want(1001, true);
  expect(questions.next(1002, lostMs)).toBeNull();
});

test('pitfall 32: a question that was lost is asked anew under another number, and each answer counts once', () => {
  const questions = new ReadQuestions(0);
  questions.want(1000, false);
  const first = questions.next(1000, lostMs);
  questions.want(1000, false);
  const second = questions.next(1050, lostMs);
  expect([first?.context, second?.context]).toEqual([0, 1]);
  expect(questions.answered(1)).toEqual({ askedMs: 1050, byLease: false });
  expect(questions.answered(1)).toBeNull();
});

test('pitfall 32: what the last leader was asked is over, whoever answers it', () => {
  const questions = new ReadQuestions(0);
  questions.want(1000, false);
  const before = questions.next(1000, lostMs);
  questions.forget();
  expect(questions.answered(before?.context as number)).toBeNull();
  questions.want(1000, false);
  expect(questions.next(1001, lostMs)).toEqual({ context: 1, byLease: false });
});

test('questions without an answer are not kept for ever', () => {
  const questions = new ReadQuestions(0);
  for (let now = 0; now < 100_000; now += lostMs) {
    questions.want(now, false);
    questions.next(now, lostMs);
  }
  expect(questions.answered(0)).toBeNull();
  expect(questions.answered(1999)).not.toBeNull();
});
