import { expect, test } from 'vitest';
import { EventLoop } from './event-loop.ts';
import { Process } from './process.ts';
import { SeededRandom } from './seeded-random.ts';

function start(afterInput?: () => void): { loop: EventLoop; process: Process; failures: Error[] } {
  const loop = new EventLoop();
  const failures: Error[] = [];
  const process = new Process(loop, new SeededRandom(1), (error) => failures.push(error), afterInput);
  return { loop, process, failures };
}

function runAll(loop: EventLoop): void {
  while (loop.step(10_000));
}

test('events run by time, then in the order in which they were asked for', () => {
  const loop = new EventLoop();
  const ran: string[] = [];
  for (const [delayMs, name] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [2, 'b'],
  ] as const)
    loop.after(delayMs, () => ran.push(`${name} at ${loop.nowMs}`));
  runAll(loop);
  expect(ran).toEqual(['a at 1', 'b at 2', 'c at 5', 'd at 5']);
  expect(loop.nowMs).toBe(10_000);
});

test('a turn ends behind the input that asked for it, once', () => {
  const { loop, process } = start();
  const ran: string[] = [];
  process.enter(() => {
    process.turnEnd.schedule(() => ran.push('turn ended'));
    ran.push('input');
  });
  runAll(loop);
  expect(ran).toEqual(['input', 'turn ended']);
});

test('a paused process does nothing; then each source is heard in its own order', () => {
  const { loop, process } = start();
  const ran: string[] = [];
  const [a, b] = [{}, {}];
  process.pause();
  for (const name of ['a1', 'a2', 'a3']) process.enter(() => ran.push(name), a);
  for (const name of ['b1', 'b2']) process.enter(() => ran.push(name), b);
  runAll(loop);
  expect(ran).toEqual([]);
  process.resume();
  expect(ran.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
  expect(ran.filter((name) => name.startsWith('b'))).toEqual(['b1', 'b2']);
});

test('nothing reaches a dead process, and what is thrown in one ends it', () => {
  const { loop, process, failures } = start();
  const ran: string[] = [];
  process.after(5, () => ran.push('late'));
  process.enter(() => {
    process.turnEnd.schedule(() => ran.push('turn ended'));
    throw new Error('broken');
  });
  runAll(loop);
  expect(ran).toEqual([]);
  expect(failures.map(({ message }) => message)).toEqual(['broken']);
  expect(process.alive).toBe(false);
});

test('behind each input that waited for a pause to end, whoever watches may look', () => {
  const ran: string[] = [];
  const { loop, process } = start(() => ran.push('a look'));
  process.pause();
  const source = {};
  for (const name of ['first', 'second']) process.enter(() => ran.push(name), source);
  process.resume();
  runAll(loop);
  expect(ran).toEqual(['first', 'a look', 'second', 'a look']);
});
