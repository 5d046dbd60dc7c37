import { expect, it } from 'vitest';
import { fixedPoint, formatCoordinate, formatDistance } from './fixed-point.ts';

it.each([
  [200.0078125, 6, '200.007812'],
  [200.0234375, 6, '200.023438'],
  [-0.25, 1, '-0.2'],
  [1e22, 2, '10000000000000000000000.00'],
  [0.1, 20, '0.10000000000000000555'],
  [-0, 2, '-0.00'],
] as const)('%d with %i digits behind the point is %s', (value, digits, text) => {
  expect(fixedPoint(value, digits)).toBe(text);
});

it.each([
  [13.361389338970184, '13.36138933897018433'],
  [-180, '-180'],
  [-1e-20, '0'],
  [2 ** -18, '0.00000381469726562'],
] as const)('the coordinate %d is shown as %s', (value, text) => {
  expect(formatCoordinate(value)).toBe(text);
});

it.each([
  [0, '0.0000'],
  [166274.15156960039, '166274.1516'],
  [0.00005, '0.0000'],
  [0.00075, '0.0008'],
  [12, '12.0000'],
] as const)('the distance %d is shown as %s', (value, text) => {
  expect(formatDistance(value)).toBe(text);
});
