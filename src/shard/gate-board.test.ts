import { expect, test } from 'vitest';
import type { AckPolicy } from './ack-policy.ts';
import type { GateWaiter } from './gate-board.ts';
import { GateBoard } from './gate-board.ts';

const majority: AckPolicy = { who: 'majority', stage: 'flushed', timeoutMs: 0 };

function waiter(name: string, opened: string[]): GateWaiter {
  return { gateOpened: () => opened.push(name) };
}

test('gates open in the order of their LSNs as the position reaches them', () => {
  let commit = 0;
  const opened: string[] = [];
  const board = new GateBoard(() => commit);
  board.wait(majority, 5, waiter('five', opened));
  board.wait(majority, 7, waiter('seven', opened));
  commit = 6;
  board.positionsMoved();
  expect(opened).toEqual(['five']);
  commit = 7;
  board.positionsMoved();
  expect(opened).toEqual(['five', 'seven']);
});

test('a gate of a leadership that ended does not hold up those of the next one', () => {
  let commit = 50;
  const opened: string[] = [];
  const board = new GateBoard(() => commit);
  // Executed by a leader that was cut off; the entry was lost, and its client was closed.
  board.wait(majority, 1000, waiter('lost', opened));
  board.leadershipEnded();
  expect(opened).toEqual(['lost']);
  expect(board.waiting).toBe(0);
  board.wait(majority, 60, waiter('next', opened));
  commit = 60;
  board.positionsMoved();
  expect(opened).toEqual(['lost', 'next']);
});
