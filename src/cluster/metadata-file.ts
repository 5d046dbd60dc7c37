import { z } from 'zod';
import { type Metadata, shardMapOf, sinceFrom, sinceRuns, wantedFrom, wantedRuns } from './metadata.ts';
import { ownersOf, ShardMap } from './shard-map.ts';
import type { SlotRuns } from './slot-runs.ts';

/** In the data directory: the newest metadata that the node knows to be committed, so that it finds the others again. */
export const metadataFile = 'metadata.json';

const slot = z.number().int().min(0).max(16383);
/** First slot, last slot, number. */
const runs = z.array(z.tuple([slot, slot, z.number().int().min(0)]));

const schema = z.object({
  epoch: z.number().int().min(1),
  nodes: z.record(
    z.string(),
    z.object({
      peer: z.string(),
      client: z.string(),
      instance: z.string(),
      state: z.enum(['member', 'leaving', 'removed']),
    }),
  ),
  shards: z.record(
    z.string(),
    z.object({
      members: z.array(z.string()).min(1),
      preferred: z.string().nullable(),
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
  const shards = shardMapOf(metadata).placements.map(({ shard, members, preferred, slots }) => [
    shard,
    { members: [...members], preferred, slots: slots.map(({ from, to }) => [from, to]) },
  ]);
  return {
    epoch: metadata.epoch,
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
  const { epoch, nodes, shards, wanted, since, moves } = parsed.data;
  const placements = Object.entries(shards).map(([shard, { members, preferred, slots }]) => ({
    ...{ shard: Number(shard), members, preferred },
    slots: slots.map(([from, to]) => ({ from, to })),
  }));
  try {
    const owners = ownersOf(new ShardMap(placements));
    return {
      epoch,
      nodes: new Map(Object.entries(nodes)),
      shards: new Map(
        placements.map(({ shard, members, preferred }) => [shard, { members, preferred }] as const),
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
