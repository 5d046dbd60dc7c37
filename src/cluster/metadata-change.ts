import type { EffectSink } from '../state/effects.ts';
import type { Entry } from '../state/entry.ts';
import {
  epochIn,
  jsonBytes,
  type Metadata,
  type MetadataChange,
  metadataKeys,
  ownersText,
  readMetadata,
  sinceRuns,
  wantedRuns,
} from './metadata.ts';

/** What the metadata is written with: a part of the context of a command on its leader. */
interface MetadataWriter {
  hidden(key: string): Entry | undefined;
  readonly effects: EffectSink;
}

/**
 * The one command that writes the metadata, for its leader only: a compare and set on the epoch that the change was
 * decided by. False when another change came first: then nothing happens, so whoever decided looks again.
 */
export function changeMetadata(
  writer: MetadataWriter,
  decidedBy: number,
  { nodes, shards, owners, wanted, since, moves, rebalance }: MetadataChange,
): boolean {
  const state = { peek: (key: string) => writer.hidden(key) };
  if (epochIn(state) !== decidedBy) return false;
  const { effects } = writer;
  for (const [id, node] of nodes ?? []) effects.hashSet(metadataKeys.nodes, id, jsonBytes(node));
  for (const [shard, record] of shards ?? [])
    effects.hashSet(metadataKeys.shards, String(shard), jsonBytes(record));
  if (owners !== undefined) effects.putString(metadataKeys.slots, ownersText(owners), 0);
  for (const [began, move] of moves ?? []) {
    if (move === null) effects.hashRemove(metadataKeys.moves, String(began));
    else effects.hashSet(metadataKeys.moves, String(began), jsonBytes(move));
  }
  if (since !== undefined) effects.putString(metadataKeys.since, jsonBytes(sinceRuns(since)), 0);
  if (wanted !== undefined) {
    const owned = owners ?? (readMetadata(state) as Metadata).owners;
    effects.putString(metadataKeys.wanted, jsonBytes(wantedRuns(owned, wanted)), 0);
  }
  if (rebalance !== undefined) effects.putString(metadataKeys.rebalance, rebalance ? 'on' : 'off', 0);
  effects.putString(metadataKeys.epoch, String(decidedBy + 1), 0);
  return true;
}
