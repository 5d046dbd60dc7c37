import { BellwetherError } from '../errors.ts';
import type { Location } from './shard-index.ts';

/** A batch is not on disk as it was written. */
export class DamagedLog extends BellwetherError {
  /** The last LSN that cannot be read back. */
  readonly lastLsn: number;

  constructor(path: string, { firstLsn, lastLsn, offset }: Location) {
    super(
      'BW_LOG_DAMAGED',
      `${path} at offset ${offset}: LSN ${firstLsn} to ${lastLsn} cannot be read back`,
      'Restart the node: it finds the damage and is repaired by its peers.',
    );
    this.lastLsn = lastLsn;
  }
}
