import { expect, test } from 'vitest';
import { batchOf, HandDisk, openOn } from './log-test-kit.ts';

test('pitfall 16: the log says how many bytes wait for the disk: less with every write, and nothing of what was cut', () => {
  const hand = new HandDisk();
  const { log } = openOn(hand);
  const batches = [1, 2, 3].map((lsn) => batchOf(1, 1, lsn, ['x'.repeat(100)]));
  for (const batch of batches) log.append(batch);
  const length = batches[0]?.bytes.length ?? 0;
  expect(log.queuedBytes).toBe(3 * length);
  log.cut(1, { term: 1, lsn: 2 });
  expect(log.queuedBytes).toBe(2 * length);
  log.flush();
  expect(log.queuedBytes).toBe(0);
  log.append(batchOf(1, 2, 3, ['y']));
  expect(log.queuedBytes).toBeGreaterThan(0);
  hand.settle();
  log.flush();
  hand.settle();
  expect(log.queuedBytes).toBe(0);
});
