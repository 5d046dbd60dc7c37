import type { Metadata } from '../cluster/metadata.ts';
import { metadataShard } from '../cluster/metadata.ts';
import type { ShardMap } from '../cluster/shard-map.ts';
import type { Membership, Message, NodeId } from '../core/types.ts';
import type { Batch } from '../log/batch.ts';
import { MetadataWatch } from './metadata-watch.ts';
import type { SentReply } from './reply-policy.ts';
import { Seat } from './seat.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimNode } from './sim-node.ts';
import { TrueValues } from './true-values.ts';
import { Watcher } from './watcher.ts';

/** One shard of a run: who has a part in it, its true history, and who looks after it. */
export interface WatchedShard {
  readonly shard: number;
  readonly seats: readonly Seat[];
  readonly values: TrueValues;
  readonly watcher: Watcher;
}

interface WatchWorld {
  readonly nodes: readonly SimNode[];
  /** Who takes part in each shard when the cluster begins. */
  readonly founders: ReadonlyMap<number, Membership>;
  /** The keys that clients use of each shard. */
  keysOf(shard: number): readonly string[];
  now(): number;
  clocksHold(): boolean;
  violated(what: string): void;
}

/** A node has come to know of an epoch, behind another one in the same life. */
interface Adoption {
  readonly node: NodeId;
  readonly before: number;
  readonly metadata: Metadata;
  readonly map: ShardMap;
}

/** Looks after every shard of a run, and after what is about several of them. */
export class Watch {
  readonly shards = new Map<number, WatchedShard>();
  readonly metadata: MetadataWatch;
  readonly #world: WatchWorld;
  readonly #all: readonly WatchedShard[];
  readonly #adoptions: Adoption[] = [];

  constructor(world: WatchWorld, random: SeededRandom) {
    this.#world = world;
    this.metadata = new MetadataWatch(
      () => new Map([...this.shards].map(([shard, { watcher }]) => [shard, watcher.members])),
    );
    for (const [shard, founders] of world.founders) {
      const values = new TrueValues(world.keysOf(shard), (state) =>
        shard === metadataShard ? this.metadata.committed(state) : null,
      );
      const seats = world.nodes.map((node) => new Seat(node, shard, founders));
      const truth = { values, now: () => world.now(), clocksHold: () => world.clocksHold() };
      const watcher = new Watcher(seats, random.fork(), truth, (what) =>
        world.violated(world.founders.size === 1 ? what : `shard ${shard}: ${what}`),
      );
      this.shards.set(shard, { shard, seats, values, watcher });
    }
    this.#all = [...this.shards.values()];
  }

  of(shard: number): WatchedShard {
    return this.shards.get(shard) as WatchedShard;
  }

  /** Those that clients use. */
  get visible(): readonly WatchedShard[] {
    return this.#all.filter(({ shard }) => shard !== metadataShard);
  }

  afterEvent(): void {
    for (const { watcher } of this.#all) watcher.afterEvent();
    for (const { life } of this.#world.nodes) if (life !== null) life.process.ran = false;
    // What was committed in this event was looked at first: nodes go by it at once.
    for (const { node, before, metadata, map } of this.#adoptions.splice(0)) {
      const problem = this.metadata.adopted(node, before, metadata, map);
      if (problem !== null) this.#world.violated(problem);
    }
  }

  /** The costlier look, for now and then. */
  compareLogs(): void {
    for (const { watcher } of this.#all) watcher.compareLogs();
  }

  /** A reply left for a client. */
  replied(reply: SentReply): void {
    this.of(reply.shard).watcher.replied(reply);
  }

  /** A message left for a peer. */
  sent(from: NodeId, to: NodeId, shard: number, message: Message): void {
    this.of(shard).watcher.sent(from, to, message);
  }

  /** Some log takes a batch. */
  appended(batch: Batch): void {
    const { values, watcher } = this.of(batch.shard);
    values.appended(batch);
    watcher.appended(batch);
  }

  adopted(node: NodeId, before: number, metadata: Metadata, map: ShardMap): void {
    this.#adoptions.push({ node, before, metadata, map });
  }

  get repliesJudged(): number {
    return this.#all.reduce((sum, { watcher }) => sum + watcher.repliesJudged, 0);
  }

  get committed(): number {
    return this.#all.reduce((sum, { watcher }) => sum + watcher.committed.lastLsn, 0);
  }
}
