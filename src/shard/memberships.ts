import { decodeMembership } from '../core/membership-codec.ts';
import type { BatchSpan, Membership } from '../core/types.ts';
import { BellwetherError } from '../errors.ts';
import type { Batch } from '../log/batch.ts';

/** The membership that bytes stand for. Throws BW_LOG_DAMAGED when they are none. */
export function checkedMembership(bytes: Uint8Array): Membership {
  const membership = decodeMembership(bytes);
  if (membership === null) {
    throw new BellwetherError(
      'BW_LOG_DAMAGED',
      'a membership in the log cannot be read',
      'Restore the data directory from a backup.',
    );
  }
  return membership;
}

/** A batch as the core sees it: one that was read back from the log carries no decoded membership yet. */
export function spanOf(batch: Batch): Batch & BatchSpan {
  const known = batch as Batch & BatchSpan;
  if (!batch.holdsMembership || known.membership !== undefined) return known;
  const [entry] = batch.entries();
  if (entry === undefined) return known;
  const membership = checkedMembership(batch.bytes.subarray(entry.start, entry.end));
  return Object.assign(batch, { membership });
}
