import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Core } from './core.ts';
import { init, silent } from './core-test-kit.ts';
import { defaultCoreOptions } from './options.ts';
import type { Heartbeat, Message } from './types.ts';

const { electionMinMs, electionMaxMs, voteRefusalMs } = defaultCoreOptions;
const heartbeat: Heartbeat = {
  kind: 'heartbeat',
  term: 1,
  commit: 0,
  sentMs: 0,
  timeMs: 0,
  last: 0,
  laggards: [],
  held: 0,
  lackedBytes: 0,
  echo: null,
};

/** Node `a`, which heard the leader `b` at 1000 ms, and the times at which it asks for votes. */
function follower(random: () => number): { core: Core; asked: (untilMs: number) => number | null } {
  const sent: Message[] = [];
  const core = new Core(
    init,
    defaultCoreOptions,
    { ...silent, send: (_to, message) => sent.push(message) },
    random,
  );
  core.receive('b', heartbeat, 1000);
  sent.length = 0;
  const asked = (untilMs: number): number | null => {
    for (let now = 1000; now <= untilMs; now += 1) {
      core.tick(now);
      if (sent.some(({ kind }) => kind === 'preVoteRequest')) return now;
    }
    return null;
  };
  return { core, asked };
}

test('pitfall 26: whatever chance says, nobody campaigns before all who heard the same leader may vote again', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (draw) => {
      const { asked } = follower(() => draw);
      const atMs = asked(1000 + electionMaxMs);
      expect(atMs).toBeGreaterThan(1000 + voteRefusalMs);
      expect(atMs).toBeGreaterThanOrEqual(1000 + electionMinMs);
      expect(atMs).toBeLessThanOrEqual(1000 + electionMaxMs);
    }),
  );
});

test('pitfall 26: each wait is drawn anew, so that those who collided once need not collide again', () => {
  let drawn = 0;
  const { core } = follower(() => (drawn++ * 0.137) % 1);
  const waits = new Set<number>();
  for (let term = 2; term < 6; term++) {
    core.receive('b', { ...heartbeat, term }, 1000);
    waits.add(core.following.electionDueMs);
  }
  expect(waits.size).toBe(4);
});

test('pitfall 26: hints that a leader is gone do not end the refusal window early', () => {
  const { core, asked } = follower(() => 0);
  core.peerGone('b', 1010);
  expect(asked(1000 + electionMaxMs)).toBe(1000 + voteRefusalMs);
});
