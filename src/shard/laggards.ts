import type { NodeId } from '../core/types.ts';

/** One that was left out is listed again when it lags by less than this part of what is allowed. */
const returnBelow = 0.5;

/**
 * Which followers lag too far for clients to be told to read from them. The one that lags least is always listed: with
 * no replica at all, clients would know of nobody to ask when the leader is gone.
 *
 * @param bounds the least bound in ms that each follower can be expected to serve
 * @param before those that were left out when this was asked last
 * @param maxMs 0: nobody is left out
 */
export function laggardsAmong(
  bounds: ReadonlyMap<NodeId, number>,
  before: readonly NodeId[],
  maxMs: number,
): NodeId[] {
  if (maxMs === 0) return [];
  const behind = [...bounds].filter(
    ([node, ms]) => ms > (before.includes(node) ? maxMs * returnBelow : maxMs),
  );
  if (behind.length === bounds.size && behind.length > 0) {
    const least = behind.reduce((best, one) => (one[1] < best[1] ? one : best));
    behind.splice(behind.indexOf(least), 1);
  }
  return behind.map(([node]) => node);
}
