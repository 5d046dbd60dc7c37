import { type Metadata, metadataShard } from '../cluster/metadata.ts';
import type { NodeShards } from '../cluster/node-shards.ts';
import { removeNode } from '../cluster/placement.ts';
import type { MetadataRequest } from '../commands/types.ts';
import type { NodeId } from '../core/types.ts';
import type { EventLoop } from './event-loop.ts';
import type { SeededRandom } from './seeded-random.ts';
import { addressOf } from './sharded-node.ts';
import type { SimNode } from './sim-node.ts';
import type { Trace } from './trace.ts';

/** What is asked for; which shard and nodes it is about is left to chance. */
export const placementChanges = ['add', 'add', 'remove', 'move', 'move', 'join', 'leave'] as const;
/** The same, where slots move as well, which takes less time. */
export const withSlots: readonly PlacementChange[] = [
  ...placementChanges,
  ...Array.from({ length: 8 }, () => 'slots' as const),
  'cancel',
];
export type PlacementChange = (typeof placementChanges)[number] | 'slots' | 'cancel';

export interface Wish {
  readonly change: PlacementChange;
  /** Who leads the metadata loses power soon after it took the wish. */
  readonly fatal: boolean;
  /** No shard is to have fewer replicas. */
  readonly least: number;
}

interface World {
  readonly nodes: readonly SimNode[];
  readonly loop: EventLoop;
  readonly trace: Trace;
  readonly random: SeededRandom;
  /** Where clients have keys. */
  readonly slots: readonly number[];
  startLater(node: SimNode): void;
  loseSoon(node: SimNode): void;
}

/**
 * Asks the leader of the metadata for a change, again and again until one is on its way, as whoever administers a cluster
 * does. What follows from it is the cluster's affair; only processes are started and stopped from outside.
 */
export class PlacementWish {
  readonly #world: World;
  readonly #wish: Wish;
  readonly #hit: () => void;
  #over = false;

  /** @param hit the change is on its way */
  constructor(world: World, wish: Wish, hit: () => void) {
    this.#world = world;
    this.#wish = wish;
    this.#hit = hit;
    this.#try();
  }

  end(): void {
    this.#over = true;
  }

  #again(work: () => void): void {
    this.#world.loop.after(this.#world.random.between(10, 200), work);
  }

  #try(): void {
    if (this.#over) return;
    const { nodes } = this.#world;
    const leader = nodes.find((node) => node.replicaOf(metadataShard)?.serving === true);
    leader?.life?.process.enter(() => {
      const shards = leader.life?.shards ?? null;
      if (!this.#over && shards !== null) this.#ask(leader, shards);
      leader.life?.host?.touched();
    });
    this.#again(() => this.#try());
  }

  #ask(leader: SimNode, { metadata }: NodeShards): void {
    const { current } = metadata;
    if (current === null) return;
    const request = this.#request(current, leader);
    if (request === null) {
      this.#over = true;
      return;
    }
    const answer = metadata.request(request);
    this.#world.trace.say(leader.id, `${JSON.stringify(request)}: ${answer}`);
    if (typeof answer === 'string') {
      this.#over = !answer.startsWith('TRYAGAIN');
      return;
    }
    this.#over = true;
    this.#hit();
    if (this.#wish.fatal) this.#world.loseSoon(leader);
    if (request.kind === 'addNode') this.#awaitJoin(request.node);
    if (request.kind === 'removeNode' && this.#world.random.chance(0.5)) this.#awaitRemoval(request.node);
  }

  /** What to ask for; null when nothing of the kind makes sense. */
  #request(metadata: Metadata, leader: SimNode): MetadataRequest | null {
    const { random } = this.#world;
    const { change, least } = this.#wish;
    const members = [...metadata.nodes].filter(([, { state }]) => state === 'member').map(([node]) => node);
    if (change === 'join') return this.#join(metadata);
    if (change === 'slots') return this.#moveSlots(metadata);
    if (change === 'cancel') return { kind: 'cancelSlots', from: random.pick([null, 1, 2]) };
    if (change === 'leave') {
      const there = (node: NodeId): boolean =>
        node === leader.id || leader.life?.peers?.connected(node) === true;
      const node = random.pick(members);
      const decided = removeNode(metadata, node, there);
      const few = 'refused' in decided || members.length <= Math.max(2, least);
      const left = 'refused' in decided ? [] : [...(decided.change.shards ?? [])];
      return few || left.some(([, shard]) => shard.members.length < least)
        ? null
        : { kind: 'removeNode', node };
    }
    const [shard, record] = random.pick([...metadata.shards]);
    const others = members.filter((node) => !record.members.includes(node));
    const from = random.pick(record.members);
    if (change === 'remove')
      return record.members.length <= Math.max(1, least)
        ? null
        : { kind: 'removeReplica', shard, node: from };
    if (others.length === 0) return null;
    const to = random.pick(others);
    return change === 'add'
      ? { kind: 'addReplica', shard, node: to }
      : { kind: 'moveReplica', shard, from, to };
  }

  #join({ nodes: known }: Metadata): MetadataRequest | null {
    const comer = this.#world.nodes.find(({ id }) => !known.has(id));
    if (comer === undefined) return null;
    const { id: node, instance, place } = comer;
    return { kind: 'addNode', node, client: addressOf(node), instance, ...place };
  }

  /** A slot with a key, or those around it, to another shard. */
  #moveSlots({ owners, shards }: Metadata): MetadataRequest | null {
    const { random, slots } = this.#world;
    const slot = random.pick(slots);
    const from = owners[slot] as number;
    const around = random.pick([0, 0, 300, 3000]);
    let first = slot;
    let last = slot;
    while (slot - first < around && owners[first - 1] === from) first -= 1;
    while (last - slot < around && owners[last + 1] === from) last += 1;
    const others = [...shards.keys()].filter((shard) => shard !== from);
    return { kind: 'moveSlots', which: [{ from: first, to: last }], from, to: random.pick(others) };
  }

  /** Who is to join asks any node for the metadata until that knows it, and then begins. */
  #awaitJoin(id: NodeId): void {
    const { nodes, random } = this.#world;
    const comer = nodes.find((node) => node.id === id) as SimNode;
    if (comer.mayStart) return;
    const current = random.pick(nodes).life?.shards?.metadata?.current ?? null;
    if (current?.nodes.get(id)?.instance !== comer.instance) {
      this.#again(() => this.#awaitJoin(id));
      return;
    }
    comer.admit(current);
    this.#world.startLater(comer);
  }

  /** The process of a node that was removed is stopped. */
  #awaitRemoval(id: NodeId): void {
    const { nodes, random } = this.#world;
    const current = random.pick(nodes).life?.shards?.metadata?.current ?? null;
    if (current?.nodes.get(id)?.state === 'removed') nodes.find((node) => node.id === id)?.retire();
    else this.#again(() => this.#awaitRemoval(id));
  }
}
