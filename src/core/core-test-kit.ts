import type { CoreInit } from './core.ts';
import type { CoreOutput } from './output.ts';
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
