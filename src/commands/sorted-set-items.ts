import type { Bytes } from '../bytes/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { ScoredMember } from '../state/collections.ts';
import { SortedSetValue } from '../state/collections.ts';
import { formatScore } from './scores.ts';
import { admitsElements } from './store.ts';
import { collectionAt } from './typed.ts';
import type { CommandContext } from './types.ts';

/** The sorted set at a key, undefined for a missing key; null when it holds another type: then the error was answered. */
export function sortedAt(
  context: CommandContext,
  args: readonly Bytes[],
  at = 1,
): SortedSetValue | undefined | null {
  return collectionAt(context, args[at] as Bytes, SortedSetValue);
}

/** Members, with their scores in arrays of their own (RESP3) or flat. */
export function replyScored(
  reply: ReplyWriter,
  items: readonly ScoredMember[],
  withScores: boolean,
  nested = reply.protocol === 3,
): void {
  const inPairs = withScores && nested;
  reply.array(withScores && !inPairs ? items.length * 2 : items.length);
  for (const { member, score } of items) {
    if (inPairs) reply.array(2);
    reply.bulk(member);
    if (withScores) reply.double(formatScore(score));
  }
}

/** So many items from a position on, or back from it. */
export function itemsFrom(
  sorted: SortedSetValue,
  start: number,
  count: number,
  reverse: boolean,
): ScoredMember[] {
  const found: ScoredMember[] = [];
  if (count <= 0) return found;
  const add = (item: ScoredMember): boolean => found.push(item) === count;
  if (reverse) sorted.order.searchBack(start, add);
  else sorted.order.search(start, add);
  return found;
}

/** Puts a sorted set of these items at a key, whatever was there, and answers how many they are; without any, the key goes. */
export function storeItems(context: CommandContext, key: Bytes, items: readonly ScoredMember[]): void {
  const { effects, reply } = context;
  if (
    !admitsElements(
      context,
      key,
      items.map(({ member }) => member),
    )
  )
    return;
  if (context.get(key) !== undefined) effects.remove(key);
  for (const { member, score } of items) effects.sortedSetPut(key, member, storedScore(score));
  reply.integer(items.length);
}

/** A score as it is kept: not minus zero, which Redis's small sorted sets do not keep either. */
export function storedScore(score: number): number {
  return score + 0;
}
