import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { metricsPage } from './metric-docs.ts';

it('docs/metrics.md is up to date (npm run docs metrics)', () => {
  expect(readFileSync('docs/metrics.md', 'utf8')).toBe(metricsPage());
});
