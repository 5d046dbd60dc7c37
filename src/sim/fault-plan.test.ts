import { expect, test } from 'vitest';
import { FaultPlanner } from './fault-plan.ts';
import { SeededRandom } from './seeded-random.ts';

/** Draws nothing that is rare but what comes once: the kinds that a plan may use are shuffled, these first. */
class OnlyLosses extends SeededRandom {
  override shuffled<T>(items: readonly T[]): T[] {
    const losses = items.filter((item) => item === ('wipe' as T) || item === ('rot' as T));
    return losses.length > 0 ? losses : super.shuffled(items);
  }
}

test('a plan goes on when it had only kinds that come once', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const faults = new FaultPlanner(new OnlyLosses(seed), ['a', 'b', 'c'], null).draw(30_000);
    const kinds = faults.map(({ kind }) => kind);
    expect(kinds).not.toContain(undefined);
    expect(kinds.filter((kind) => kind === 'wipe' || kind === 'rot')).toHaveLength(1);
    expect(faults.length).toBeGreaterThan(10);
  }
});
