import { expect, test } from 'vitest';
import type { CoreInit } from '../core/core.ts';
import { Core } from '../core/core.ts';
import { silent } from '../core/core-test-kit.ts';
import { encodeMembership } from '../core/membership-codec.ts';
import { defaultCoreOptions } from '../core/options.ts';
import type { Membership } from '../core/types.ts';
import { runTask } from '../env/task.ts';
import { checkedMembership } from './memberships.ts';
import { openReplicaState } from './opening.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

const of = (voters: string, learners = ''): Membership => ({ voters: [...voters], learners: [...learners] });
const bytesOf = (membership: Membership): Buffer => Buffer.from(encodeMembership(membership));

interface OnDisk {
  readonly initial?: Membership;
  /** The newest checkpoint's LSN, and its membership. */
  readonly checkpoint?: readonly [number, Membership];
  /** Where the log begins, 0 unless said otherwise, and its memberships; it ends at LSN 50. */
  readonly base?: number;
  readonly log?: readonly (readonly [number, Membership])[];
  readonly damaged?: boolean;
}

/** What node `a` starts from, or the error that keeps it from starting. */
function opened({ initial = of('abc'), checkpoint, base = 0, log = [], damaged = false }: OnDisk): CoreInit {
  const context = {
    self: 'a',
    clock: { monotonicMs: () => 0 },
    logger: { warn: () => {} },
    checkpoints: {
      *list() {
        return checkpoint === undefined ? [] : [{ shard: 1, term: 1, lsn: checkpoint[0] }];
      },
      path: () => 'it',
      *load() {
        const [lsn, membership] = checkpoint as readonly [number, Membership];
        return { term: 1, lsn, membership: bytesOf(membership).toString('base64') };
      },
    },
    log: { inDoubt: () => {}, reset: () => {} },
    decodeMembership: checkedMembership,
  };
  const recovered = {
    base: { term: 1, lsn: base },
    last: { term: 1, lsn: 50 },
    hardState: { term: 1, vote: null },
    terms: [{ term: 1, lsn: base + 1 }],
    memberships: log.map(([lsn, membership]) => ({ lsn, bytes: bytesOf(membership) })),
    damage: damaged
      ? { mayHaveAcknowledged: { term: 1, lsn: 60 }, hardStateLost: false, where: 'here' }
      : null,
  };
  const replica = {
    shard: 1,
    keyspace: { restore: () => ({ finish: () => {} }) },
    checkpointer: { found: () => {} },
  } as unknown as Replica;
  const task = openReplicaState(
    replica,
    context as unknown as ReplicaContext,
    recovered as unknown as Parameters<typeof openReplicaState>[2],
    initial,
    false,
  );
  let outcome: CoreInit | Error | null = null;
  runTask(task, (error, init) => {
    outcome = error ?? init ?? null;
  });
  if ((outcome as unknown) instanceof Error) throw outcome;
  return outcome as unknown as CoreInit;
}

function coreOf(onDisk: OnDisk): Core {
  return new Core(opened(onDisk), defaultCoreOptions, silent, () => 0.5);
}

test('pitfall 34: a restarted replica goes by the latest membership of its log, and by an earlier one when that is cut', () => {
  const core = coreOf({
    log: [
      [10, of('abcd')],
      [20, of('abd')],
    ],
  });
  expect([core.membership, core.memberships.currentLsn]).toEqual([of('abd'), 20]);
  core.memberships.cutAfter(19);
  expect(core.membership).toEqual(of('abcd'));
  core.memberships.cutAfter(9);
  expect(core.membership).toEqual(of('abc'));
});

test('pitfall 34: the membership of a checkpoint counts where the log no longer has it, and what came later is kept', () => {
  const core = coreOf({
    checkpoint: [30, of('abd')],
    base: 25,
    log: [
      [20, of('abcd')],
      [40, of('ab')],
    ],
  });
  expect([core.membership, core.memberships.currentLsn]).toEqual([of('ab'), 40]);
  core.memberships.cutAfter(39);
  expect(core.membership).toEqual(of('abd'));
  expect(coreOf({ checkpoint: [30, of('abd')], base: 30 }).membership).toEqual(of('abd'));
});

test('a learner is one after a restart, and a node that was removed does not come back as a voter', () => {
  expect(coreOf({ initial: of('bcd'), log: [[20, of('bcd', 'a')]] }).role).toBe('learner');
  expect(coreOf({ checkpoint: [30, of('bcd')], base: 30 }).role).toBe('learner');
});

test('whether there are other copies is what the last membership says, not the one that the cluster began with', () => {
  // It began alone, and has others now: what is damaged is repaired from them.
  expect(
    opened({
      initial: of('a'),
      log: [
        [10, of('a', 'b')],
        [20, of('ab')],
      ],
      damaged: true,
    }).doubt,
  ).not.toBe(null);
  // It began with others, and is alone now: nobody can repair it.
  expect(() =>
    opened({
      log: [
        [10, of('ab')],
        [20, of('a')],
      ],
      damaged: true,
    }),
  ).toThrow('no other copy');
  expect(() => opened({ checkpoint: [30, of('a')], base: 20, damaged: true })).toThrow('no other copy');
});
