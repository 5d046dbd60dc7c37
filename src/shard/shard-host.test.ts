import { expect, test } from 'vitest';
import type { Replica } from './replica.ts';
import type { HostContext } from './shard-host.ts';
import { ShardHost } from './shard-host.ts';

test('writes wait before they are executed while too much waits for the disk, reads do not', () => {
  const log = { queuedBytes: 0, stats: { spaceShort: false }, flush: () => {} };
  const turns: (() => void)[] = [];
  const host = new ShardHost({
    founders: [],
    log,
    options: { minInSync: 1 },
    owners: { ownerOf: () => 1 },
    clock: { monotonicMs: () => 0 },
    turn: { schedule: (turn: () => void) => turns.push(turn) },
    flushPeers: () => {},
  } as unknown as HostContext);
  const replica = {
    shard: 1,
    serving: true,
    asLeader: { kind: 'leader' },
    core: { accepting: true },
    keyspace: { fences: { active: false } },
    reads: { wake: () => {} },
    sealTurn: () => {},
    ship: () => {},
    endTurn: () => {},
  };
  host.held.add(replica as unknown as Replica);
  const kind = (needs: 'read' | 'write'): string => host.route(0, needs, false, false).kind;
  expect(kind('write')).toBe('leader');

  log.queuedBytes = 100 << 20;
  expect(kind('write')).toBe('park');
  expect(kind('read')).toBe('leader');

  let tries = 0;
  host.parked({ retry: () => (tries += 1) } as never);
  const endTurn = (): void => {
    host.touched();
    for (const turn of turns.splice(0)) turn();
  };
  endTurn();
  expect(tries).toBe(0);
  log.queuedBytes = 1 << 20;
  endTurn();
  expect(tries).toBe(1);
  expect(kind('write')).toBe('leader');
});
