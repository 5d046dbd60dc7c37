import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LongDouble } from './long-double.ts';
import { addLongDoubles, formatLongDouble, isInfinite, parseLongDouble } from './long-double.ts';

function sum(one: string, other: string): string {
  return formatLongDouble(
    addLongDoubles(parseLongDouble(one) as LongDouble, parseLongDouble(other) as LongDouble),
  );
}

describe('80-bit floats', () => {
  it.each([
    ['10.5', '0.1', '10.6'],
    ['0.1', '0.2', '0.3'],
    ['5.0e3', '2.0e2', '5200'],
    ['3.141592653589793', '1', '4.141592653589793'],
    ['123456789012345', '0.5', '123456789012345.5'],
    ['9223372036854775807', '1', '9223372036854775808'],
    ['18446744073709551615', '1', '18446744073709551616'],
    ['18446744073709551616', '1', '18446744073709551616'],
    ['1e-17', '1e-17', '0.00000000000000002'],
    ['1e-18', '1e-18', '0'],
    ['1', '-1', '0'],
    ['-0', '0', '0'],
    ['0x1.8p1', '0X.8', '3.5'],
    ['.5', '-1.', '-0.5'],
  ])('%s and %s make %s', (one, other, expected) => {
    expect(sum(one, other)).toBe(expected);
  });

  it('adds whole numbers of up to 63 bits exactly', () => {
    const half = 1n << 62n;
    fc.assert(
      fc.property(fc.bigInt(-half, half), fc.bigInt(-half, half), (one, other) => {
        expect(sum(String(one), String(other))).toBe(String(one + other));
      }),
    );
  });

  it('gives back 17 decimals of numbers below 10 as they were', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 18n - 1n), fc.boolean(), (digits, negative) => {
        const text = String(digits).padStart(18, '0');
        const number = `${text[0]}.${text.slice(1)}`.replace(/\.?0*$/, '');
        const signed = negative && number !== '0' ? `-${number}` : number;
        expect(sum(signed, '0')).toBe(signed);
      }),
    );
  });

  it.each(['', ' 1', '1 ', '1x', '1e', '.', '0x', '+-1', 'nan', '1,5', '1e5000', '1e-5000', '1e99999999999'])(
    'reads no number in %j',
    (text) => {
      expect(parseLongDouble(text)).toBeNull();
    },
  );

  it('knows infinity by name and by overflow', () => {
    expect(parseLongDouble('-INFINITY')).toBe('-infinity');
    expect(parseLongDouble('+inf')).toBe('infinity');
    const large = parseLongDouble('1e4932') as LongDouble;
    expect(isInfinite(large)).toBe(false);
    expect(isInfinite(addLongDoubles(large, large))).toBe(true);
  });
});
