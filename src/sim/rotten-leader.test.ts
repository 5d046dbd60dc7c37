import { expect, test } from 'vitest';
import { ScriptedRun } from './scripted-run-test-kit.ts';
import { onlyShard, type SimNode } from './sim-node.ts';
import type { SimOptions } from './sim-options.ts';

/** What was logged stays in the log only: in no cache, and in no checkpoint. */
function logOnly(options: SimOptions): SimOptions {
  return {
    ...options,
    replica: { ...options.replica, checkpointBytes: 1 << 20, checkpointMs: 60_000 },
    log: { ...options.log, cacheBytes: 2 << 10, retentionBytes: 1 << 30 },
  };
}

test('a leader whose log rots below what followers need gives way to a sound copy', () => {
  const run = new ScriptedRun(['n1', 'n2', 'n3', 'n4', 'n5'], logOnly);
  expect(run.write('first', 5000)).toBe(true);
  const { node: leader } = run.leader as { node: SimNode };
  const [sound, gone, ...behind] = run.nodes.filter((node) => node !== leader) as [SimNode, SimNode];
  const lacking = (behind as SimNode[]).map(({ id }) => id);

  // Two followers lack what three nodes have, of which one goes for good.
  const heal = run.partition(lacking);
  for (let i = 0; i < 40; i++) expect(run.write(`needle${i}${'x'.repeat(600)}`, 5000)).toBe(true);
  gone.crash('power loss');
  leader.life?.process.pause();
  expect(leader.disk.rotText('needle')).toBeGreaterThan(30);

  // Whoever lacks it reaches only the one whose log is damaged; that leads again, and cannot commit.
  const apart = run.partition(lacking, [sound.id, ...lacking]);
  heal();
  expect(run.until(() => false, 1500)).toBe(false);
  leader.life?.process.resume();
  const unreadable = (): boolean =>
    run.trace.lines.some((line) => /cannot read the log for a follower/.test(line));
  expect(run.until(unreadable, 5000)).toBe(true);
  expect(leader.replicaOf(onlyShard)?.serving).toBe(false);
  run.until(() => false, 2000);
  expect(run.leader).toBeUndefined();

  // The sound copy can be elected from now on, but only if nobody leads any more.
  apart();
  expect(run.write('last', 8000)).toBe(true);
  expect(run.leader?.id).toBe(sound.id);
  expect(run.violations).toEqual([]);
});
