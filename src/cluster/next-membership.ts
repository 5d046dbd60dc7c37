import { everyMember, isVoter } from '../core/membership.ts';
import type { Membership, NodeId } from '../core/types.ts';

/** What a shard's leader does next towards the members that the metadata wants. */
export type MembershipStep =
  | { readonly kind: 'change'; readonly next: Membership }
  /** The leader itself is to go: one of those who stay leads first. */
  | { readonly kind: 'handOver'; readonly to: readonly NodeId[] };

/**
 * The next of the steps that lead a shard from the members that it has to those that are wanted; null when there is
 * nothing to do. Nobody keeps a plan: each step follows from what is, whoever leads by then. First come those who are to
 * get a copy, as learners, then each of them votes, and only then does anybody go, so that there are never fewer copies
 * than both before and after.
 *
 * @param wanted the voters that there are to be; the others that are wanted stay learners
 * @param mayVote the learners that have kept up, and may be promoted
 */
export function nextMembership(
  has: Membership,
  wanted: Membership,
  leader: NodeId,
  mayVote: (node: NodeId) => boolean,
): MembershipStep | null {
  const { voters, learners } = has;
  const all = everyMember(wanted);
  const missing = all.filter((node) => !everyMember(has).includes(node));
  if (missing.length > 0) return change(voters, [...learners, ...missing]);

  const promoted = wanted.voters.find((node) => !isVoter(has, node) && mayVote(node));
  if (promoted !== undefined)
    return change(
      [...voters, promoted],
      learners.filter((node) => node !== promoted),
    );
  // Whoever is to go stays until those who come have everything.
  if (wanted.voters.some((node) => !isVoter(has, node))) return null;

  const extra = voters.filter((node) => !wanted.voters.includes(node));
  const first = extra.find((node) => node !== leader);
  if (first !== undefined) {
    const stays = wanted.learners.includes(first);
    return change(
      voters.filter((node) => node !== first),
      stays ? [...learners, first] : learners,
    );
  }
  if (extra.length > 0) return { kind: 'handOver', to: wanted.voters };
  const gone = learners.filter((node) => !wanted.learners.includes(node));
  return gone.length === 0
    ? null
    : change(
        voters,
        learners.filter((node) => wanted.learners.includes(node)),
      );
}

function change(voters: readonly NodeId[], learners: readonly NodeId[]): MembershipStep {
  return { kind: 'change', next: { voters: [...voters].sort(), learners: [...learners].sort() } };
}

/** What `metadataMembers` asks of a node. */
interface MetadataNode {
  readonly zone: string;
  readonly reachable: boolean;
}

/**
 * Who is to hold the metadata: every node, and five of them vote, of less than five three. They are in as many zones as
 * there are; those who vote go on doing so otherwise, and reachable ones come before others where new voters are needed.
 */
export function metadataMembers(
  nodes: readonly NodeId[],
  voting: readonly NodeId[] = [],
  about: (node: NodeId) => MetadataNode = () => ({ zone: '', reachable: true }),
): Membership {
  const most = nodes.length < 5 ? 3 : 5;
  const left = new Set([...nodes].sort());
  const voters: NodeId[] = [];
  const rank = (node: NodeId): number => {
    const { zone, reachable } = about(node);
    const votes = voting.includes(node);
    const crowd = voters.filter((other) => about(other).zone === zone).length;
    return (!votes && !reachable ? 1000 : 0) + 10 * crowd + (votes ? 0 : 2) + (reachable ? 0 : 1);
  };
  while (left.size > 0 && voters.length < most) {
    const [next] = [...left].sort((a, b) => rank(a) - rank(b)) as [NodeId];
    left.delete(next);
    voters.push(next);
  }
  return { voters: voters.sort(), learners: [...left] };
}
