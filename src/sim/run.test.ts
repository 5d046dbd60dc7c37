import { expect, test } from 'vitest';
import { simulate } from './simulation.ts';

const count = Number(process.env['BELLWETHER_SEEDS'] ?? 24);
const seeds = Array.from({ length: count }, (_, i) => i + 1);

test('clusters under faults lose nothing, contradict nobody, and are well again without them', () => {
  let answered = 0;
  let elections = 0;
  for (const seed of seeds) {
    const { violations, timeline, stats } = simulate(seed);
    const story = `seed ${seed}, replay: npm run simulate -- --from ${seed} --seeds 1 --timeline`;
    expect(violations, `${story}\n${timeline.slice(-40).join('\n')}`).toEqual([]);
    expect(stats.events, story).toBeGreaterThanOrEqual(10_000);
    expect(stats.effects, story).toBeGreaterThanOrEqual(10);
    answered += stats.answered;
    elections += stats.terms;
  }
  // The runs did something: requests were answered, and leaders were lost.
  expect(answered).toBeGreaterThan(100 * seeds.length);
  expect(elections).toBeGreaterThan(2 * seeds.length);
}, 600_000);
