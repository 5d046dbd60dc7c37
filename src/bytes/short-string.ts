/**
 * A few bytes as a byte string (latin1). The call into native code costs more than such a string, and appending
 * character by character makes as many strings as there are characters; one call with all of them makes one.
 */
const of = String.fromCharCode;

/** Longest string that `shortString` makes. */
export const shortBytes = 16;

/** @param length 0 to `shortBytes`; the bytes must be there */
export function shortString(b: Uint8Array, at: number, length: number): string {
  switch (length) {
    case 0:
      return '';
    case 1:
      return of(b[at] as number);
    case 2:
      return of(b[at] as number, b[at + 1] as number);
    case 3:
      return of(b[at] as number, b[at + 1] as number, b[at + 2] as number);
    case 4:
      return of(b[at] as number, b[at + 1] as number, b[at + 2] as number, b[at + 3] as number);
    case 5:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
      );
    case 6:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
      );
    case 7:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
      );
    case 8:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
      );
    case 9:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
      );
    case 10:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
      );
    case 11:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
      );
    case 12:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
        b[at + 11] as number,
      );
    case 13:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
        b[at + 11] as number,
        b[at + 12] as number,
      );
    case 14:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
        b[at + 11] as number,
        b[at + 12] as number,
        b[at + 13] as number,
      );
    case 15:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
        b[at + 11] as number,
        b[at + 12] as number,
        b[at + 13] as number,
        b[at + 14] as number,
      );
    case 16:
      return of(
        b[at] as number,
        b[at + 1] as number,
        b[at + 2] as number,
        b[at + 3] as number,
        b[at + 4] as number,
        b[at + 5] as number,
        b[at + 6] as number,
        b[at + 7] as number,
        b[at + 8] as number,
        b[at + 9] as number,
        b[at + 10] as number,
        b[at + 11] as number,
        b[at + 12] as number,
        b[at + 13] as number,
        b[at + 14] as number,
        b[at + 15] as number,
      );
    default:
      throw new RangeError(`a string of ${length} bytes is not short`);
  }
}
