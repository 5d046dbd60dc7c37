import { defineConfig } from 'vitest/config';

/**
 * The tests of the rooms that Stryker changes, but for the longest one: it would run for every change to the log. Fewer
 * are quicker, and no score is the worse for more of them:
 * `STRYKER_TESTS='src/core/*.test.ts' npm run stryker -- --mutate src/core/core.ts`.
 */
const tests = process.env['STRYKER_TESTS'] ?? 'src/{core,log}/**/*.test.ts';

export default defineConfig({
  test: {
    include: [tests],
    exclude: ['src/log/crash-points.test.ts'],
    testTimeout: 600_000,
  },
});
