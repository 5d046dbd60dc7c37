import { expect, test } from 'vitest';
import { Stamps } from './stamps.ts';

test('a stamp comes back as the time at which it was written, or a little earlier', () => {
  const stamps = new Stamps(0.123456, 500);
  const read = stamps.read(stamps.write(1234.5678), 2000) as number;
  expect(read).toBeLessThanOrEqual(1234.5678);
  expect(read).toBeGreaterThan(1234.566);
});

test('a stamp of another life of the process is none, although its clock began anew', () => {
  const former = new Stamps(0.5, 0);
  const now = new Stamps(0.7, 0);
  expect(now.read(former.write(300), 400)).toBeNull();
  expect(now.read(now.write(500), 400)).toBeNull();
  expect(new Stamps(0.5, 100).read(former.write(50), 400)).toBeNull();
});
