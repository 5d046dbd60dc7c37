import type { LiveSegment } from './segment-pool.ts';
import type { ShardLog } from './shard-log.ts';
import type { LogRoom, NodeLogOptions } from './types.ts';

/**
 * Whether the oldest segment may go: every shard has a durable checkpoint at or above what the segment holds of it, and
 * no follower needs it, or keeping it for followers would exceed the caps in bytes or time.
 *
 * @param bytesBehind bytes of log in all newer segments
 */
export function mayDrop(
  oldest: LiveSegment,
  bytesBehind: number,
  shards: Iterable<ShardLog>,
  options: NodeLogOptions,
  nowMs: number,
): boolean {
  const beyondCaps = bytesBehind > options.retentionBytes || nowMs - oldest.newestMs > options.retentionMs;
  for (const shard of shards) {
    const highest = shard.history.index.lastLsnThrough(oldest.number);
    if (highest === 0) continue;
    if (highest > shard.durableCheckpoint.lsn) return false;
    if (highest >= shard.neededFrom && !beyondCaps) return false;
  }
  return true;
}

/** Bytes of log that a shard's checkpoint, or the want of one, keeps from being dropped. */
export function pinnedBytes(
  shard: ShardLog,
  older: readonly LiveSegment[],
  usedBytes: (from: number) => number,
): number {
  for (const segment of older) {
    if (shard.history.index.lastLsnThrough(segment.number) > shard.durableCheckpoint.lsn) {
      return usedBytes(segment.number);
    }
  }
  return 0;
}

/** What the caps leave to a segment with so many bytes of log behind it, of such an age. */
export function roomLeft(
  bytesBehind: number,
  ageMs: number,
  behind: number,
  { retentionBytes, retentionMs }: NodeLogOptions,
): LogRoom {
  const bytes = Math.max(0, retentionBytes - bytesBehind);
  const ms = Math.max(0, retentionMs - Math.max(0, ageMs));
  return { bytes, ms, bytesShare: share(bytes, retentionBytes), msShare: share(ms, retentionMs), behind };
}

function share(left: number, cap: number): number {
  return cap === 0 ? 0 : left / cap;
}
