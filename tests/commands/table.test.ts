import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandInfoDifferences } from '../../src/commands/differences.ts';
import type { Reply } from '../../src/resp/reply-parser.ts';
import { RawClient } from '../support/raw-client.ts';
import type { CommandInfo } from '../support/redis-command-info.ts';
import { compareCommandInfo, readCommandInfo } from '../support/redis-command-info.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { Recording } from '../support/redis-recording.ts';
import { startRival } from '../support/redis-rival.ts';
import type { Scenario } from '../support/redis-script.ts';
import { compare, Side } from '../support/redis-script.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';
import { bitmapScenarios } from './bitmap-scenarios.ts';
import { blockingScenarios } from './blocking-scenarios.ts';
import { blockingSortedSetScenarios } from './blocking-sorted-set-scenarios.ts';
import { connectionScenarios } from './connection-scenarios.ts';
import { dumpScenarios } from './dump-scenarios.ts';
import { encodingScenarios } from './encoding-scenarios.ts';
import { expiryScenarios } from './expiry-scenarios.ts';
import { geoScenarios } from './geo-scenarios.ts';
import { hyperLogLogScenarios } from './hyperloglog-scenarios.ts';
import { keyScenarios } from './key-scenarios.ts';
import { listScenarios } from './list-scenarios.ts';
import { memoryScenarios } from './memory-scenarios.ts';
import { numberScenarios } from './number-scenarios.ts';
import { passwordScenarios } from './password-scenarios.ts';
import { protocolScenarios } from './protocol-scenarios.ts';
import { serverScenarios } from './server-scenarios.ts';
import { setScenarios } from './set-scenarios.ts';
import { sortScenarios } from './sort-scenarios.ts';
import { sortedSetAlgebraScenarios } from './sorted-set-algebra-scenarios.ts';
import { sortedSetScenarios } from './sorted-set-scenarios.ts';
import { stringScenarios } from './string-scenarios.ts';
import { transactionScenarios } from './transaction-scenarios.ts';

/** Replies of Redis, for where there is none. BELLWETHER_RECORD=1 writes them anew from the redis-server on PATH. */
const recordingFile = new URL('recorded-replies.jsonl', import.meta.url);
const recordAnew = process.env['BELLWETHER_RECORD'] === '1';
const running = redisServerVersion();
const absent = running === null;
const recording = recordAnew && running !== null ? new Recording(running) : Recording.read(recordingFile);
const redisVersion = running ?? recording.version;
if (absent)
  console.log(
    `No redis-server is on PATH: commands are compared with recorded replies of Redis ${recording.version.join('.')}, and what needs one that runs is SKIPPED.`,
  );

describe('a client', () => {
  const servers: ServerProcess[] = [];
  let redis: ServerProcess | null = null;
  let bellwether: ServerProcess;

  beforeAll(async () => {
    [bellwether, redis] = await Promise.all([startRival(), absent ? null : startRedis()]);
    servers.push(bellwether, ...(redis === null ? [] : [redis]));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    if (recordAnew) recording.write(recordingFile);
  });

  async function agree({ title, steps }: Scenario, protocol: 2 | 3): Promise<void> {
    const name = `${title}, in RESP${protocol}`;
    const redisSide = redis === null ? recording.answers(name) : new Side(redis.port, protocol);
    const { complaints, wires } = await compare(
      steps,
      redisSide,
      new Side(bellwether.port, protocol),
      redisVersion,
    );
    if (complaints.length > 0) expect.fail(`replies that do not agree:\n${complaints.join('\n')}\n`);
    if (recordAnew) recording.keep(name, steps, wires);
  }

  describe.each([
    ['strings', stringScenarios],
    ['numbers', numberScenarios],
    ['bitmaps', bitmapScenarios],
    ['HyperLogLogs', hyperLogLogScenarios],
    ['keys', keyScenarios],
    ['lists', listScenarios],
    ['sets', setScenarios],
    ['sorted sets', sortedSetScenarios],
    ['unions and the like of sorted sets', sortedSetAlgebraScenarios],
    ['blocking commands', blockingScenarios],
    ['blocking commands of sorted sets', blockingSortedSetScenarios],
    ['places', geoScenarios],
    ['expiry', expiryScenarios],
    ['SORT and LCS', sortScenarios],
    ['DUMP and RESTORE', dumpScenarios],
    ['encodings and functions', encodingScenarios],
    ['transactions', transactionScenarios],
    ['connections', connectionScenarios],
    ['memory', memoryScenarios],
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
    for (const server of [redis as ServerProcess, bellwether]) {
      const client = await RawClient.connect(server.port);
      results.push(await work(client, server.port));
      await client.close();
    }
    return results as [T, T];
  }

  it.skipIf(absent)('is greeted by HELLO with the same fields in the same order', async () => {
    for (const version of [2, 3]) {
      const [theirs, ours] = await onBoth(async (client) => {
        const { wire } = await client.command('HELLO', version);
        return wire.replace(/(id\r\n:)\d+/, '$1?').replace(/\$\d\r\n7\.\d\.\d+/, 'VERSION');
      });
      expect(ours).toBe(theirs);
    }
  });

  it.skipIf(absent)('finds every key by SCAN', async () => {
    const names = Array.from({ length: 700 }, (_, i) => (i % 2 === 0 ? `key${i}` : `{same}${i}`));
    const [theirs, ours] = await onBoth(async (client) => {
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
    expect(ours).toEqual(theirs);
    expect(ours[0]).toEqual([...names].sort());
  });

  it.skipIf(absent)('is closed by CLIENT KILL, by number or address', async () => {
    const [theirs, ours] = await onBoth(async (client, port) => {
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
    expect(ours).toEqual(theirs);
  });

  it.skipIf(absent)('is let go by CLIENT UNBLOCK, and takes nothing when it has gone', async () => {
    const [theirs, ours] = await onBoth(async (client, port) => {
      const replies = [];
      await client.command('FLUSHALL');
      const flagged = async (id: number, flag: string): Promise<void> => {
        let line = '';
        while (!line.includes(` flags=${flag} `))
          line = (await client.command('CLIENT', 'LIST', 'ID', id)).value as string;
      };
      for (const reason of [[], ['TIMEOUT'], ['ERROR']]) {
        const waiting = await RawClient.connect(port);
        const id = (await waiting.command('CLIENT', 'ID')).value as number;
        waiting.sendCommand('BLMOVE', 'k', 'k', 'LEFT', 'LEFT', 0);
        waiting.sendCommand('PING');
        await flagged(id, 'b');
        // In a transaction, whose reply is being written while the other one is let go.
        await client.command('MULTI');
        await client.command('CLIENT', 'UNBLOCK', id, ...reason);
        await client.command('CLIENT', 'UNBLOCK', id);
        await client.command('RPUSH', 'k', 'v');
        replies.push((await client.command('EXEC')).wire);
        replies.push((await waiting.next()).wire, (await waiting.next()).wire);
        replies.push((await client.command('LPOP', 'k')).wire);
        waiting.sendCommand('BLPOP', 'k', 0);
        await flagged(id, 'b');
        await waiting.close();
        while ((await client.command('CLIENT', 'LIST', 'ID', id)).value !== '');
        await client.command('RPUSH', 'k', 'kept');
        replies.push((await client.command('LPOP', 'k')).wire);
      }
      return replies;
    });
    expect(ours).toEqual(theirs);
  });

  it.skipIf(absent)(
    'is told of commands by COMMAND DOCS since when they exist and where they belong',
    async () => {
      const [theirs, ours] = await onBoth(async (client) => {
        const { value } = await client.command('COMMAND', 'DOCS');
        const docs = new Map<string, string>();
        for (let i = 0; i < (value as Reply[]).length; i += 2) {
          const facts = (value as Reply[])[i + 1] as string[];
          const fact = (name: string): string => facts[facts.indexOf(name) + 1] as string;
          docs.set((value as string[])[i] as string, `${fact('group')} ${fact('since')}`);
        }
        return docs;
      });
      const ownCommands = ['debug', 'repl', ...(theirs.has('waitaof') ? [] : ['waitaof'])];
      for (const [name, facts] of ours)
        if (!ownCommands.includes(name)) expect([name, facts]).toEqual([name, theirs.get(name)]);
    },
  );

  it.skipIf(absent)('is told of commands by COMMAND INFO what Redis tells', async () => {
    const [theirs, ours] = await onBoth(async (client) => {
      const infos = (await client.command('COMMAND', 'INFO')).value as Reply[];
      return infos.map((each) => readCommandInfo(each) as CommandInfo);
    });
    const differences = ours.flatMap((each) =>
      compareCommandInfo(theirs.find(({ name }) => name === each.name) ?? null, each),
    );
    expect(differences.filter((line) => !isDeliberate(line))).toEqual([]);
  });

  it.skipIf(absent)(
    'is listed by CLIENT LIST with the fields of Redis, equal where it makes them',
    async () => {
      const [theirs, ours] = await onBoth(async (client, port) => {
        await client.command('CLIENT', 'SETNAME', 'me');
        await client.command('WATCH', 'k', 'k', 'l');
        await client.command('MULTI');
        await client.command('GET', 'k');
        const other = await RawClient.connect(port);
        const { value } = await other.command('CLIENT', 'LIST', 'TYPE', 'normal');
        await other.close();
        return fieldsOf((value as string).split('\n').find((each) => each.includes(' name=me ')) as string);
      });
      expect([...theirs.keys()].filter((name) => !ours.has(name))).toEqual([]);
      for (const name of sharedFields) expect([name, ours.get(name)]).toEqual([name, theirs.get(name)]);
    },
  );
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

/** What came or changed with 7.2. */
const newIn72 = [
  'client|setinfo',
  'client|no-touch',
  'wait',
  'waitaof',
  'cluster|myshardid',
  'bzpopmin',
  'bzpopmax',
  'command|getkeys',
  'blpop',
  'zrank',
  'zrevrank',
  'brpop',
  'blmove',
  'brpoplpush',
];

function isDeliberate(line: string): boolean {
  const [major, minor] = redisVersion;
  const name = line.slice(0, line.indexOf(':'));
  const older = major < 7 || (major === 7 && minor < 2);
  return commandInfoDifferences[name] !== undefined || (older && newIn72.includes(name));
}
