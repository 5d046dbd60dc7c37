import type { NodeId } from '../core/types.ts';
import { type Metadata, type ShardRecord, wantedCopies } from './metadata.ts';
import { addReplica, type Decision, fewestFirst, moveReplica, preferLeader, takers } from './placement.ts';

/** One step towards an even spread. */
export type Move =
  | { readonly kind: 'add'; readonly shard: number; readonly to: NodeId }
  | {
      /** A replica goes to another node, or a shard is to be led by another one. */
      readonly kind: 'replica' | 'leader';
      readonly shard: number;
      readonly from: NodeId;
      readonly to: NodeId;
    };

/** What is to be spread, and what of it can be moved now. */
export interface Spread {
  readonly metadata: Pick<Metadata, 'nodes' | 'shards'>;
  /** The node can be reached, so it may be given something. */
  there(node: NodeId): boolean;
  /** The shard has the members that it is to have, all of them in sync. What is not is left alone. */
  settled(shard: number): boolean;
}

/**
 * The next move, null when everything is spread as well as single moves can: replicas that are lacking first, then zones
 * apart, then as many replicas on each node as on the others, then as many shards to lead. Each move makes better what
 * comes first in this order and does not get better by others, so that whoever goes on from any state comes to an end.
 */
export function nextMove(spread: Spread): Move | null {
  const view = new View(spread);
  return lackingReplica(view) ?? zonesApart(view) ?? evenReplicas(view) ?? evenLeaders(view);
}

/** The first so many moves, each by the state that those before it lead to. */
export function movesOf(spread: Spread, most: number): Move[] {
  const moves: Move[] = [];
  for (let { metadata } = spread; moves.length < most; ) {
    const move = nextMove({ ...spread, metadata });
    if (move === null) break;
    moves.push(move);
    metadata = afterMove(metadata, move);
  }
  return moves;
}

/** The metadata's part of a move. */
export function decideMove(metadata: Spread['metadata'], move: Move): Decision {
  if (move.kind === 'add') return addReplica(metadata, move.shard, move.to);
  if (move.kind === 'replica') return moveReplica(metadata, move.shard, move.from, move.to);
  return preferLeader(metadata, move.shard, move.to);
}

/** What the metadata says when a move is made. Throws when it cannot be made. */
export function afterMove(metadata: Spread['metadata'], move: Move): Spread['metadata'] {
  const decided = decideMove(metadata, move);
  if ('refused' in decided) throw new Error(`a move that cannot be made: ${decided.refused}`);
  return { ...metadata, shards: new Map([...metadata.shards, ...(decided.change.shards ?? [])]) };
}

/** The spread, counted. */
class View {
  /** Nodes that may be given something, those with the fewest replicas first. */
  readonly takers: readonly NodeId[];
  /** Shards that may be moved, in their order. */
  readonly shards: readonly (readonly [number, ShardRecord])[];
  readonly held = new Map<NodeId, number>();
  readonly led = new Map<NodeId, number>();
  readonly #zones: ReadonlyMap<NodeId, string>;
  readonly #takersByZone = new Map<string, NodeId[]>();

  constructor({ metadata, there, settled }: Spread) {
    const { nodes, shards } = metadata;
    this.#zones = new Map([...nodes].map(([node, { zone }]) => [node, zone]));
    for (const { members, preferred } of shards.values()) {
      for (const node of members) this.held.set(node, this.heldBy(node) + 1);
      if (preferred !== null) this.led.set(preferred, this.ledBy(preferred) + 1);
    }
    this.takers = fewestFirst(takers({ nodes }).filter(there), (node) => this.heldBy(node));
    for (const node of this.takers) {
      const zone = this.#takersByZone.get(this.zoneOf(node)) ?? [];
      zone.push(node);
      this.#takersByZone.set(this.zoneOf(node), zone);
    }
    this.shards = [...shards].filter(([shard]) => settled(shard)).sort(([one], [other]) => one - other);
  }

  heldBy(node: NodeId): number {
    return this.held.get(node) ?? 0;
  }

  ledBy(node: NodeId): number {
    return this.led.get(node) ?? 0;
  }

  zoneOf(node: NodeId): string {
    return this.#zones.get(node) ?? '';
  }

  /** Of those that may be given a replica beside these, the one in whose zone the fewest of them are; null without any. */
  loneliestTaker(members: readonly NodeId[]): NodeId | null {
    let best: NodeId | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const takers of this.#takersByZone.values()) {
      const to = takers.find((node) => !members.includes(node));
      if (to === undefined) continue;
      const crowd = this.inZoneOf(to, members);
      const fewer = best !== null && crowd === least && this.heldBy(to) < this.heldBy(best);
      if (crowd < least || fewer) best = to;
      least = Math.min(least, crowd);
    }
    return best;
  }

  /** How many of some nodes are in the zone of one. */
  inZoneOf(node: NodeId, members: readonly NodeId[]): number {
    const zone = this.zoneOf(node);
    return members.filter((member) => this.zoneOf(member) === zone).length;
  }
}

function lackingReplica(view: View): Move | null {
  for (const [shard, record] of view.shards) {
    if (record.members.length >= wantedCopies(record)) continue;
    const to = view.loneliestTaker(record.members);
    if (to !== null) return { kind: 'add', shard, to };
  }
  return null;
}

/** A replica that shares its zone with others of the shard, to a zone with at least two fewer of them. */
function zonesApart(view: View): Move | null {
  for (const [shard, { members }] of view.shards) {
    const crowd = (node: NodeId): number => view.inZoneOf(node, members);
    const most = Math.max(...members.map(crowd));
    const to = most < 2 ? null : view.loneliestTaker(members);
    if (to === null || most < crowd(to) + 2) continue;
    const crowded = members.filter((node) => crowd(node) === most);
    const [from] = fewestFirst(crowded, (node) => -view.heldBy(node));
    return { kind: 'replica', shard, from: from as NodeId, to };
  }
  return null;
}

/** A replica from a node with at least two more than the one that it goes to, zones being as far apart as before. */
function evenReplicas(view: View): Move | null {
  const fewest = view.heldBy(view.takers[0] ?? '');
  let best: Move | null = null;
  let bestGain = 0;
  for (const [shard, { members, preferred }] of view.shards)
    for (const from of members) {
      // Where the leader can stay, it does.
      const burden = from === preferred ? 0.5 : 0;
      if (view.heldBy(from) - fewest < 2 || view.heldBy(from) - fewest - burden <= bestGain) continue;
      const rest = members.filter((node) => node !== from);
      const crowd = view.inZoneOf(from, rest);
      const to = view.takers.find((node) => !members.includes(node) && view.inZoneOf(node, rest) <= crowd);
      if (to === undefined) continue;
      const gain = view.heldBy(from) - view.heldBy(to);
      if (gain < 2 || gain - burden <= bestGain) continue;
      bestGain = gain - burden;
      best = { kind: 'replica', shard, from, to };
    }
  return best;
}

/**
 * A shard to lead, from a node with at least two more than another one. Where none of its shards has a replica there, it
 * goes by way of nodes in between: the last step comes first, as the others are then shorter.
 */
function evenLeaders(view: View): Move | null {
  const steps = new Map<NodeId, Move[]>();
  for (const [shard, { members, preferred: from }] of view.shards) {
    if (from === null) continue;
    const moves = steps.get(from) ?? [];
    for (const to of members)
      if (to !== from && view.takers.includes(to)) moves.push({ kind: 'leader', shard, from, to });
    steps.set(from, moves);
  }
  const levels = [...new Set(view.led.values())].sort((a, b) => b - a);
  for (const level of levels) {
    const reached = new Set([...view.led].filter(([, led]) => led === level).map(([node]) => node));
    // The set grows while it is walked through, so whoever is nearest comes first.
    for (const node of reached)
      for (const step of steps.get(node) ?? []) {
        if (view.ledBy(step.to) <= level - 2) return step;
        reached.add(step.to);
      }
  }
  return null;
}
