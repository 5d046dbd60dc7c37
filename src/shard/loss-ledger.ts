import type { Disk, DiskFile } from '../env/disk.ts';
import type { Task } from '../env/task.ts';
import { runTask, step, stepVoid } from '../env/task.ts';
import type { Batch } from '../log/batch.ts';
import { describeAckCode } from './ack-policy.ts';
import type { ReplicaContext } from './replica-context.ts';

const directory = 'loss-ledger';

/**
 * Keeps entries that were cut from a divergent log: what a deposed leader had executed and no majority had. One file
 * per cut, a line of JSON per entry: LSN, term, the policy under which it had been answered, its bytes in base64.
 * Returns the file's path.
 */
function* recordLoss(disk: Disk, shard: number, batches: readonly Batch[], fromLsn: number): Task<string> {
  const lines: string[] = [];
  for (const batch of batches) {
    for (const entry of batch.entries()) {
      if (entry.lsn < fromLsn) continue;
      const payload = batch.bytes.subarray(entry.start, entry.end).toString('base64');
      const answered = describeAckCode(entry.policy);
      lines.push(
        JSON.stringify({
          shard,
          lsn: entry.lsn,
          term: batch.term,
          kind: entry.kind,
          answered,
          timeMs: batch.timeMs,
          payload,
        }),
      );
    }
  }
  const term = batches[batches.length - 1]?.term ?? 0;
  const path = `${directory}/shard-${shard}-term-${term}-lsn-${fromLsn}.jsonl`;
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  yield* stepVoid((done) => disk.makeDirectory(directory, done));
  yield* stepVoid((done) => disk.syncDirectory('', done));
  yield* stepVoid((done) => disk.remove(path, done));
  const file = (yield* step<DiskFile | null>((done) => disk.open(path, 'create', done))) as DiskFile;
  yield* step<number>((done) => file.write(bytes, 0, done));
  yield* stepVoid((done) => file.sync(done));
  yield* stepVoid((done) => file.close(done));
  yield* stepVoid((done) => disk.syncDirectory(directory, done));
  return path;
}

/**
 * Saves what is cut from a log from `fromLsn` on and tells the operator; answers how many entries that are.
 * @param unread why the log could not be read before it was cut; null when `batches` is all of it
 */
export function saveLoss(
  { disk, logger }: ReplicaContext,
  shard: number,
  fromLsn: number,
  unread: Error | null,
  batches: readonly Batch[],
): number {
  const happened = 'entries that no majority held were cut from the log';
  const failed = (fields: object, error: Error): void =>
    logger.error({ shard, fromLsn, ...fields, error: error.message }, `${happened} and could not be saved`);
  if (unread !== null) {
    failed({}, unread);
    return 0;
  }
  const toLsn = batches[batches.length - 1]?.lastLsn ?? fromLsn - 1;
  if (toLsn < fromLsn) return 0;
  runTask(recordLoss(disk, shard, batches, fromLsn), (error, file) => {
    if (error !== null) failed({ toLsn }, error);
    else logger.warn({ shard, fromLsn, toLsn, file }, `${happened} and saved in the loss ledger`);
  });
  return toLsn - fromLsn + 1;
}
