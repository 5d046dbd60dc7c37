import type { Core } from './core.ts';
import type { Leadership } from './leadership.ts';
import { everyMember, isOneStep, isVoter, majorityOf } from './membership.ts';
import type { Membership, NodeId } from './types.ts';

/** How long a learner must have been in sync before it may become a voter, in ms. */
export const promotionMs = 1000;

/**
 * Why a membership is not proposed: `notLeader` and `pending` (a change is under way, or the term has no commit of its
 * own yet) and `notInSync` may pass; `never` is what no leader proposes, whatever the moment.
 */
export interface MembershipRefusal {
  readonly kind: 'notLeader' | 'pending' | 'notInSync' | 'never';
  readonly why: string;
}

/** Why this replica does not propose the membership now; null when it may. */
export function refusalOf(core: Core, next: Membership, now: number): MembershipRefusal | null {
  const { leadership } = core;
  if (leadership === null)
    return { kind: 'notLeader', why: `${core.leader ?? 'nobody that is known here'} leads` };
  if (!core.mayChangeMembership()) return { kind: 'pending', why: whyNotNow(core) };
  const wrong = whyNever(core, next);
  if (wrong !== null) return { kind: 'never', why: wrong };
  const late = whyNotInSync(core, leadership, next, now);
  return late === null ? null : { kind: 'notInSync', why: late };
}

function whyNotNow(core: Core): string {
  if (!core.accepting) return 'leadership is being handed over';
  if (!core.hasOwnCommit) return 'the leader has committed nothing of its own term yet';
  return `the membership at LSN ${core.memberships.currentLsn} is not committed yet`;
}

function whyNever(core: Core, next: Membership): string | null {
  const { membership } = core;
  if (!isVoter(next, core.id))
    return `${core.id} leads, and a leader that is to go hands over leadership first`;
  if (!isOneStep(membership, next))
    return 'one voter comes or goes at a time, and nobody is named twice or as voter and learner';
  const stranger = next.voters.find((node) => !everyMember(membership).includes(node));
  if (stranger !== undefined) return `${stranger} becomes a learner before it becomes a voter`;
  return isSame(membership, next) ? 'these are the members already' : null;
}

/** A change of voters must not cost the shard its majority, now or with the next failure of who is behind. */
function whyNotInSync(core: Core, leadership: Leadership, next: Membership, now: number): string | null {
  const { membership } = core;
  const promoted = next.voters.find((node) => !isVoter(membership, node));
  if (promoted !== undefined && !hasKeptUp(leadership, promoted, now))
    return `${promoted} has not been in sync for ${promotionMs} ms`;
  const changed = promoted !== undefined || next.voters.length !== membership.voters.length;
  const inSync = leadership.inSyncVoters(next, now);
  if (!changed || inSync >= majorityOf(next)) return null;
  return `of the ${next.voters.length} voters then, ${inSync} would be in sync, and it takes ${majorityOf(next)} to commit`;
}

function hasKeptUp(leadership: Leadership, node: NodeId, now: number): boolean {
  const progress = leadership.followers.get(node);
  return (
    progress !== undefined &&
    leadership.isInSync(progress, now) &&
    now - progress.inSyncSinceMs >= promotionMs
  );
}

function isSame(a: Membership, b: Membership): boolean {
  const alike = (one: readonly NodeId[], other: readonly NodeId[]): boolean =>
    one.length === other.length && one.every((node) => other.includes(node));
  return alike(a.voters, b.voters) && alike(a.learners, b.learners);
}
