import { runTask } from '../env/task.ts';
import { recoverLog } from '../log/recovery.ts';
import type { DurableView } from './durable-promises.ts';
import type { SimDisk } from './sim-disk.ts';

/** Reads back what a disk holds durably of a shard's log; null when it holds none, or bytes changed on it. */
export function readDurably(node: string, disk: SimDisk, shard: number): DurableView | null {
  const due: (() => void)[] = [];
  const copy = disk.rotten ? null : disk.durableCopy((complete) => due.push(complete));
  if (copy === null) return null;
  let view: DurableView | null = null;
  runTask(recoverLog(copy, 'log'), (error, recovery) => {
    if (error !== null) throw error;
    const log = recovery?.shards.get(shard)?.recovered;
    if (log === undefined) return;
    const { hardState, base, last, terms } = log;
    const termAt = (lsn: number): number =>
      lsn <= base.lsn ? base.term : (terms.findLast((run) => run.lsn <= lsn)?.term ?? base.term);
    view = { node, hardState, baseLsn: base.lsn, lastLsn: last.lsn, termAt };
  });
  for (let complete = due.shift(); complete !== undefined; complete = due.shift()) complete();
  return view;
}
