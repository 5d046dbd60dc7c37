import type { CoreInit } from '../core/core.ts';
import type { Membership, Position } from '../core/types.ts';
import { origin } from '../core/types.ts';
import type { Task } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import type { RecoveredShard } from '../log/types.ts';
import type { CheckpointId, Manifest } from '../state/checkpoint-store.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

/** What recovery says of a replica that was opened without a log, until a leader has filled it. */
export const withoutRecord = 'a log without any record of this replica';

/** Loads the newest checkpoint that can be read and says what the core starts from. Queues log records where the two must be made to fit. */
export function* openReplicaState(
  replica: Replica,
  context: ReplicaContext,
  recovered: RecoveredShard | null,
  initial: Membership,
  incomplete: boolean,
): Task<CoreInit> {
  const { shard } = replica;
  const manifest = yield* loadNewest(replica, context);
  const checkpoint: Position = manifest === null ? origin : { term: manifest.term, lsn: manifest.lsn };
  const known = (recovered?.memberships ?? []).map(({ lsn, bytes }) => ({
    lsn,
    membership: context.decodeMembership(bytes),
  }));
  const common = {
    id: context.self,
    hardState: recovered?.hardState ?? { term: 0, vote: null },
    commit: checkpoint.lsn,
    nowMs: context.clock.monotonicMs(),
  };
  const fromManifest =
    manifest === null ? null : { membership: membershipOf(context, manifest), membershipLsn: manifest.lsn };
  const newest = known.filter(({ lsn }) => lsn > checkpoint.lsn).at(-1) ?? fromManifest ?? known.at(-1);
  const { voters } = newest?.membership ?? initial;
  const alone = voters.length === 1 && voters[0] === context.self;

  if (recovered === null || (recovered.last.lsn === 0 && checkpoint.lsn === 0 && recovered.damage === null)) {
    const forgetful = (recovered === null || incomplete) && !alone;
    if (forgetful) {
      // A new directory, or one that was emptied: only a leader, or the sight of a new cluster, can tell.
      context.log.inDoubt(shard, { mayHaveAcknowledged: null, hardStateLost: true, where: withoutRecord });
    }
    return {
      ...common,
      base: origin,
      runs: [],
      lastLsn: 0,
      membership: initial,
      membershipLsn: 0,
      memberships: [],
      doubt: forgetful ? { mayHaveAcknowledged: null } : null,
    };
  }
  const doubt = doubtOf(recovered, alone);
  if (checkpoint.lsn < recovered.base.lsn)
    return withoutState(context, shard, recovered, common, initial, alone);

  const fits =
    checkpoint.lsn <= recovered.last.lsn &&
    (checkpoint.lsn === 0 || termIn(recovered, checkpoint.lsn) === checkpoint.term);
  if (!fits) {
    // A snapshot was installed and the log was not yet told, or the log behind it is damaged: the checkpoint counts.
    context.log.reset(shard, checkpoint, false);
    const base = { ...common, base: checkpoint, runs: [], lastLsn: checkpoint.lsn, memberships: [], doubt };
    return { ...base, membership: fromManifest?.membership ?? initial, membershipLsn: checkpoint.lsn };
  }
  const floor = Math.max(recovered.base.lsn, manifest === null ? 0 : manifest.lsn);
  const older = known.filter((entry) => entry.lsn <= floor).at(-1);
  const base =
    fromManifest ??
    (older === undefined
      ? { membership: initial, membershipLsn: 0 }
      : { membership: older.membership, membershipLsn: older.lsn });
  return {
    ...common,
    ...base,
    base: recovered.base,
    runs: recovered.terms,
    lastLsn: recovered.last.lsn,
    memberships: known.filter((entry) => entry.lsn > base.membershipLsn && entry.lsn > floor),
    doubt,
  };
}

/** Puts the newest readable checkpoint into the state; null when there is none. */
function* loadNewest(replica: Replica, context: ReplicaContext): Task<Manifest | null> {
  const { shard, keyspace, checkpointer } = replica;
  const ids: CheckpointId[] = yield* context.checkpoints.list(shard);
  for (const id of ids) {
    try {
      const manifest = yield* context.checkpoints.load(context.checkpoints.path(id), keyspace.restore());
      checkpointer.found(ids, manifest);
      return manifest;
    } catch (error) {
      // What another version, or a disk that works again, can read is no damage to be repaired: it must not cost the log.
      const damaged = error instanceof BellwetherError && error.code === 'BW_CHECKPOINT_DAMAGED';
      if (!damaged) throw error;
      context.logger.warn({ shard, error: (error as Error).message }, 'a checkpoint cannot be used');
    }
  }
  keyspace.restore().finish(0);
  return null;
}

function membershipOf(context: ReplicaContext, manifest: Manifest): Membership {
  return context.decodeMembership(Buffer.from(manifest.membership, 'base64'));
}

function doubtOf(recovered: RecoveredShard, alone: boolean): CoreInit['doubt'] {
  const { damage } = recovered;
  if (damage === null) return null;
  if (alone) {
    throw new BellwetherError(
      'BW_LOG_DAMAGED',
      `${damage.where} is damaged, and there is no other copy`,
      'Restore the data directory from a backup, or remove it to begin empty.',
    );
  }
  return { mayHaveAcknowledged: damage.hardStateLost ? null : damage.mayHaveAcknowledged };
}

/** The log is there but no checkpoint that reaches it: votes as if it had everything, and begins empty. */
function withoutState(
  context: ReplicaContext,
  shard: number,
  recovered: RecoveredShard,
  common: Pick<CoreInit, 'id' | 'hardState' | 'nowMs'>,
  initial: Membership,
  alone: boolean,
): CoreInit {
  if (alone) {
    throw new BellwetherError(
      'BW_CHECKPOINT_DAMAGED',
      `no checkpoint of shard ${shard} reaches the log, which begins behind LSN ${recovered.base.lsn}`,
      'Restore the data directory from a backup, or remove it to begin empty.',
    );
  }
  const claimed = recovered.damage === null ? recovered.last : recovered.damage.mayHaveAcknowledged;
  const unknown = recovered.damage?.hardStateLost === true;
  const mayHaveAcknowledged = unknown ? null : claimed;
  const where = `no checkpoint reaches the log behind LSN ${recovered.base.lsn}`;
  context.log.inDoubt(shard, { mayHaveAcknowledged, hardStateLost: unknown, where });
  context.log.reset(shard, origin, false);
  context.logger.warn(
    { shard, base: recovered.base.lsn },
    'the state is lost; it will be fetched from the leader',
  );
  return {
    ...common,
    commit: 0,
    base: origin,
    runs: [],
    lastLsn: 0,
    // It counts for nothing until a leader has repaired this replica, and then the log or a snapshot says what does.
    membership: initial,
    membershipLsn: 0,
    memberships: [],
    doubt: { mayHaveAcknowledged },
  };
}

function termIn(recovered: RecoveredShard, lsn: number): number {
  if (lsn === recovered.base.lsn) return recovered.base.term;
  return recovered.terms.filter((run) => run.lsn <= lsn).at(-1)?.term ?? recovered.base.term;
}
