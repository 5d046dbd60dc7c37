import type { Bytes } from '../bytes/types.ts';
import type { NodeId } from '../core/types.ts';
import type { Entry } from '../state/entry.ts';
import { type SlotRange, slotCount } from '../state/slot.ts';
import { ShardMap } from './shard-map.ts';
import { runsOf, type SlotRuns, valuesIn } from './slot-runs.ts';

/** The shard that holds all this. Clients never see it. */
export const metadataShard = 0;

/**
 * Its keys: hashes of JSON by id, the owners of the slots in two bytes each, JSON of what differs from that, and how
 * often all that was changed.
 */
export const metadataKeys = {
  nodes: 'nodes',
  shards: 'shards',
  slots: 'slots',
  wanted: 'wanted',
  since: 'since',
  moves: 'moves',
  rebalance: 'rebalance',
  epoch: 'epoch',
} as const;

/** A node that is leaving keeps what it has until others have it; ids of removed ones are never used again. */
export type NodeState = 'member' | 'leaving' | 'removed';

/** One node of the cluster. */
export interface NodeRecord {
  /** Where the other nodes reach it, and where clients do, `host:port`; empty while that is not known. */
  readonly peer: string;
  readonly client: string;
  /** The data directory that it came with; empty while it has not been seen. */
  readonly instance: string;
  readonly state: NodeState;
  /** What fails together with it: a rack, a data centre; empty when it said nothing. */
  readonly zone: string;
}

/** Where one shard is to be. */
export interface ShardRecord {
  readonly members: readonly NodeId[];
  /** The node that should lead; null when any may. */
  readonly preferred: NodeId | null;
  /** How many replicas there are to be when there are nodes for them; absent: as many as there are members. */
  readonly copies?: number;
}

export function wantedCopies({ members, copies }: ShardRecord): number {
  return Math.max(members.length, copies ?? 0);
}

/** Slots on their way from the shard that owns them to another one. */
export interface SlotMove {
  readonly from: number;
  readonly to: number;
  readonly slots: readonly SlotRange[];
}

/** What all nodes know of the cluster, at one epoch. */
export interface Metadata {
  /** Rises by one with every change. */
  readonly epoch: number;
  readonly nodes: ReadonlyMap<NodeId, NodeRecord>;
  readonly shards: ReadonlyMap<number, ShardRecord>;
  /** The shard that owns each slot. */
  readonly owners: Uint16Array;
  /** The shard that is to own each slot. */
  readonly wanted: Uint16Array;
  /** The move that brought each slot to its owner, by the epoch that began it; 0 where the slot was from the beginning. */
  readonly since: Uint32Array;
  /** What is under way, by the epoch that began it. No slot is in two of them. */
  readonly moves: ReadonlyMap<number, SlotMove>;
  /** Whether the cluster spreads replicas and leaders by itself; absent: it does. */
  readonly rebalance?: boolean;
}

/** What one change of the metadata sets. */
export interface MetadataChange {
  readonly nodes?: ReadonlyMap<NodeId, NodeRecord>;
  readonly shards?: ReadonlyMap<number, ShardRecord>;
  readonly owners?: Uint16Array;
  readonly wanted?: Uint16Array;
  readonly since?: Uint32Array;
  /** Null: that move is over. */
  readonly moves?: ReadonlyMap<number, SlotMove | null>;
  readonly rebalance?: boolean;
}

/** Where the metadata is read from: a keyspace, or a command's view of it. */
interface MetadataState {
  peek(key: Bytes): Entry | undefined;
}

/** 0 while nothing was ever written. */
export function epochIn(state: MetadataState): number {
  return Number(stringAt(state, metadataKeys.epoch) ?? '0');
}

/** Null while nothing was ever written. Throws when the state is not as `changeMetadata` writes it. */
export function readMetadata(state: MetadataState): Metadata | null {
  const epoch = epochIn(state);
  if (epoch === 0) return null;
  const nodes = new Map<NodeId, NodeRecord>();
  for (const [id, json] of fieldsAt(state, metadataKeys.nodes)) nodes.set(id, nodeIn(json));
  const shards = new Map<number, ShardRecord>();
  for (const [shard, json] of fieldsAt(state, metadataKeys.shards)) shards.set(Number(shard), shardIn(json));
  const owners = ownersIn(stringAt(state, metadataKeys.slots) ?? '');
  const moves = new Map<number, SlotMove>();
  for (const [began, json] of fieldsAt(state, metadataKeys.moves)) moves.set(Number(began), moveIn(json));
  const rebalance = stringAt(state, metadataKeys.rebalance);
  return {
    ...{ epoch, nodes, shards, owners, moves },
    wanted: wantedFrom(owners, runsIn(stringAt(state, metadataKeys.wanted))),
    since: sinceFrom(runsIn(stringAt(state, metadataKeys.since))),
    ...(rebalance === null ? {} : { rebalance: rebalance === 'on' }),
  };
}

/** The metadata as the map by which commands are routed. */
export function shardMapOf({ shards, owners }: Metadata): ShardMap {
  const slots = new Map<number, SlotRange[]>([...shards.keys()].map((shard) => [shard, []]));
  for (let from = 0; from < slotCount; ) {
    const owner = owners[from] as number;
    let to = from;
    while (to + 1 < slotCount && owners[to + 1] === owner) to += 1;
    slots.get(owner)?.push({ from, to });
    from = to + 1;
  }
  const ascending = [...shards].sort(([one], [other]) => one - other);
  return new ShardMap(
    ascending.map(([shard, { members, preferred }]) => ({
      shard,
      slots: slots.get(shard) as SlotRange[],
      members,
      preferred,
    })),
  );
}

/** Where slots are to be that are to go elsewhere. */
export function wantedRuns(owners: Uint16Array, wanted: Uint16Array): SlotRuns {
  return runsOf(wanted, (shard, slot) => shard !== owners[slot]);
}

export function wantedFrom(owners: Uint16Array, runs: SlotRuns): Uint16Array {
  return valuesIn(runs, owners.slice());
}

/** Since when slots are where they are that have been elsewhere. */
export function sinceRuns(since: Uint32Array): SlotRuns {
  return runsOf(since, (epoch) => epoch !== 0);
}

export function sinceFrom(runs: SlotRuns): Uint32Array {
  return valuesIn(runs, new Uint32Array(slotCount));
}

/** Two bytes for each slot, the lower one first. */
export function ownersText(owners: Uint16Array): Bytes {
  let text = '';
  for (const owner of owners) text += String.fromCharCode(owner & 0xff, owner >> 8);
  return text;
}

function ownersIn(text: Bytes): Uint16Array {
  if (text.length !== 2 * slotCount) throw new Error(`${text.length} bytes of slots in the metadata`);
  return Uint16Array.from(
    { length: slotCount },
    (_, slot) => text.charCodeAt(2 * slot) | (text.charCodeAt(2 * slot + 1) << 8),
  );
}

/** JSON whose characters are bytes: those beyond ASCII stand in strings, where they may be escaped. */
export function jsonBytes(value: object): Bytes {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function stringAt(state: MetadataState, key: Bytes): Bytes | null {
  const value = state.peek(key)?.value;
  return typeof value === 'string' ? value : null;
}

function* fieldsAt(state: MetadataState, key: Bytes): Generator<[Bytes, Bytes], void, undefined> {
  const value = state.peek(key)?.value;
  if (typeof value === 'object' && value.type === 'hash') yield* value.fields.entries();
}

function objectIn(json: Bytes): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw new Error('no object in the metadata');
  return value as Record<string, unknown>;
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function nodeIn(json: Bytes): NodeRecord {
  const { peer, client, instance, state, zone } = objectIn(json);
  const left = state === 'leaving' || state === 'removed';
  return {
    peer: textIn(peer),
    client: textIn(client),
    instance: textIn(instance),
    state: left ? state : 'member',
    zone: textIn(zone),
  };
}

function shardIn(json: Bytes): ShardRecord {
  const { members, preferred, copies } = objectIn(json);
  if (!Array.isArray(members) || !members.every((node) => typeof node === 'string'))
    throw new Error('a shard without members in the metadata');
  const record = { members, preferred: typeof preferred === 'string' ? preferred : null };
  return typeof copies === 'number' ? { ...record, copies } : record;
}

function moveIn(json: Bytes): SlotMove {
  const { from, to, slots } = objectIn(json);
  if (typeof from !== 'number' || typeof to !== 'number' || !Array.isArray(slots))
    throw new Error('a move of no slots in the metadata');
  return { from, to, slots: slots as SlotRange[] };
}

function runsIn(json: Bytes | null): SlotRuns {
  return json === null ? [] : (JSON.parse(json) as SlotRuns);
}
