import type { NodeId } from '../core/types.ts';
import type { Metadata, MetadataChange, NodeRecord, ShardRecord } from './metadata.ts';

/** What the metadata becomes, or why it stays as it is: one sentence without its full stop. */
export type Decision = { readonly change: MetadataChange } | { readonly refused: string };

function refused(why: string): Decision {
  return { refused: why };
}

/** Nodes that take replicas. */
function takers({ nodes }: Metadata): NodeId[] {
  return [...nodes].filter(([, { state }]) => state === 'member').map(([node]) => node);
}

/** How often each node is named, by a shard's members or as the preferred one. */
function counted(shards: Iterable<ShardRecord>, names: (record: ShardRecord) => readonly NodeId[]) {
  const counts = new Map<NodeId, number>();
  for (const record of shards)
    for (const node of names(record)) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}

/** The same shard on other members, preferred where it was or else on the member that is so for the fewest. */
function withMembers(metadata: Metadata, record: ShardRecord, members: readonly NodeId[]): ShardRecord {
  const sorted = [...members].sort();
  const { preferred } = record;
  if (preferred === null || members.includes(preferred)) return { members: sorted, preferred };
  const led = counted(metadata.shards.values(), (one) => (one.preferred === null ? [] : [one.preferred]));
  const [next = null] = [...sorted].sort((a, b) => (led.get(a) ?? 0) - (led.get(b) ?? 0));
  return { members: sorted, preferred: next };
}

function ofShard(metadata: Metadata, shard: number, members: readonly NodeId[]): Decision {
  const record = metadata.shards.get(shard) as ShardRecord;
  return { change: { shards: new Map([[shard, withMembers(metadata, record, members)]]) } };
}

function whyNoPlace(metadata: Metadata, node: NodeId): string | null {
  const known = metadata.nodes.get(node);
  if (known === undefined) return `there is no node ${node}`;
  return known.state === 'member' ? null : `${node} is ${known.state}`;
}

export function addReplica(metadata: Metadata, shard: number, node: NodeId): Decision {
  const record = metadata.shards.get(shard);
  if (record === undefined) return refused(`there is no shard ${shard}`);
  const why = whyNoPlace(metadata, node);
  if (why !== null) return refused(why);
  if (record.members.includes(node)) return refused(`${node} has a replica of shard ${shard} already`);
  return ofShard(metadata, shard, [...record.members, node]);
}

export function removeReplica(metadata: Metadata, shard: number, node: NodeId): Decision {
  const record = metadata.shards.get(shard);
  if (record === undefined) return refused(`there is no shard ${shard}`);
  if (!record.members.includes(node)) return refused(`${node} has no replica of shard ${shard}`);
  if (record.members.length === 1) return refused(`${node} has the only replica of shard ${shard}`);
  return ofShard(
    metadata,
    shard,
    record.members.filter((member) => member !== node),
  );
}

export function moveReplica(metadata: Metadata, shard: number, from: NodeId, to: NodeId): Decision {
  const added = addReplica(metadata, shard, to);
  if ('refused' in added) return added;
  const record = metadata.shards.get(shard) as ShardRecord;
  if (!record.members.includes(from)) return refused(`${from} has no replica of shard ${shard}`);
  return ofShard(metadata, shard, [...record.members.filter((member) => member !== from), to]);
}

/** A node that comes in. Coming again with the same data directory it is only known better. */
export function addNode(metadata: Metadata, node: NodeId, record: NodeRecord): Decision {
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
 * A node that is to go, or that is gone: each of its replicas to the node with the fewest that has none of the same
 * shard, and where there is no such node the shard has one less.
 * @param mayTake nodes that are there
 */
function withoutNode(
  metadata: Metadata,
  node: NodeId,
  mayTake: (node: NodeId) => boolean,
  evenWithoutHeir: boolean,
): Map<number, ShardRecord> {
  const held = counted(metadata.shards.values(), ({ members }) => members);
  const changed = new Map<number, ShardRecord>();
  for (const [shard, record] of metadata.shards) {
    if (!record.members.includes(node)) continue;
    const [heir] = takers(metadata)
      .filter((other) => other !== node && !record.members.includes(other) && mayTake(other))
      .sort((a, b) => (held.get(a) ?? 0) - (held.get(b) ?? 0));
    if (heir === undefined && !evenWithoutHeir) continue;
    const left = record.members.filter((member) => member !== node);
    if (heir !== undefined) held.set(heir, (held.get(heir) ?? 0) + 1);
    changed.set(shard, withMembers(metadata, record, heir === undefined ? left : [...left, heir]));
  }
  return changed;
}

/** A node begins to leave. */
export function removeNode(metadata: Metadata, node: NodeId, there: (node: NodeId) => boolean): Decision {
  const record = metadata.nodes.get(node);
  if (record === undefined) return refused(`there is no node ${node}`);
  if (record.state !== 'member') return refused(`${node} is ${record.state} already`);
  const shards = withoutNode(metadata, node, there, true);
  const orphan = [...shards].find(([, { members }]) => members.length === 0);
  if (orphan !== undefined) return refused(`${node} has the only replica of shard ${orphan[0]}`);
  return { change: { nodes: new Map([[node, { ...record, state: 'leaving' }]]), shards } };
}

/** A node that was away for too long is replaced where there is room; null when there is none. */
export function replaceNode(
  metadata: Metadata,
  node: NodeId,
  there: (node: NodeId) => boolean,
): MetadataChange | null {
  const shards = withoutNode(metadata, node, there, false);
  return shards.size === 0 ? null : { shards };
}

/** The leaving node has no replica any more, by what the shards' leaders say. */
export function nodeHasLeft(metadata: Metadata, node: NodeId): MetadataChange {
  const record = metadata.nodes.get(node) as NodeRecord;
  return { nodes: new Map([[node, { ...record, state: 'removed' }]]) };
}
