import { defineConfig } from 'vitest/config';

/** One room alone is quicker: `STRYKER_ROOM=core npm run stryker -- --mutate src/core/core.ts`. */
const room = process.env['STRYKER_ROOM'] ?? '{core,log}';

/** The tests of the rooms that Stryker changes, but for the longest one: it would run for every change to the log. */
export default defineConfig({
  test: {
    include: [`src/${room}/**/*.test.ts`],
    exclude: ['src/log/crash-points.test.ts'],
    testTimeout: 600_000,
  },
});
