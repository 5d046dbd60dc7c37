import type { CoreInit } from './core.ts';
import { Core } from './core.ts';
import { defaultCoreOptions } from './options.ts';
import type { CoreOutput } from './output.ts';
import type { HardState, Lsn, Message } from './types.ts';
import { origin } from './types.ts';

/** Takes no notice of anything. */
export const silent: CoreOutput = {
  send: () => {},
  putHardState: () => {},
  cutLog: () => {},
  appendToLog: () => {},
  committed: () => {},
  roleChanged: () => {},
  shipTo: () => {},
  positionsChanged: () => {},
  leadershipConfirmed: () => {},
  fetchSnapshot: () => {},
  needsSnapshot: () => {},
  readIndex: () => {},
  fresh: () => {},
  doubtCleared: () => {},
};

/** Node `a` of three that have just begun. */
export const init: CoreInit = {
  id: 'a',
  hardState: { term: 0, vote: null },
  base: origin,
  runs: [],
  lastLsn: 0,
  commit: 0,
  membership: { voters: ['a', 'b', 'c'], learners: [] },
  membershipLsn: 0,
  memberships: [],
  doubt: null,
  nowMs: 0,
};

/** Node `a` of three, and what it sends and asks of its disk. */
export function node(own: Partial<CoreInit> = {}): {
  core: Core;
  sent: [string, Message][];
  put: HardState[];
  commits: Lsn[];
  moved: () => number;
} {
  const sent: [string, Message][] = [];
  const put: HardState[] = [];
  const commits: Lsn[] = [];
  let moved = 0;
  const output: CoreOutput = {
    ...silent,
    send: (to, message) => void sent.push([to, message]),
    putHardState: (hardState) => void put.push(hardState),
    committed: (commit) => void commits.push(commit),
    positionsChanged: () => {
      moved += 1;
    },
  };
  const core = new Core({ ...init, ...own }, defaultCoreOptions, output, () => 0.5);
  return { core, sent, put, commits, moved: () => moved };
}
