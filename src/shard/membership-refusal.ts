import { everyMember } from '../core/membership.ts';
import type { MembershipRefusal } from '../core/membership-change.ts';
import { refusalOf } from '../core/membership-change.ts';
import type { Membership } from '../core/types.ts';
import type { ErrorCode } from '../errors.ts';
import { BellwetherError } from '../errors.ts';
import type { Replica } from './replica.ts';
import type { ReplicaContext } from './replica-context.ts';

const answers: Readonly<
  Record<MembershipRefusal['kind'], { readonly code: ErrorCode; readonly advice: string }>
> = {
  notLeader: { code: 'BW_NOT_LEADER', advice: 'Ask the leader of the shard.' },
  pending: { code: 'BW_MEMBERSHIP_PENDING', advice: 'Try again when that is over.' },
  notInSync: {
    code: 'BW_MEMBERSHIP_NOT_IN_SYNC',
    advice: 'Try again when the replicas have caught up, or bring back those that are gone.',
  },
  never: { code: 'BW_MEMBERSHIP_REFUSED', advice: 'Take the step that comes before this one.' },
};

/** Why a replica does not propose other members now, as people are told; null when it may. */
export function membershipRefusal(
  replica: Replica,
  context: ReplicaContext,
  next: Membership,
  now: number,
): BellwetherError | null {
  const refusal = refusalOf(replica.core, next, now) ?? driverRefusal(replica, context, next);
  if (refusal === null) return null;
  const { code, advice } = answers[refusal.kind];
  return new BellwetherError(
    code,
    `the members of shard ${replica.shard} stay as they are, since ${refusal.why}`,
    advice,
  );
}

function driverRefusal(
  replica: Replica,
  context: ReplicaContext,
  next: Membership,
): MembershipRefusal | null {
  // Who left the cluster may still be a member here: that must not keep others from coming.
  const has = everyMember(replica.core.membership);
  const stranger = everyMember(next).find((node) => !has.includes(node) && !context.knowsNode(node));
  if (stranger !== undefined) return { kind: 'never', why: `this cluster has no node ${stranger}` };
  // An entry goes into the state's order of things, and the state of a leader that does not serve is not there yet.
  return replica.serving ? null : { kind: 'pending', why: 'the leader does not serve yet' };
}
