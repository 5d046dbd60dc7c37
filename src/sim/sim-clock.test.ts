import { expect, test } from 'vitest';
import { defaultCoreOptions } from '../core/options.ts';
import { EventLoop } from './event-loop.ts';
import { driftRates } from './fault-plan.ts';
import { SimClock } from './sim-clock.ts';
import { usualRates } from './sim-node.ts';

test('a clock never jumps when its rate changes, and its wall clock goes with it', () => {
  const loop = new EventLoop();
  const clock = new SimClock(loop, 1, 1000);
  const wallMs = clock.wallMs();
  const at = (ms: number): number => {
    loop.step(ms);
    return clock.monotonicMs() - 1000;
  };
  expect(at(10)).toBe(10);
  const end = clock.drift(2);
  expect(at(10)).toBe(10);
  expect(at(20)).toBe(30);
  const endOther = clock.drift(0.5);
  expect(at(30)).toBe(50);
  end();
  expect(at(40)).toBe(55);
  endOther();
  expect(at(50)).toBe(65);
  expect(clock.wallMs() - wallMs).toBe(65);
});

test('no two clocks that drift, but are not wild, let a lease outlast the refusal to vote', () => {
  const { leaseMs, voteRefusalMs } = defaultCoreOptions;
  const slowest = driftRates.least * usualRates.least;
  const fastest = driftRates.most * usualRates.most;
  expect(leaseMs / slowest).toBeLessThan(voteRefusalMs / fastest);
});
