import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oldDumps, sealed } from '../../src/commands/rdb/old-encodings-test-kit.ts';
import type { Reply } from '../../src/resp/reply-parser.ts';
import { RawClient } from '../support/raw-client.ts';
import type { ServerProcess } from '../support/redis-process.ts';
import { startRival } from '../support/redis-rival.ts';
import { redisServerVersion, startRedis } from '../support/redis-server.ts';

const text = 'text '.repeat(40);
const items = ['', 'a', '1', '-1', '127', '128', '-129', '40000', '9223372036854775807', '01', text, 'ü'];

/** Commands that make values of every type, small and large. */
const values: readonly (readonly [what: string, make: readonly (string | number)[]])[] = [
  ['a text', ['SET', 'k', text]],
  ['an empty text', ['SET', 'k', '']],
  ...['0', '-128', '32767', '-32769', '2147483647', '-2147483648', '2147483648', '012', '-0'].map(
    (number) => [`the text ${number}`, ['SET', 'k', number]] as const,
  ),
  ['a long text', ['SET', 'k', text.repeat(1000)]],
  ['a text that does not compress', ['SETRANGE', 'k', 100_000, 'end']],
  ...[1, 200].flatMap((times) => {
    const many = Array.from({ length: times }, (_, i) =>
      items.map((item) => (i === 0 ? item : item + i)),
    ).flat();
    return [
      [`a list of ${many.length}`, ['RPUSH', 'k', ...many]],
      [`a set of ${many.length}`, ['SADD', 'k', ...many]],
      [
        `a hash of ${many.length}`,
        ['HSET', 'k', ...many.flatMap((item, i) => [item, many[many.length - 1 - i] as string])],
      ],
      [
        `a sorted set of ${many.length}`,
        [
          'ZADD',
          'k',
          '-inf',
          'first',
          'inf',
          'last',
          '-0',
          'zero',
          ...many.flatMap((item, i) => [i / 4, item]),
        ],
      ],
    ] as const;
  }),
  ['a set of integers', ['SADD', 'k', 1, -1, 70_000, '-9223372036854775808']],
  ['a set of many integers', ['SADD', 'k', ...Array.from({ length: 3000 }, (_, i) => i * i)]],
];

describe.skipIf(redisServerVersion() === null)('a value dumped', () => {
  let servers: ServerProcess[] = [];
  let redis: RawClient;
  let bellwether: RawClient;

  beforeAll(async () => {
    servers = await Promise.all([startRedis(), startRival()]);
    [redis, bellwether] = (await Promise.all(servers.map(({ port }) => RawClient.connect(port)))) as [
      RawClient,
      RawClient,
    ];
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  /** What is at the key, in an order that does not depend on the server. */
  async function valueAt(client: RawClient): Promise<Reply> {
    const { value: type } = await client.command('TYPE', 'k');
    const questions: Record<string, (string | number)[]> = {
      string: ['GET', 'k'],
      list: ['LRANGE', 'k', 0, -1],
      set: ['SMEMBERS', 'k'],
      hash: ['HGETALL', 'k'],
      zset: ['ZRANGE', 'k', 0, -1, 'WITHSCORES'],
    };
    const { value } = await client.command(
      ...((questions[type as string] ?? ['GET', 'k']) as [string, ...string[]]),
    );
    if (!Array.isArray(value) || type === 'list' || type === 'zset') return [type as string, value];
    const pairs =
      type === 'hash' ? value.flatMap((each, i) => (i % 2 === 0 ? [`${each} ${value[i + 1]}`] : [])) : value;
    return [type as string, [...pairs].sort()];
  }

  async function dumpOf(client: RawClient): Promise<string> {
    return (await client.command('DUMP', 'k')).value as string;
  }

  describe.each([
    ['Redis', 'Bellwether', {}],
    ['Bellwether', 'Redis', {}],
    [
      'Redis, in its encodings for large values,',
      'Bellwether',
      {
        'hash-max-listpack-entries': 0,
        'zset-max-listpack-entries': 0,
        'set-max-intset-entries': 0,
        'list-max-listpack-size': 2,
      },
    ],
  ] as const)('by %s is restored by %s', (from, _to, settings) => {
    it.each(values)('%s', async (_what, make) => {
      const [source, target] = from === 'Bellwether' ? [bellwether, redis] : [redis, bellwether];
      for (const client of [redis, bellwether]) await client.command('DEL', 'k');
      for (const [name, value] of Object.entries(settings)) await redis.command('CONFIG', 'SET', name, value);
      await source.command(...(make as [string, ...string[]]));
      expect((await target.command('RESTORE', 'k', 0, await dumpOf(source))).wire).toBe('+OK\r\n');
      expect(await valueAt(target)).toEqual(await valueAt(source));
      expect((await valueAt(target)) as Reply[]).not.toContain('none');
    });
  });

  it.each(oldDumps)('in an encoding of old is restored as by Redis: %s', async (_what, dump) => {
    const replies = [];
    for (const client of [redis, bellwether]) {
      await client.command('DEL', 'k');
      replies.push([
        (await client.command('RESTORE', 'k', 0, dump.latin1Slice())).wire,
        await valueAt(client),
      ]);
    }
    expect(replies[1]).toEqual(replies[0]);
    expect(replies[1]?.[0]).toBe('+OK\r\n');
  });

  it('is refused when it is damaged in what the checksum does not see', async () => {
    for (const [, dump] of oldDumps) {
      const body = dump.subarray(1, Math.floor(dump.length / 2));
      const cut = sealed(dump[0] as number, body);
      expect((await bellwether.command('RESTORE', 'cut', 0, cut.latin1Slice())).wire).toBe(
        '-ERR Bad data format\r\n',
      );
    }
  });

  it('is refused when it unpacks to more than an entry of the log takes', async () => {
    const packed = Buffer.concat([
      Buffer.from([0xc3, 0x80, 0, 1, 0, 0, 0x80, 1, 0, 0, 0]),
      Buffer.alloc(65_536, 0xff),
    ]);
    const { wire } = await bellwether.command('RESTORE', 'large', 0, sealed(0, packed).latin1Slice());
    expect(wire).toBe('-ERR the result is too large for an entry of the log\r\n');
  });
});
