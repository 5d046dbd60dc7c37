import type { NodeId } from '../core/types.ts';
import {
  type Metadata,
  type MetadataChange,
  type NodeRecord,
  type ShardRecord,
  wantedCopies,
} from './metadata.ts';

/** What the metadata becomes, or why it stays as it is: one sentence without its full stop. */
export type Decision = { readonly change: MetadataChange } | { readonly refused: string };

function refused(why: string): Decision {
  return { refused: why };
}

/** The part of the metadata that says what is where. */
type Places = Pick<Metadata, 'nodes' | 'shards'>;

/** Nodes that take replicas. */
export function takers({ nodes }: Pick<Metadata, 'nodes'>): NodeId[] {
  return [...nodes].filter(([, { state }]) => state === 'member').map(([node]) => node);
}

/** Those with the least of something first, in their order where it is equal. */
export function fewestFirst(nodes: readonly NodeId[], count: (node: NodeId) => number): NodeId[] {
  return [...nodes].sort((a, b) => count(a) - count(b));
}

/** How often each node is named, by a shard's members or as the preferred one. */
function counted(shards: Iterable<ShardRecord>, names: (record: ShardRecord) => readonly NodeId[]) {
  const counts = new Map<NodeId, number>();
  for (const record of shards)
    for (const node of names(record)) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}

/** The same shard on other members, preferred where it was or else on the member that is so for the fewest. */
function withMembers(metadata: Places, record: ShardRecord, members: readonly NodeId[]): ShardRecord {
  const sorted = [...members].sort();
  const { preferred, copies = 0 } = record;
  const wanted = copies > members.length ? { copies } : {};
  if (preferred === null || members.includes(preferred)) return { members: sorted, preferred, ...wanted };
  const led = counted(metadata.shards.values(), (one) => (one.preferred === null ? [] : [one.preferred]));
  const [next = null] = fewestFirst(sorted, (node) => led.get(node) ?? 0);
  return { members: sorted, preferred: next, ...wanted };
}

function ofShard(metadata: Places, shard: number, members: readonly NodeId[]): Decision {
  const record = metadata.shards.get(shard) as ShardRecord;
  return { change: { shards: new Map([[shard, withMembers(metadata, record, members)]]) } };
}

function whyNoPlace(metadata: Places, node: NodeId): string | null {
  const known = metadata.nodes.get(node);
  if (known === undefined) return `there is no node ${node}`;
  return known.state === 'member' ? null : `${node} is ${known.state}`;
}

export function addReplica(metadata: Places, shard: number, node: NodeId): Decision {
  const record = metadata.shards.get(shard);
  if (record === undefined) return refused(`there is no shard ${shard}`);
  const why = whyNoPlace(metadata, node);
  if (why !== null) return refused(why);
  if (record.members.includes(node)) return refused(`${node} has a replica of shard ${shard} already`);
  return ofShard(metadata, shard, [...record.members, node]);
}

/** Below so many replicas of a shard writes are refused, or never acknowledged. */
export interface LeastCopies {
  readonly copies: number;
  /** The setting that asks for them. */
  readonly why: string;
}

export const oneCopy: LeastCopies = { copies: 1, why: 'a shard' };

export function removeReplica(
  metadata: Places,
  shard: number,
  node: NodeId,
  least: LeastCopies = oneCopy,
): Decision {
  const record = metadata.shards.get(shard);
  if (record === undefined) return refused(`there is no shard ${shard}`);
  if (!record.members.includes(node)) return refused(`${node} has no replica of shard ${shard}`);
  const left = record.members.filter((member) => member !== node);
  const few = tooFew(shard, left.length, least);
  if (few !== null) return refused(few);
  // Whoever takes one away wants so many.
  const { copies: _, ...asked } = record;
  return { change: { shards: new Map([[shard, withMembers(metadata, asked, left)]]) } };
}

/** Why a shard may not have so few replicas; null when it may. */
function tooFew(shard: number, left: number, { copies, why }: LeastCopies): string | null {
  if (left >= copies) return null;
  if (left === 0) return `it is the only replica of shard ${shard}`;
  return `shard ${shard} would have ${left} ${left === 1 ? 'replica' : 'replicas'}, and ${why} asks for ${copies}`;
}

/** The shard is to be led by this member. */
export function preferLeader(metadata: Places, shard: number, node: NodeId): Decision {
  const record = metadata.shards.get(shard);
  if (record === undefined) return refused(`there is no shard ${shard}`);
  if (!record.members.includes(node)) return refused(`${node} has no replica of shard ${shard}`);
  return { change: { shards: new Map([[shard, { ...record, preferred: node }]]) } };
}

export function moveReplica(metadata: Places, shard: number, from: NodeId, to: NodeId): Decision {
  const added = addReplica(metadata, shard, to);
  if ('refused' in added) return added;
  const record = metadata.shards.get(shard) as ShardRecord;
  if (!record.members.includes(from)) return refused(`${from} has no replica of shard ${shard}`);
  return ofShard(metadata, shard, [...record.members.filter((member) => member !== from), to]);
}

/** A node that comes in. Coming again with the same data directory it is only known better. */
export function addNode(metadata: Places, node: NodeId, record: NodeRecord): Decision {
  const known = metadata.nodes.get(node);
  if (known !== undefined && (known.instance !== record.instance || known.state === 'removed'))
    return refused(
      `${node} ${known.state === 'removed' ? 'was removed' : 'is known with another data directory'}, and ids are never used again`,
    );
  const twin = [...metadata.nodes].find(
    ([other, { peer, state }]) => other !== node && state !== 'removed' && peer === record.peer,
  );
  if (twin !== undefined) return refused(`${twin[0]} has the peer address ${record.peer}`);
  return { change: { nodes: new Map([[node, record]]) } };
}

/**
 * A node that is to go, or that is gone: each of its replicas to a node that has none of the same shard, in the zone with
 * the fewest of them and there to the one with the fewest at all. Where there is no such node the shard has one less, until
 * there is.
 * @param mayTake nodes that are there
 */
function withoutNode(
  metadata: Places,
  node: NodeId,
  mayTake: (node: NodeId) => boolean,
  evenWithoutHeir: boolean,
): Map<number, ShardRecord> {
  const held = counted(metadata.shards.values(), ({ members }) => members);
  const changed = new Map<number, ShardRecord>();
  for (const [shard, record] of metadata.shards) {
    if (!record.members.includes(node)) continue;
    const left = record.members.filter((member) => member !== node);
    const fit = takers(metadata).filter(
      (other) => other !== node && !record.members.includes(other) && mayTake(other),
    );
    const fewest = fewestFirst(fit, (other) => held.get(other) ?? 0);
    const [heir] = fewestFirst(fewest, (other) => inZoneOf(metadata, other, left));
    if (heir === undefined && !evenWithoutHeir) continue;
    if (heir !== undefined) held.set(heir, (held.get(heir) ?? 0) + 1);
    const wanted = { ...record, copies: wantedCopies(record) };
    changed.set(shard, withMembers(metadata, wanted, heir === undefined ? left : [...left, heir]));
  }
  return changed;
}

/** How many of some nodes are in the zone of one. */
function inZoneOf({ nodes }: Places, node: NodeId, others: readonly NodeId[]): number {
  const zone = nodes.get(node)?.zone;
  return others.filter((other) => nodes.get(other)?.zone === zone).length;
}

/** A node begins to leave. */
export function removeNode(
  metadata: Places,
  node: NodeId,
  there: (node: NodeId) => boolean,
  least: LeastCopies = oneCopy,
): Decision {
  const record = metadata.nodes.get(node);
  if (record === undefined) return refused(`there is no node ${node}`);
  if (record.state !== 'member') return refused(`${node} is ${record.state} already`);
  const shards = withoutNode(metadata, node, there, true);
  for (const [shard, { members }] of shards) {
    const had = metadata.shards.get(shard)?.members.length ?? 0;
    const few = members.length < had ? tooFew(shard, members.length, least) : null;
    if (few !== null) return refused(few);
  }
  return { change: { nodes: new Map([[node, { ...record, state: 'leaving' }]]), shards } };
}

/** A node that was away for too long is replaced where there is room; null when there is none. */
export function replaceNode(
  metadata: Places,
  node: NodeId,
  there: (node: NodeId) => boolean,
): MetadataChange | null {
  const shards = withoutNode(metadata, node, there, false);
  return shards.size === 0 ? null : { shards };
}

/** The leaving node has no replica any more, by what the shards' leaders say. */
export function nodeHasLeft(metadata: Places, node: NodeId): MetadataChange {
  const record = metadata.nodes.get(node) as NodeRecord;
  return { nodes: new Map([[node, { ...record, state: 'removed' }]]) };
}
