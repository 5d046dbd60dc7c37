import { expect, test } from 'vitest';
import { ByteWriter } from '../bytes/byte-writer.ts';
import { RespWriter } from '../resp/reply-writer.ts';
import type { AckPolicy } from './ack-policy.ts';
import { BlockedClients } from './blocked-clients.ts';
import { linearizable } from './read-level.ts';
import type { Replica } from './replica.ts';
import { Session } from './session.ts';
import type { SessionHost } from './session-host.ts';

const majority: AckPolicy = { who: 'majority', stage: 'flushed', timeoutMs: 0 };

/** A leader whose next command answers `OK` at LSN 7, and one client of it. */
function clientOf(leader: { commit: number; leads: boolean; proven: boolean; wrote: boolean }) {
  const writer = new RespWriter(new ByteWriter(1024));
  const blocked = new BlockedClients(() => undefined);
  const replica = {
    executor: {
      run: (_spec: unknown, args: string[], session: Session): number => {
        if (args[0] === 'BLPOP') {
          session.waitForKeys(['list'], 'list', 0);
          return 7;
        }
        writer.simple('OK');
        return leader.wrote ? -7 : 7;
      },
    },
    shard: 0,
    reads: { term: 1, standing: () => 'held' },
    core: {
      flushed: 7,
      commit: 6,
      get leadership() {
        return leader.leads ? {} : null;
      },
    },
    sealLarge: () => {},
    blocked,
    lacksMemory: () => false,
    gates: {
      followersHolding: () => 0,
      get leads() {
        return leader.leads;
      },
      isOpen: (policy: AckPolicy, lsn: number) => policy.who === 'none' || leader.commit >= lsn,
      wait: () => {},
      wasLeaderAt: () => leader.proven,
      mayProve: () => true,
      awaitProof: () => {},
    },
  } as unknown as Replica;
  const host = {
    options: {
      ack: majority,
      readGate: majority,
      readLevel: linearizable,
      parkMs: 500,
      parkBytes: 100,
      requestBytes: 1 << 20,
    },
    password: '',
    writer,
    stats: { commands: 0, errors: 0 },
    now: () => 1000,
    route: () => ({ kind: 'leader', replica }),
    hasMoved: () => false,
    metadataEpoch: () => 0,
    runWithoutState: (_spec: unknown, args: string[], session: Session) => {
      if (args[0] === 'WAIT') session.waitReplicas(Number(args[1]), 0);
    },
    copiesOfNothing: () => ({ local: 1, replicas: 5 }),
    policyCode: () => 0,
    parked: () => {},
    unparked: () => {},
    replied: () => {},
    resumeLater: () => {},
    forget: () => {},
    touched: () => {},
    parkedBytes: 0,
  } as unknown as SessionHost;
  const sent: string[] = [];
  const session = new Session(1, host, {
    write: (bytes) => void sent.push(bytes.toString()),
    close: () => {},
    resume: () => {},
  } as ConstructorParameters<typeof Session>[2]);
  session.arrived();
  return { session, sent, host, blocked };
}

test('pitfall 39: a read that deletes an expired key waits as reads do, however little the writes of its client wait for', () => {
  const leader = { commit: 6, leads: true, proven: false, wrote: true };
  const { session, sent } = clientOf(leader);
  session.setAckPolicy(['none']);
  session.execute(['GET', 'expired']);
  session.flush();
  expect(sent).toEqual([]);
  leader.commit = 7;
  session.gateOpened();
  session.flush();
  expect(sent).toEqual([]);
  leader.proven = true;
  session.gateOpened();
  session.flush();
  expect(sent).toEqual(['+OK\r\n']);
  // It wrote nothing that WAIT would ask the shard about.
  session.execute(['WAIT', '5', '0']);
  session.flush();
  expect(sent).toEqual(['+OK\r\n', ':5\r\n']);
});

test('pitfall 36, 39: what only weak acknowledgements vouch for is shown to readers when it is committed', () => {
  const leader = { commit: 6, leads: true, proven: true, wrote: true };
  const { session, sent } = clientOf(leader);
  session.setAckPolicy(['none']);
  session.execute(['SET', 'k', 'v']);
  session.flush();
  expect(sent).toEqual(['+OK\r\n']);
  leader.wrote = false;
  session.execute(['GET', 'k']);
  session.flush();
  expect(sent).toHaveLength(1);
  leader.commit = 7;
  session.gateOpened();
  session.flush();
  expect(sent).toEqual(['+OK\r\n', '+OK\r\n']);
});

test('a client that waits for copies without end is answered when the leadership has been handed over', () => {
  const leader = { commit: 7, leads: true, proven: true, wrote: true };
  const { session, sent } = clientOf(leader);
  session.execute(['SET', 'k', 'v']);
  session.execute(['WAIT', '2', '0']);
  session.flush();
  session.tick(1010);
  expect(session.blocked).toBe(true);
  leader.leads = false;
  session.tick(1020);
  session.flush();
  expect(session.blocked).toBe(false);
  expect(sent).toEqual(['+OK\r\n', ':0\r\n']);
});

test('a client that waits for a key is parked when the leadership ends, as far as there is room', () => {
  const leader = { commit: 7, leads: true, proven: true, wrote: false };
  const { session, sent, host, blocked } = clientOf(leader);
  session.execute(['BLPOP', 'list', '0']);
  expect(session.waiting).toBe(true);
  blocked.leadershipEnded();
  expect(host.parkedBytes).toBe('BLPOPlist0'.length);
  session.retry();
  expect(host.parkedBytes).toBe(0);
  host.parkedBytes = 95;
  blocked.leadershipEnded();
  session.flush();
  expect(session.waiting).toBe(false);
  expect(host.parkedBytes).toBe(95);
  expect(sent.join('')).toMatch(/^-CLUSTERDOWN this node leads the shard no more/);
});

test('an answer that was begun on a state too old is no answer to the next command', () => {
  const { session, sent, host } = clientOf({ commit: 7, leads: true, proven: true, wrote: false });
  const leading = host.route(0, 'read', false, false);
  if (leading.kind !== 'leader') throw new Error('no leader');
  const { replica } = leading;
  let asked = 0;
  const old = Object.create(replica, {
    reads: { value: { provenAsOf: () => asked++ === 0, wait: () => {}, standing: () => 'held' } },
    executor: {
      value: {
        run: () => {
          session.answerLater(
            (function* () {
              yield;
              return () => host.writer.simple('STALE');
            })(),
          );
          return 7;
        },
      },
    },
  });
  session.reads.setLevel(['bounded', '100']);
  host.route = () => ({ kind: 'follower', replica: old });
  session.execute(['SINTERCARD', '1', 'k']);
  expect(session.later.active).toBe(false);
  session.parking.take();
  host.route = () => leading;
  session.reads.setLevel(['linearizable']);
  session.execute(['GET', 'k']);
  expect(session.later.active).toBe(false);
  session.flush();
  expect(sent.join('')).toBe('+OK\r\n');
});
