import type { Operation } from './history.ts';
import type { LevelRead } from './level-history.ts';
import { describeRead } from './level-history.ts';

/**
 * `local`: what some leader executed, committed or not. Of keys that are set, erased or counted, nothing but what a
 * client had asked for by then can be seen. Answers what is wrong; null when nothing is.
 *
 * @param operations all on that key that may have been executed
 */
export function checkLocalRead(read: LevelRead, operations: readonly Operation[]): string | null {
  const { result } = read;
  if (result === null) return null;
  const asked = operations.filter(({ invoked }) => invoked < read.returned);
  const counted = asked.filter(({ kind }) => kind === 'incr').length;
  const known =
    counted > 0
      ? Number(result) >= 1 && Number(result) <= counted
      : asked.some(({ kind, value }) => kind === 'set' && value === result);
  return known ? null : `${describeRead(read)}: no leader can have executed that`;
}
