import { expect, test } from 'vitest';
import { DamagedLog } from './damaged-log.ts';
import { batchOf, HandDisk, openOn, payloadsOf } from './log-test-kit.ts';
import type { NodeLog } from './types.ts';

/** Reads from `lsn` on: the payloads, or the error. */
function read(hand: HandDisk, log: NodeLog, lsn: number): string[] | Error {
  let found: string[] | Error = new Error('no answer');
  log.read(1, lsn, 1 << 20, (error, batches) => {
    found = error ?? payloadsOf(batches);
  });
  hand.settle();
  return found;
}

test('bytes that rot under an open log are noticed when they are read, with the entries that are lost', () => {
  const hand = new HandDisk();
  const { log } = openOn(hand, { cacheBytes: 0 });
  log.append(batchOf(1, 1, 1, ['a']));
  log.append(batchOf(1, 1, 2, ['rotten', 'also']));
  log.append(batchOf(1, 1, 4, ['d']));
  log.flush();
  hand.settle();
  log.tick();
  expect(read(hand, log, 1)).toEqual(['a', 'rotten', 'also', 'd']);
  const file = 'log/0000000001.log';
  hand.disk.flip(file, hand.disk.bytesOf(file).indexOf('rotten'), 1);
  for (const lsn of [1, 2, 3]) {
    const error = read(hand, log, lsn) as DamagedLog;
    expect(error).toBeInstanceOf(DamagedLog);
    expect(error).toMatchObject({ code: 'BW_LOG_DAMAGED', lastLsn: 3 });
    expect(error.message).toMatch(
      /^BW_LOG_DAMAGED: log\/0000000001\.log at offset \d+: LSN 2 to 3 cannot be read/,
    );
  }
  expect(read(hand, log, 4)).toEqual(['d']);
});
