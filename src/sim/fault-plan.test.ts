import { expect, test } from 'vitest';
import { FaultPlanner } from './fault-plan.ts';
import { SeededRandom } from './seeded-random.ts';

test.each([1008, 1340, 1343])('a plan goes on when it had only kinds that come once: seed %i', (seed) => {
  const faults = new FaultPlanner(new SeededRandom(seed), ['a', 'b', 'c']).draw(30_000);
  const rare = faults.filter(({ kind }) => !['partition', 'pause', 'kill'].includes(kind));
  expect(rare.map(({ kind }) => kind)).toEqual([expect.stringMatching(/^(wipe|rot|bit rot)$/)]);
  expect(faults.length).toBeGreaterThan(10);
});
