import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReplyError } from '../src/resp/reply-parser.ts';
import { TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

const stages = ['RECEIVED', 'FLUSHED', 'APPLIED'] as const;
type Who = 'none' | 'leader' | 'majority' | 'all' | '1' | '2' | '3' | '4';
const everyWho: readonly Who[] = ['none', 'leader', '1', '2', '3', '4', 'majority', 'all'];

let cluster: TestCluster;
let leader: TestNode;
let followers: TestNode[];
let client: RawClient;

beforeAll(async () => {
  // A long heartbeat patience: the leader must not yield while both followers are stopped for a moment.
  const flags = [
    '--election-timeout',
    '5s..8s',
    '--vote-refusal',
    '4s',
    '--lease',
    '3s',
    '--in-sync-lag',
    '2s',
  ];
  cluster = await TestCluster.start({ flags });
  leader = await cluster.ready();
  followers = await cluster.followers();
  client = await RawClient.connect(leader.port);
});

afterAll(async () => {
  for (const node of cluster.nodes) node.signal('SIGCONT');
  await client.close();
  await cluster.dispose();
});

async function resume(): Promise<void> {
  for (const node of followers) node.signal('SIGCONT');
  await cluster.ready();
}

/** What a write under the policy is answered: `OK`, or the first word of the error. */
async function write(who: Who, stage: string, timeoutMs: number): Promise<string> {
  const policy = await client.command('REPL', 'ACK', who, stage, 'TIMEOUT', timeoutMs);
  expect(policy.value).toBe('OK');
  const { value } = await client.command('SET', `ladder:${who}:${stage}`, String(Math.random()));
  return value instanceof ReplyError ? (value.message.split(' ')[0] as string) : String(value);
}

const cases = everyWho.flatMap((who) => stages.map((stage) => ({ who, stage })));

describe('with all nodes running', () => {
  it.each(cases)('$who $stage', async ({ who, stage }) => {
    expect(await write(who, stage, 2000)).toBe(who === '4' ? 'ACKTIMEOUT' : 'OK');
  });

  it('WAIT and WAITAOF count both followers', async () => {
    await client.command('REPL', 'ACK', 'none');
    await client.command('SET', 'waited', '1');
    expect((await client.command('WAIT', '2', '5000')).value).toBe(2);
    expect((await client.command('WAITAOF', '1', '2', '5000')).value).toEqual([1, 2]);
  });
});

describe('with one follower stopped', () => {
  beforeAll(() => {
    followers[0]?.signal('SIGSTOP');
  });
  afterAll(resume);

  const timesOut = (who: Who): boolean => who === '3' || who === '4';

  it.each(cases.filter(({ who }) => who !== 'all'))('$who $stage', async ({ who, stage }) => {
    expect(await write(who, stage, timesOut(who) ? 60 : 5000)).toBe(timesOut(who) ? 'ACKTIMEOUT' : 'OK');
  });

  it('all waits for it until it is out of sync, then no more', async () => {
    expect(await write('all', 'FLUSHED', 20_000)).toBe('OK');
    const silent = (await leader.shard())?.followers.find(({ node }) => node === followers[0]?.id);
    expect(silent).toMatchObject({ inSync: false, why: 'connected but silent' });
    for (const stage of stages) expect(await write('all', stage, 1000)).toBe('OK');
  });

  it('WAIT and WAITAOF answer with those that have it when the time is over', async () => {
    await client.command('SET', 'waited', '2');
    expect((await client.command('WAIT', '1', '5000')).value).toBe(1);
    expect((await client.command('WAIT', '2', '60')).value).toBe(1);
    expect((await client.command('WAITAOF', '1', '2', '60')).value).toEqual([1, 1]);
  });
});

describe('with both followers stopped', () => {
  beforeAll(() => {
    for (const node of followers) node.signal('SIGSTOP');
  });
  afterAll(resume);

  const alone = (who: Who, stage: string): boolean =>
    who === 'none' || who === 'leader' || who === '1' || (who === 'majority' && stage === '');

  it.each(cases)('$who $stage', async ({ who, stage }) => {
    const ok = alone(who, stage);
    expect(await write(who, stage, ok ? 5000 : 60)).toBe(ok ? 'OK' : 'ACKTIMEOUT');
  });
});

describe('replies that wait too long', () => {
  beforeAll(() => {
    for (const node of followers) node.signal('SIGSTOP');
  });
  afterAll(resume);

  it('pitfall 40: are errors that say that the outcome is unknown, and later replies come in their order', async () => {
    await client.command('REPL', 'ACK', 'majority', 'FLUSHED', 'TIMEOUT', '80');
    const [late, other, ping, echo] = await Promise.all([
      client.command('SET', 'unknown', '1'),
      client.command('SET', 'unknown', '2'),
      client.command('PING'),
      client.command('ECHO', 'after'),
    ]);
    for (const { value } of [late, other])
      expect(value).toMatchObject({
        message: expect.stringMatching(/^ACKTIMEOUT LSN \d+ .* outcome is unknown$/),
      });
    expect(ping.value).toBe('PONG');
    expect(echo.value).toBe('after');
    for (const node of followers) node.signal('SIGCONT');
    await cluster.ready();
    // Nothing was undone.
    expect((await client.command('GET', 'unknown')).value).toBe('2');
  });
});

describe('the policy of a connection', () => {
  it('is shown by REPL ACK alone and begins with the configured one', async () => {
    const fresh = await RawClient.connect(leader.port);
    const shown = async (): Promise<string> => String((await fresh.command('REPL', 'ACK')).value);
    expect(await shown()).toBe('majority flushed timeout 5000');
    await fresh.command('REPL', 'ACK', '2', 'received', 'timeout', '70');
    expect(await shown()).toBe('2 received timeout 70');
    await fresh.command('REPL', 'ACK', 'all');
    expect(await shown()).toBe('all flushed timeout 70');
    await fresh.close();
  });

  it.each([
    ['REPL', 'ACK', 'some'],
    ['REPL', 'ACK', '0'],
    ['REPL', 'ACK', 'majority', 'APPLIED', 'FLUSHED', 'x'],
    ['REPL', 'ACK', 'majority', 'TIMEOUT', '-1'],
  ])('refuses %s %s %s %s', async (...words) => {
    const fresh = await RawClient.connect(leader.port);
    expect((await fresh.command(...words.filter((word) => word !== undefined))).value).toBeInstanceOf(
      ReplyError,
    );
    await fresh.close();
  });

  it('is none of the others’: min-in-sync refuses writes while too few are in sync', async () => {
    await client.command('REPL', 'ACK', 'majority', 'FLUSHED', 'TIMEOUT', '5000');
    expect((await client.command('CONFIG', 'SET', 'min-in-sync', '3')).value).toBe('OK');
    expect((await client.command('SET', 'gate', '1')).value).toBe('OK');
    await followers[0]?.kill();
    await until('writes are refused', async () => {
      const { value } = await client.command('SET', 'gate', '2');
      return value instanceof ReplyError && value.message === 'NOREPLICAS Not enough good replicas to write.';
    });
    expect((await client.command('GET', 'gate')).value).not.toBeInstanceOf(ReplyError);
    followers[0]?.start();
    await cluster.ready();
    expect((await client.command('SET', 'gate', '3')).value).toBe('OK');
  });
});
