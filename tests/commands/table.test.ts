import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reply } from '../../src/resp/reply-parser.ts';
import { RawClient } from '../support/raw-client.ts';
import type { CommandInfo } from '../support/redis-command-info.ts';
import { compareCommandInfo, readCommandInfo } from '../support/redis-command-info.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';
import type { Scenario, ScenarioServers } from '../support/redis-script.ts';
import { compare } from '../support/redis-script.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';
import { connectionScenarios } from './connection-scenarios.ts';
import { expiryScenarios } from './expiry-scenarios.ts';
import { keyScenarios } from './key-scenarios.ts';
import { passwordScenarios } from './password-scenarios.ts';
import { protocolScenarios } from './protocol-scenarios.ts';
import { serverScenarios } from './server-scenarios.ts';
import { stringScenarios } from './string-scenarios.ts';
import { transactionScenarios } from './transaction-scenarios.ts';

const redisVersion = redisServerVersion();
if (redisVersion === null)
  console.log('SKIPPED: no redis-server is on PATH, so nothing was compared with Redis.');

describe.skipIf(redisVersion === null)('a client', () => {
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

  async function agree(each: Scenario, protocol: 2 | 3): Promise<void> {
    const complaints = await compare(each, servers, protocol);
    if (complaints.length > 0) expect.fail(`replies that do not agree:\n${complaints.join('\n')}\n`);
  }

  describe.each([
    ['strings', stringScenarios],
    ['keys', keyScenarios],
    ['expiry', expiryScenarios],
    ['transactions', transactionScenarios],
    ['connections', connectionScenarios],
    ['the server and its commands', serverScenarios],
  ] as const)('hears what Redis says: %s', (_group, scenarios) => {
    it.each(scenarios)('$title', (each) => agree(each, 2));
    it.each(scenarios)('$title, in RESP3', (each) => agree(each, 3));
  });

  describe.each([
    ['passwords', passwordScenarios],
    ['the protocol', protocolScenarios],
  ] as const)('hears what Redis says: %s', (_group, scenarios) => {
    it.each(scenarios)('$title', (each) => agree(each, 2));
  });

  /** Runs the same on a connection to each server: what came of it, Redis first. */
  async function onBoth<T>(work: (client: RawClient, port: number) => Promise<T>): Promise<[T, T]> {
    const results = [];
    for (const port of [servers.redis, servers.bellwether]) {
      const client = await RawClient.connect(port);
      results.push(await work(client, port));
      await client.close();
    }
    return results as [T, T];
  }

  it('is greeted by HELLO with the same fields in the same order', async () => {
    for (const version of [2, 3]) {
      const [redis, bellwether] = await onBoth(async (client) => {
        const { wire } = await client.command('HELLO', version);
        return wire.replace(/(id\r\n:)\d+/, '$1?').replace(/\$\d\r\n7\.\d\.\d+/, 'VERSION');
      });
      expect(bellwether).toBe(redis);
    }
  });

  it('finds every key by SCAN', async () => {
    const names = Array.from({ length: 700 }, (_, i) => (i % 2 === 0 ? `key${i}` : `{same}${i}`));
    const [redis, bellwether] = await onBoth(async (client) => {
      await client.command('FLUSHALL');
      for (const name of names) client.sendCommand('SET', name, 'v');
      for (const _ of names) await client.next();
      const all = [];
      for (const options of [
        [],
        ['COUNT', 7],
        ['MATCH', '*5*', 'COUNT', 50],
        ['TYPE', 'string'],
        ['TYPE', 'list'],
      ]) {
        const found = new Set<string>();
        let cursor = '0';
        do {
          const { value } = await client.command('SCAN', cursor, ...options);
          const [next, keys] = value as [string, string[]];
          for (const key of keys) found.add(key);
          cursor = next;
        } while (cursor !== '0');
        all.push([...found].sort());
      }
      await client.command('FLUSHALL');
      return all;
    });
    expect(bellwether).toEqual(redis);
    expect(bellwether[0]).toEqual([...names].sort());
  });

  it('is closed by CLIENT KILL, by number or address', async () => {
    const [redis, bellwether] = await onBoth(async (client, port) => {
      const replies = [];
      const own = (await client.command('CLIENT', 'ID')).value as number;
      for (const form of ['id', 'address', 'old form'] as const) {
        const victim = await RawClient.connect(port);
        const { value: id } = await victim.command('CLIENT', 'ID');
        const line = (await client.command('CLIENT', 'LIST', 'ID', id as number, own)).value as string;
        const address = fieldsOf(line.split('\n')[0] as string).get('addr') as string;
        const filter =
          form === 'id' ? ['ID', id as number] : form === 'address' ? ['ADDR', address] : [address];
        const { wire } = await client.command('CLIENT', 'KILL', ...filter);
        await victim.closed;
        replies.push(wire, line.split('\n').length);
      }
      return replies;
    });
    expect(bellwether).toEqual(redis);
  });

  it('is told of commands by COMMAND DOCS since when they exist and where they belong', async () => {
    const [redis, bellwether] = await onBoth(async (client) => {
      const { value } = await client.command('COMMAND', 'DOCS');
      const docs = new Map<string, string>();
      for (let i = 0; i < (value as Reply[]).length; i += 2) {
        const facts = (value as Reply[])[i + 1] as string[];
        const fact = (name: string): string => facts[facts.indexOf(name) + 1] as string;
        docs.set((value as string[])[i] as string, `${fact('group')} ${fact('since')}`);
      }
      return docs;
    });
    const ownCommands = ['debug', 'repl', ...(redis.has('waitaof') ? [] : ['waitaof'])];
    for (const [name, facts] of bellwether)
      if (!ownCommands.includes(name)) expect([name, facts]).toEqual([name, redis.get(name)]);
  });

  it('is told of commands by COMMAND INFO what Redis tells', async () => {
    const redis = await RawClient.connect(servers.redis);
    const bellwether = await RawClient.connect(servers.bellwether);
    const differences: string[] = [];
    for (const name of (await bellwether.command('COMMAND', 'LIST')).value as string[]) {
      const [one, other] = await Promise.all(
        [redis, bellwether].map(async (client) => {
          const { value } = await client.command('COMMAND', 'INFO', name);
          return readCommandInfo((value as Reply[])[0] as Reply);
        }),
      );
      differences.push(...compareCommandInfo(one ?? null, other as CommandInfo));
    }
    await Promise.all([redis.close(), bellwether.close()]);
    expect(differences.filter((line) => !isDeliberate(line, servers.redisVersion))).toEqual([]);
  });

  it('is listed by CLIENT LIST with the fields that Redis has, equal where the client makes them', async () => {
    const infos = [];
    for (const port of [servers.redis, servers.bellwether]) {
      const client = await RawClient.connect(port);
      await client.command('CLIENT', 'SETNAME', 'me');
      await client.command('WATCH', 'k', 'k', 'l');
      await client.command('MULTI');
      await client.command('GET', 'k');
      const other = await RawClient.connect(port);
      const { value } = await other.command('CLIENT', 'LIST', 'TYPE', 'normal');
      const line = (value as string).split('\n').find((each) => each.includes(' name=me '));
      infos.push(fieldsOf(line as string));
      await Promise.all([client.close(), other.close()]);
    }
    const [redis, bellwether] = infos as [Map<string, string>, Map<string, string>];
    expect([...redis.keys()].filter((name) => !bellwether.has(name))).toEqual([]);
    for (const name of sharedFields) expect([name, bellwether.get(name)]).toEqual([name, redis.get(name)]);
  });
});

/** Fields of CLIENT LIST that the client makes. */
const sharedFields = ['name', 'flags', 'db', 'sub', 'psub', 'ssub', 'multi', 'cmd', 'user', 'redir', 'resp'];

function fieldsOf(line: string): Map<string, string> {
  return new Map(
    line
      .trim()
      .split(' ')
      .map((field) => field.split('=', 2) as [string, string]),
  );
}

/** Why COMMAND INFO differs, by command. */
const deliberate: Readonly<Record<string, string>> = {
  debug: 'only what tests need',
  'debug|sleep': 'Redis describes no subcommands of DEBUG',
  'debug|digest': 'Redis describes no subcommands of DEBUG',
  'debug|help': 'Redis describes no subcommands of DEBUG',
  repl: 'an extension',
  'cluster|countkeysinslot': 'a read like others, which can be redirected',
  'cluster|getkeysinslot': 'a read like others, which can be redirected',
};
/** What came or changed with 7.2. */
const newIn72 = [
  'client|setinfo',
  'client|no-touch',
  'wait',
  'waitaof',
  'cluster|myshardid',
  'command|getkeys',
];

function isDeliberate(line: string, [major, minor]: readonly [number, number, number]): boolean {
  const name = line.slice(0, line.indexOf(':'));
  const older = major < 7 || (major === 7 && minor < 2);
  return deliberate[name] !== undefined || (older && newIn72.includes(name));
}
