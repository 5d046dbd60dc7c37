import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';
import { compare, Side } from '../support/redis-script.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';
import { sortPatternScenarios } from './sort-scenarios.ts';

const version = redisServerVersion();

/** Redis takes no patterns in a cluster, so it answers alone here. */
describe.skipIf(version === null)('beside a Redis that is in no cluster', () => {
  let servers: ServerProcess[] = [];

  beforeAll(async () => {
    servers = await Promise.all([startRedis(false), startRival()]);
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  it.each(sortPatternScenarios)('$title', async ({ steps }) => {
    const [redis, bellwether] = servers as [ServerProcess, ServerProcess];
    const { complaints } = await compare(
      steps,
      new Side(redis.port),
      new Side(bellwether.port),
      version as readonly number[],
    );
    if (complaints.length > 0) expect.fail(`replies that do not agree:\n${complaints.join('\n')}\n`);
  });
});
