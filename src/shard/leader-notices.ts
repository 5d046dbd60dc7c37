import { noticeOf } from '../core/leading.ts';
import type { LedShard, NodeId, NodeNotice } from '../core/types.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { Replica } from './replica.ts';

/** How often a node says where it is and what it leads, when nothing of that changes. */
export const nodeNoticeMs = 500;
/** The same for nodes of versions that hear one notice for each shard; also how often changes are looked for. */
const lookMs = 100;

/** What a node says of itself beside what it leads. */
export type NodePlace = Pick<NodeNotice, 'peer' | 'zone'>;

interface NoticeParts {
  readonly self: NodeId;
  readonly peers: Pick<PeerNetwork, 'send' | 'identityOf'>;
  /** What this node leads and serves. */
  led(): Iterable<Replica>;
  /** Every node of the cluster. */
  nodes(): readonly NodeId[];
  place(): NodePlace;
  /** As in `NodeNotice`. */
  sawNew(): boolean;
}

/**
 * Tells the other nodes which shards this one leads, so that they send clients here: all shards in one message, at once
 * when one comes or goes or has other members, else twice a second.
 */
export class LeaderNotices {
  readonly #parts: NoticeParts;
  #lookDueMs = 0;
  #dueMs = 0;
  #told = '';

  constructor(parts: NoticeParts) {
    this.#parts = parts;
  }

  /** Something was gained or lost: the next tick tells it. */
  changed(): void {
    this.#lookDueMs = 0;
    this.#dueMs = 0;
  }

  /** A node that was away hears at once. */
  linkUp(node: NodeId, now: number): void {
    if (this.#parts.peers.identityOf(node)?.hearsNodes === true) this.#send(node, this.#notice(now));
  }

  tick(now: number): void {
    if (now < this.#lookDueMs) return;
    this.#lookDueMs = now + lookMs;
    const { self, peers, nodes } = this.#parts;
    const notice = this.#notice(now);
    const news = notice.led.map(({ shard, term, members }) => `${shard} ${term} ${members}`).join();
    const due = now >= this.#dueMs || news !== this.#told;
    if (due) this.#dueMs = now + nodeNoticeMs;
    this.#told = news;
    for (const node of nodes()) {
      if (node === self) continue;
      if (peers.identityOf(node)?.hearsNodes !== true) this.#tellOldNode(node, notice);
      else if (due) this.#send(node, notice);
    }
  }

  #notice(now: number): NodeNotice {
    const led = [...this.#parts.led()].map((replica) => ledShardOf(replica, now));
    const { place, sawNew } = this.#parts;
    return { kind: 'nodeNotice', term: 0, ...place(), sawNew: sawNew(), led };
  }

  #send(node: NodeId, notice: NodeNotice): void {
    this.#parts.peers.send(node, 0, notice, 'control');
  }

  #tellOldNode(node: NodeId, { led }: NodeNotice): void {
    for (const { shard, term, members } of led)
      if (!members.includes(node))
        this.#parts.peers.send(node, shard, { kind: 'leaderNotice', term, members }, 'control');
  }
}

/** What the leader of a shard tells of it. */
export function ledShardOf({ shard, core, keyspace }: Replica, now: number): LedShard {
  const { leadership, membership, memberships, commit } = core;
  const followers = leadership === null ? [] : [...leadership.followers.values()];
  const settled = membership.learners.length === 0 && memberships.currentLsn <= commit;
  const { term, members } = noticeOf(core);
  return {
    ...{ shard, term, members },
    whole: settled && followers.every((progress) => leadership?.isInSync(progress, now)),
    keys: keyspace.size,
    bytes: Math.max(0, Math.round(keyspace.memoryBytes)),
  };
}
