import { expect, test } from 'vitest';
import { FaultPlanner } from './fault-plan.ts';
import { SeededRandom } from './seeded-random.ts';

test.each([2428, 7586, 11057])('a plan goes on when it had only kinds that come once: seed %i', (seed) => {
  const faults = new FaultPlanner(new SeededRandom(seed), ['a', 'b', 'c']).draw(30_000);
  const rare = faults.filter(({ kind }) => !['partition', 'pause', 'kill'].includes(kind));
  expect(rare.map(({ kind }) => kind)).toEqual([expect.stringMatching(/^(wipe|rot)$/)]);
  expect(faults.length).toBeGreaterThan(10);
});
