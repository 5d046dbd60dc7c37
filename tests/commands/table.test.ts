import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';
import type { ScenarioServers } from '../support/redis-script.ts';
import { compare } from '../support/redis-script.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';
import { connectionScenarios } from './connection-scenarios.ts';
import { expiryScenarios } from './expiry-scenarios.ts';
import { keyScenarios } from './key-scenarios.ts';
import { protocolScenarios } from './protocol-scenarios.ts';
import { serverScenarios } from './server-scenarios.ts';
import { stringScenarios } from './string-scenarios.ts';
import { transactionScenarios } from './transaction-scenarios.ts';

const redisVersion = redisServerVersion();
if (redisVersion === null)
  console.log('SKIPPED: no redis-server is on PATH, so nothing was compared with Redis.');

describe.skipIf(redisVersion === null)('each command answers as Redis does', () => {
  let running: ServerProcess[] = [];
  let servers: ScenarioServers;

  beforeAll(async () => {
    const [redis, bellwether] = await Promise.all([startRedis(), startRival()]);
    running = [redis, bellwether];
    servers = {
      redis: redis.port,
      bellwether: bellwether.port,
      redisVersion: redisVersion as readonly [number, number, number],
    };
  });

  afterAll(() => Promise.all(running.map((server) => server.stop())));

  describe.each([
    ['strings', stringScenarios],
    ['keys', keyScenarios],
    ['expiry', expiryScenarios],
    ['transactions', transactionScenarios],
    ['connections', connectionScenarios],
    ['the server and its commands', serverScenarios],
    ['the protocol', protocolScenarios],
  ] as const)('%s', (_group, scenarios) => {
    it.each(scenarios)('$title', async (each) => {
      const complaints = await compare(each, servers);
      if (complaints.length > 0) expect.fail(`replies that do not agree:\n${complaints.join('\n')}\n`);
    });
  });
});
