import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BitOperation } from './bit-operations.ts';
import { bitOperations, combineStrings } from './bit-operations.ts';
import { stringValue } from './entry.ts';

const text = fc
  .tuple(fc.uint8Array({ maxLength: 70 }), fc.constantFrom(0, 3, 5000, 65_530, 100_000), fc.boolean())
  .map(([bytes, length, behind]) => {
    const some = Buffer.from(bytes).latin1Slice();
    return behind ? some.padStart(length, '\0') : some.padEnd(length, '\x5a');
  });

function byHand(operation: BitOperation, texts: readonly string[]): string {
  const length = Math.max(...texts.map((each) => each.length));
  const out = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    const bytes = texts.map((each) => (i < each.length ? each.charCodeAt(i) : 0));
    out[i] =
      operation === 'not'
        ? ~(bytes[0] as number)
        : bytes.reduce((a, b) => (operation === 'and' ? a & b : operation === 'or' ? a | b : a ^ b));
  }
  return out.latin1Slice();
}

describe('combining strings', () => {
  it('gives what combining byte by byte gives, for short and long ones', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...bitOperations),
        fc.array(text, { minLength: 1, maxLength: 4 }),
        (operation, texts) => {
          const some = operation === 'not' ? texts.slice(0, 1) : texts;
          const combined = combineStrings(operation, some.map(stringValue));
          const plain = typeof combined === 'string' ? combined : combined.slice(0, combined.length);
          expect(plain === byHand(operation, some)).toBe(true);
          // A long result may be written to: behind its end there are zeros.
          if (typeof combined !== 'string') {
            combined.write(combined.length + 10, 'x');
            expect(combined.slice(combined.length - 11, combined.length)).toBe('\0'.repeat(10) + 'x');
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
