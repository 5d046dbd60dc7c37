import type { LedShard, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import { decideMove, type Move, movesOf, type Spread } from './balance.ts';
import type { Metadata, MetadataChange, ShardRecord } from './metadata.ts';

/** Moves that are looked at in one step, each of which takes some ms with 1,000 shards. */
const mostMoves = 8;
/** How often it looks by itself; leadership that was moved needs a while until it is where it is to be. */
const settleMs = 5000;

/** What the leader of a shard says of it. */
export type ToldShard = Pick<LedShard, 'members' | 'whole'> & { readonly leader: NodeId };

/** Why something cannot be moved now. */
export interface Obstacles {
  /** Nodes that cannot be reached. */
  readonly away: readonly NodeId[];
  /** Shards that have other members than they are to have, or one that is not in sync. */
  readonly unsettled: readonly number[];
}

interface BalancerParts {
  readonly logger: Logger;
  /** The cluster spreads itself when nothing has changed for so long; 0: never. */
  afterMs(): number;
  there(node: NodeId): boolean;
  toldOf(shard: number): ToldShard | null;
}

interface Step {
  readonly moves: readonly Move[];
  /** Empty without moves. */
  readonly change: MetadataChange;
}

/** Carries out what `balance.ts` proposes, on the leader of the metadata: one move per node at a time. */
export class Balancer {
  readonly #parts: BalancerParts;
  /** What the quiet is about, and since when it lasts. */
  #picture = '';
  #quietSinceMs = Number.POSITIVE_INFINITY;
  #ownEpoch = 0;
  #steppedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: BalancerParts) {
    this.#parts = parts;
  }

  /** This node does not lead the metadata, or does not know all of it: the quiet begins anew. */
  restless(): void {
    this.#picture = '';
  }

  /** What the cluster changes by itself; null while that is nothing. */
  automatic(metadata: Metadata, now: number): MetadataChange | null {
    const afterMs = this.#parts.afterMs();
    this.#listen(metadata, now);
    if (metadata.rebalance === false || afterMs === 0 || now - this.#quietSinceMs < afterMs) return null;
    if (now - this.#steppedMs < settleMs) return null;
    this.#steppedMs = now;
    const { moves, change } = this.step(metadata);
    return moves.length === 0 ? null : change;
  }

  /** Nodes that come and go, and what people change, begin the quiet anew; its own changes do not. */
  #listen({ nodes, epoch }: Metadata, now: number): void {
    const here = [...nodes.keys()].filter((node) => this.#parts.there(node)).join();
    const picture = `${epoch} ${here}`;
    if (picture === this.#picture) return;
    const isOwn = picture === `${this.#ownEpoch} ${here}` && this.#picture === `${epoch - 1} ${here}`;
    if (!isOwn) this.#quietSinceMs = now;
    this.#picture = picture;
  }

  /** The moves that can be made at once. */
  step(metadata: Metadata): Step {
    const { toldOf, logger } = this.#parts;
    const busy = this.#busyNodes(metadata);
    const moves: Move[] = [];
    let shards = new Map<number, ShardRecord>();
    for (const move of movesOf(this.#spread(metadata), mostMoves)) {
      const own = move.kind === 'add' ? [move.to] : [move.from, move.to];
      const leader = toldOf(move.shard)?.leader;
      const touched = leader === undefined || move.kind === 'leader' ? own : [...own, leader];
      // What a move gains rests on what is on its nodes: it waits for all moves before it that have one of them.
      const isFree = touched.every((node) => !busy.has(node)) && !shards.has(move.shard);
      for (const node of touched) busy.add(node);
      const decided = isFree ? decideMove(metadata, move) : { refused: 'later' };
      if ('refused' in decided) continue;
      shards = new Map([...shards, ...(decided.change.shards ?? [])]);
      moves.push(move);
      logger.info({ ...move }, 'a move towards an even spread');
    }
    this.#ownEpoch = metadata.epoch + 1;
    return { moves, change: moves.length === 0 ? {} : { shards } };
  }

  obstacles({ nodes, shards }: Metadata): Obstacles {
    const away = [...nodes].filter(([node, { state }]) => state !== 'removed' && !this.#parts.there(node));
    const unsettled = [...shards].filter(([shard, { members }]) => !this.#isSettled(shard, members));
    return { away: away.map(([node]) => node), unsettled: unsettled.map(([shard]) => shard) };
  }

  #spread(metadata: Metadata): Spread {
    const { shards } = metadata;
    return {
      metadata,
      there: (node) => this.#parts.there(node),
      settled: (shard) => this.#isSettled(shard, shards.get(shard)?.members ?? []),
    };
  }

  #isSettled(shard: number, wanted: readonly NodeId[]): boolean {
    const told = this.#parts.toldOf(shard);
    return told?.whole === true && [...told.members].sort().join() === [...wanted].sort().join();
  }

  /** Nodes of shards that are on their way to other members, by what is committed or was asked for. */
  #busyNodes({ shards }: Metadata): Set<NodeId> {
    const busy = new Set<NodeId>();
    for (const [shard, { members }] of shards) {
      const told = this.#parts.toldOf(shard);
      if (told === null) continue;
      const coming = members.filter((node) => !told.members.includes(node));
      const going = told.members.filter((node) => !members.includes(node));
      if (coming.length + going.length === 0) continue;
      for (const node of [...coming, ...going, told.leader]) busy.add(node);
    }
    return busy;
  }
}
