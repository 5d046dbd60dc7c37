import type { ReadLevel } from '../shard/read-level.ts';
import { KeyVersions } from './key-versions.ts';
import type { LevelRead } from './level-history.ts';

/** A history in which LSN n, committed at n × 10 ms, sets the key `k` to `vn`. */
export function tenEntries(): KeyVersions {
  const versions = new KeyVersions();
  for (let lsn = 1; lsn <= 10; lsn++) {
    versions.committed(lsn, lsn <= 5 ? 1 : 2, 10 * lsn);
    versions.changed('k', `v${lsn}`);
  }
  return versions;
}

/** A read of `k` that was sent and answered at these times. */
export function readOf(
  result: string | null,
  sentMs: number,
  returnedMs: number,
  level: ReadLevel = { kind: 'eventual', bound: 0 },
): LevelRead {
  return { client: 7, level, key: 'k', result, sentMs, returnedMs, returned: returnedMs };
}
