import type { LeaderNotice, NodeId } from '../core/types.ts';

/** A leader that was not heard for this long may be gone: three notices did not come. */
const silentMs = 350;

/** What the leader of a shard last said of it. */
interface DistantShard {
  readonly leader: NodeId;
  readonly term: number;
  readonly members: readonly NodeId[];
  readonly heardMs: number;
}

/** Who leads the shards that this node has no replica of, as their leaders tell it. A hint for routing, no more. */
export class LeaderDirectory {
  readonly #known = new Map<number, DistantShard>();

  /** True when the leader is another one than before, or is heard again. */
  heard(shard: number, leader: NodeId, { term, members }: LeaderNotice, now: number): boolean {
    const known = this.#known.get(shard);
    if (known !== undefined && known.term > term) return false;
    const news = this.leaderOf(shard, now) !== leader;
    this.#known.set(shard, { leader, term, members, heardMs: now });
    return news;
  }

  /** Null while none was heard lately. */
  leaderOf(shard: number, now: number): NodeId | null {
    const known = this.#known.get(shard);
    return known !== undefined && now - known.heardMs < silentMs ? known.leader : null;
  }

  /** Who holds a replica, as last heard; null when nothing was. */
  membersOf(shard: number): readonly NodeId[] | null {
    return this.#known.get(shard)?.members ?? null;
  }

  termOf(shard: number): number {
    return this.#known.get(shard)?.term ?? 0;
  }
}
