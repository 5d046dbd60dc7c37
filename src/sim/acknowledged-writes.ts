import type { Operation } from './history.ts';

/**
 * Whether the value that a key has in the end can be explained by its writes: it comes from a write after which no
 * acknowledged one began, and no counter is below its acknowledged increments or above all of them. A coarse check
 * that needs no search; the linearizability checker is the fine one. Answers what is wrong; null when nothing is.
 */
export function checkAcknowledgedWrites(
  key: string,
  operations: readonly Operation[],
  value: string | null,
): string | null {
  const writes = operations.filter(({ kind }) => kind !== 'get');
  const acknowledged = writes.filter(({ returned }) => returned !== Number.POSITIVE_INFINITY);
  if (writes.some(({ kind }) => kind === 'incr')) {
    const count = Number(value ?? '0');
    if (count < acknowledged.length)
      return `${key} is ${count} after ${acknowledged.length} acknowledged increments`;
    return count > writes.length ? `${key} is ${count} after ${writes.length} increments` : null;
  }
  if (value === null) {
    let lastDelete = Number.NEGATIVE_INFINITY;
    for (const { kind, returned } of writes) if (kind === 'del') lastDelete = Math.max(lastDelete, returned);
    const lost = acknowledged.find((write) => write.kind === 'set' && lastDelete <= write.invoked);
    return lost === undefined ? null : `${key} is gone, and '${lost.value}' was acknowledged`;
  }
  const origin = writes.find((write) => write.kind === 'set' && write.value === value);
  if (origin === undefined) return `${key} holds '${value}', which nobody wrote`;
  const later = acknowledged.find(({ invoked }) => invoked > origin.returned);
  if (later === undefined) return null;
  const what = later.kind === 'del' ? 'a delete' : `'${later.value}'`;
  return `${key} holds '${value}', and ${what} was acknowledged after it`;
}
