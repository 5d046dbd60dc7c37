import { Campaign } from './campaign.ts';
import type { Core } from './core.ts';
import type { NodeId, PreVoteRequest, PreVoteResponse, VoteRequest, VoteResponse } from './types.ts';
import { comparePositions } from './types.ts';

/** Looks for votes: first without effect (pre-vote), then for real; a handover skips the first. */
export function startCampaign(
  core: Core,
  now: number,
  how: { preVote: boolean; handover: boolean; keep?: boolean },
): void {
  const sinceMs = core.campaign?.sinceMs ?? now;
  core.leader = null;
  if (how.preVote) {
    core.campaign = new Campaign(core.term + 1, true, sinceMs, now + preVoteRetryMs(core, now - sinceMs));
    core.campaign.granted.add(core.id);
    for (const voter of core.membership.voters) {
      if (voter !== core.id)
        core.output.send(voter, { kind: 'preVoteRequest', term: core.term + 1, last: core.log.last });
    }
  } else {
    core.term += 1;
    core.vote = core.id;
    core.campaign = new Campaign(core.term, false, sinceMs, now + voteRetryMs(core));
    core.campaign.keep = how.keep === true;
    core.persist();
    for (const voter of core.membership.voters) {
      if (voter === core.id) continue;
      core.output.send(voter, {
        kind: 'voteRequest',
        term: core.term,
        last: core.log.last,
        handover: how.handover,
      });
    }
  }
  core.output.roleChanged();
  countVotes(core, now);
}

/** Pre-votes change nothing at the voters, so they are repeated quickly at first, then at the pace of elections. */
function preVoteRetryMs(core: Core, lookingMs: number): number {
  const { heartbeatMs, electionMinMs, electionMaxMs } = core.options;
  if (lookingMs < electionMaxMs) return heartbeatMs * (0.5 + core.random());
  return electionMinMs + core.random() * (electionMaxMs - electionMinMs);
}

function voteRetryMs(core: Core): number {
  const { electionMinMs, electionMaxMs } = core.options;
  return (electionMinMs + core.random() * (electionMaxMs - electionMinMs)) / 2;
}

export function campaignTick(core: Core, campaign: Campaign, now: number): void {
  if (!core.mayCampaign()) {
    core.follow(core.term, null, now);
    return;
  }
  if (now >= campaign.retryMs) startCampaign(core, now, { preVote: true, handover: false });
}

/** A voter answered; null when the candidate's own vote became durable. */
export function campaignReceives(
  core: Core,
  from: NodeId,
  message: PreVoteResponse | VoteResponse | null,
  now: number,
): void {
  const campaign = core.campaign;
  if (campaign === null) return;
  if (message !== null) {
    const answersThis =
      message.asked === campaign.term && (message.kind === 'preVoteResponse') === campaign.preVote;
    if (!answersThis || !message.granted) return;
    campaign.granted.add(from);
  }
  countVotes(core, now);
}

function countVotes(core: Core, now: number): void {
  const campaign = core.campaign as Campaign;
  if (!campaign.preVote && core.isDurable({ term: core.term, vote: core.id })) campaign.granted.add(core.id);
  let votes = 0;
  for (const voter of core.membership.voters) if (campaign.granted.has(voter)) votes += 1;
  if (votes < core.majority) return;
  if (campaign.preVote) startCampaign(core, now, { preVote: false, handover: false });
  else core.lead(now);
}

/** True while this replica owes a leader that it will elect no other: the other half of the lease. */
function refusesVotes(core: Core, now: number): boolean {
  if (core.leadership !== null)
    return core.leadership.heardMajority(core.membership, now, core.options.electionMinMs);
  return now - core.following.heardMs < core.options.voteRefusalMs;
}

/** Whether the log of a candidate is good enough, and this replica in a position to vote at all. */
function wouldVoteFor(core: Core, request: PreVoteRequest | VoteRequest): boolean {
  if (core.doubt !== null && core.doubt.mayHaveAcknowledged === null) return false;
  return comparePositions(request.last, core.vouchedFor) >= 0;
}

/** Answers without any change of its own; not even the leader's silence is counted anew. */
export function answerPreVote(core: Core, from: NodeId, request: PreVoteRequest, now: number): void {
  const granted = request.term > core.term && !refusesVotes(core, now) && wouldVoteFor(core, request);
  core.output.send(from, { kind: 'preVoteResponse', term: core.term, asked: request.term, granted });
}

export function answerVote(core: Core, from: NodeId, request: VoteRequest, now: number): void {
  const refuse = (): void =>
    core.output.send(from, { kind: 'voteResponse', term: core.term, asked: request.term, granted: false });
  const repeated = request.term === core.term && core.vote === from;
  if (request.term < core.term || (!request.handover && !repeated && refusesVotes(core, now))) {
    refuse();
    return;
  }
  if (request.term > core.term) core.follow(request.term, null, now);
  const free = core.vote === null || core.vote === from;
  if (!free || core.leadership !== null || core.leader !== null || !wouldVoteFor(core, request)) {
    refuse();
    return;
  }
  if (core.vote === null) {
    core.vote = from;
    core.persist();
  }
  if (core.campaign !== null) {
    core.campaign = null;
    core.output.roleChanged();
  }
  core.resetElectionTimer(now);
  core.sendAfterHardState(from, {
    kind: 'voteResponse',
    term: core.term,
    asked: request.term,
    granted: true,
  });
}
