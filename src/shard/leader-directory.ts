import type { LeaderNotice, LedShard, NodeId } from '../core/types.ts';
import { nodeNoticeMs } from './leader-notices.ts';

/** A leader that was not heard for this long may be gone: three notices did not come. */
const silentMs = { shard: 350, node: 3.5 * nodeNoticeMs } as const;

/** What the leader of a shard last said of it. */
interface DistantShard {
  readonly leader: NodeId;
  readonly term: number;
  readonly members: readonly NodeId[];
  /** When it is not believed any more. */
  readonly endsMs: number;
  /** Null where an older version said it. */
  readonly told: LedShard | null;
}

/** Who leads the shards that this node has no replica of, as their leaders tell it. A hint for routing, no more. */
export class LeaderDirectory {
  readonly #known = new Map<number, DistantShard>();

  /** True when the leader is another one than before, or is heard again. */
  heard(shard: number, leader: NodeId, notice: LeaderNotice | LedShard, now: number): boolean {
    const { term, members } = notice;
    const told = 'whole' in notice ? notice : null;
    const known = this.#known.get(shard);
    if (known !== undefined && known.term > term) return false;
    const news = this.leaderOf(shard, now) !== leader;
    const endsMs = now + (told === null ? silentMs.shard : silentMs.node);
    this.#known.set(shard, { leader, term, members, endsMs, told });
    return news;
  }

  /** Null while none was heard lately. */
  leaderOf(shard: number, now: number): NodeId | null {
    const known = this.#known.get(shard);
    return known !== undefined && now < known.endsMs ? known.leader : null;
  }

  /** What the leader of a shard says of it; null while it was not heard lately. */
  toldOf(shard: number, now: number): (LedShard & { readonly leader: NodeId }) | null {
    const known = this.#known.get(shard);
    if (known === undefined || known.told === null || now >= known.endsMs) return null;
    return { ...known.told, leader: known.leader };
  }

  /** Who holds a replica, as last heard; null when nothing was. */
  membersOf(shard: number): readonly NodeId[] | null {
    return this.#known.get(shard)?.members ?? null;
  }

  termOf(shard: number): number {
    return this.#known.get(shard)?.term ?? 0;
  }
}
