import { expect, test } from 'vitest';
import { Core } from '../core/core.ts';
import { init, silent } from '../core/core-test-kit.ts';
import { defaultCoreOptions } from '../core/options.ts';
import { DamagedLog } from '../log/damaged-log.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';
import { Shipper } from './shipper.ts';

/** The leader of term 1 with entries up to LSN 20, of which nothing is cached and reads from disk fail like this. */
function leader(error: Error): { core: Core; ship: () => void; reads: number[]; wanting: string[] } {
  const wanting: string[] = [];
  const reads: number[] = [];
  const output = {
    ...silent,
    needsSnapshot: (follower: string) => void wanting.push(follower),
    shipTo: (follower: string) => shipper.want(follower),
  };
  const core = new Core(init, defaultCoreOptions, output, () => 0.5);
  const replica = { shard: 1, core, shipTo: output.shipTo };
  const context = {
    logger: { warn: () => {} },
    log: {
      cached: () => null,
      read: (_shard: number, lsn: number, _bytes: number, done: (error: Error, batches: []) => void) => {
        reads.push(lsn);
        done(error, []);
      },
    },
  };
  const shipper = new Shipper(replica as unknown as Replica, context as unknown as ReplicaContext);
  core.tick(1000);
  core.receive('b', { kind: 'preVoteResponse', term: 0, asked: 1, granted: true }, 1000);
  core.hardStateDurable({ term: 1, vote: 'a' }, 1000);
  core.receive('b', { kind: 'voteResponse', term: 1, asked: 1, granted: true }, 1000);
  core.extend(19);
  return { core, ship: () => shipper.ship(), reads, wanting };
}

const ack = { kind: 'appendAck', term: 1, received: 5, flushed: 5, applied: 0 } as const;

test('a damaged part of the log is read once: who needs it needs a checkpoint', () => {
  const damage = new DamagedLog('log/1', { firstLsn: 6, lastLsn: 9, segment: 1, offset: 0, length: 100 });
  const { core, ship, reads, wanting } = leader(damage);
  core.receive('b', ack, 1001);
  for (let now = 1002; now < 1005; now++) {
    ship();
    core.receive('b', ack, now);
  }
  expect(reads).toEqual([6]);
  expect(wanting).toContain('b');
  expect(core.unreadable).toBe(9);
});

test('a disk that fails for a moment is read again at the pace of heartbeats', () => {
  const { core, ship, reads, wanting } = leader(new Error('EIO: i/o error'));
  core.receive('b', ack, 1001);
  ship();
  ship();
  const forB = (): number[] => reads.filter((lsn) => lsn === 6);
  expect(forB()).toHaveLength(1);
  core.tick(1100);
  ship();
  expect(forB()).toHaveLength(2);
  expect(wanting).toEqual([]);
  expect(core.unreadable).toBe(0);
});
