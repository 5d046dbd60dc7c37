import { z } from 'zod';
import {
  type Metadata,
  type ShardRecord,
  shardMapOf,
  sinceFrom,
  sinceRuns,
  wantedFrom,
  wantedRuns,
} from './metadata.ts';
import { ownersOf, ShardMap } from './shard-map.ts';
import type { SlotRuns } from './slot-runs.ts';

/** In the data directory: the newest metadata that the node knows to be committed, so that it finds the others again. */
export const metadataFile = 'metadata.json';

const slot = z.number().int().min(0).max(16383);
/** First slot, last slot, number. */
const runs = z.array(z.tuple([slot, slot, z.number().int().min(0)]));

const schema = z.object({
  epoch: z.number().int().min(1),
  rebalance: z.boolean().optional(),
  nodes: z.record(
    z.string(),
    z.object({
      peer: z.string(),
      client: z.string(),
      instance: z.string(),
      state: z.enum(['member', 'leaving', 'removed']),
      zone: z.string().default(''),
    }),
  ),
  shards: z.record(
    z.string(),
    z.object({
      members: z.array(z.string()).min(1),
      preferred: z.string().nullable(),
      copies: z.number().int().optional(),
      slots: z.array(z.tuple([slot, slot])),
    }),
  ),
  /** Slots that are to go elsewhere, and those that have been; absent in what earlier versions wrote. */
  wanted: runs.default([]),
  since: runs.default([]),
  moves: z
    .record(
      z.string(),
      z.object({ from: z.number(), to: z.number(), slots: z.array(z.object({ from: slot, to: slot })) }),
    )
    .default({}),
});

/** The metadata for people and for nodes that are to come: JSON, slots as ranges from the first to the last. */
export function metadataObject(metadata: Metadata): z.infer<typeof schema> {
  const shards = shardMapOf(metadata).placements.map(({ shard, members, preferred, slots }) => {
    const { copies } = metadata.shards.get(shard) as ShardRecord;
    const wanted = copies === undefined ? {} : { copies };
    const ranges = slots.map(({ from, to }) => [from, to]);
    return [shard, { members: [...members], preferred, ...wanted, slots: ranges }];
  });
  return {
    epoch: metadata.epoch,
    ...(metadata.rebalance === undefined ? {} : { rebalance: metadata.rebalance }),
    nodes: Object.fromEntries(metadata.nodes),
    shards: Object.fromEntries(shards),
    wanted: plain(wantedRuns(metadata.owners, metadata.wanted)),
    since: plain(sinceRuns(metadata.since)),
    moves: Object.fromEntries(
      [...metadata.moves].map(([began, { from, to, slots }]) => [began, { from, to, slots: [...slots] }]),
    ),
  };
}

function plain(runs: SlotRuns): [number, number, number][] {
  return runs.map(([from, to, value]) => [from, to, value]);
}

/** Reads what `metadataObject` made, whatever it stands among; null when it is something else. */
export function metadataFrom(value: unknown): Metadata | null {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return null;
  const { epoch, nodes, shards, wanted, since, moves, rebalance } = parsed.data;
  const placements = Object.entries(shards).map(([shard, { slots, ...about }]) => ({
    ...{ shard: Number(shard), ...about },
    slots: slots.map(([from, to]) => ({ from, to })),
  }));
  try {
    const owners = ownersOf(new ShardMap(placements));
    return {
      epoch,
      ...(rebalance === undefined ? {} : { rebalance }),
      nodes: new Map(Object.entries(nodes)),
      shards: new Map(
        placements.map(({ shard, members, preferred, copies }) => [
          shard,
          { members, preferred, ...(copies === undefined ? {} : { copies }) },
        ]),
      ),
      owners,
      wanted: wantedFrom(owners, wanted),
      since: sinceFrom(since),
      moves: new Map(Object.entries(moves).map(([began, move]) => [Number(began), move])),
    };
  } catch {
    return null;
  }
}

/** The same from a file's text. */
export function metadataFromText(text: string | null): Metadata | null {
  try {
    return text === null ? null : metadataFrom(JSON.parse(text));
  } catch {
    return null;
  }
}
