import { setTimeout as delay } from 'node:timers/promises';
import { probeFlags, startProbe, stopProbe } from '../probe-client.ts';
import { makeDirectory, removeDirectory } from '../processes.ts';
import { median } from '../statistics.ts';
import { BenchCluster } from '../systems/bellwether.ts';
import { decimal, markdownTable, whole } from '../table.ts';
import { Asking, element, fillCollection, patientFlags, type TypeName, types } from './collections.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

const elements = 1_000_000;
/** The probe watches for so long before and behind what is measured, ms. */
const marginMs = 60;
/** Small enough that writes of another key bring about a checkpoint soon. */
const flags = [...patientFlags, '--checkpoint-bytes', '64mb'];
const fillerBytes = 64 << 10;

type Work = (asking: Asking, type: TypeName) => Promise<unknown>;

const key = (type: TypeName): string => `{large}${type}`;
const twin = (type: TypeName): string => `{large}${type}:twin`;
const copied: Work = (asking, type) => asking.ask('COPY', key(type), twin(type), 'REPLACE');

interface Measure {
  readonly name: string;
  /** What is there before, not measured. */
  readonly before?: Work;
  readonly work: Work;
}

const one: Readonly<Record<TypeName, readonly (readonly (string | number)[])[]>> = {
  list: [
    ['LPUSH', key('list'), 'new'],
    ['RPOP', key('list')],
    ['LSET', key('list'), elements / 2, 'changed'],
    ['LINDEX', key('list'), Math.floor(elements / 3)],
  ],
  set: [
    ['SADD', key('set'), 'new'],
    ['SREM', key('set'), 'new'],
    ['SPOP', key('set')],
    ['SISMEMBER', key('set'), element(5)],
    ['SSCAN', key('set'), 0],
  ],
  hash: [
    ['HSET', key('hash'), 'new', 'v'],
    ['HDEL', key('hash'), 'new'],
    ['HGET', key('hash'), element(5)],
    ['HSCAN', key('hash'), 0],
  ],
  zset: [
    ['ZADD', key('zset'), 3, 'new'],
    ['ZREM', key('zset'), 'new'],
    ['ZPOPMIN', key('zset')],
    ['ZRANK', key('zset'), element(5)],
    ['ZCOUNT', key('zset'), 0, 500_000],
  ],
};

const searches: Readonly<Record<TypeName, readonly (string | number)[] | null>> = {
  list: ['LPOS', key('list'), 'none'],
  set: ['SRANDMEMBER', key('set')],
  hash: ['HRANDFIELD', key('hash')],
  zset: ['ZRANGE', key('zset'), elements / 2, elements / 2 + 10],
};
const ranges: Readonly<Record<TypeName, readonly (string | number)[] | null>> = {
  list: ['LTRIM', twin('list'), 0, elements / 2],
  set: null,
  hash: null,
  zset: ['ZREMRANGEBYRANK', twin('zset'), 0, elements / 2],
};

const wholes: Readonly<Record<TypeName, readonly (string | number)[] | null>> = {
  list: ['SORT', key('list'), 'ALPHA', 'LIMIT', 0, 10],
  set: ['SINTERCARD', 2, key('set'), twin('set')],
  hash: null,
  zset: ['ZINTERCARD', 2, key('zset'), twin('zset')],
};

const measures: readonly Measure[] = [
  {
    name: 'commands on one element',
    work: async (asking, type) => {
      for (const request of one[type]) await asking.ask(...request);
    },
  },
  {
    name: 'LPOS of what is not there; random draws; ZRANGE',
    work: (asking, type) => asking.ask(...(searches[type] ?? ['PING'])),
  },
  {
    name: 'half of it removed (LTRIM, ZREMRANGEBYRANK)',
    before: copied,
    work: (asking, type) => asking.ask(...(ranges[type] ?? ['PING'])),
  },
  {
    name: 'SORT with LIMIT; SINTERCARD and ZINTERCARD of two',
    before: copied,
    work: (asking, type) => asking.ask(...(wholes[type] ?? ['PING'])),
  },
  { name: 'COPY', work: copied },
  {
    name: 'first change behind a COPY',
    before: copied,
    work: (asking, type) => asking.ask(...(one[type][0] as readonly (string | number)[])),
  },
  { name: 'DEL', before: copied, work: (asking, type) => asking.ask('DEL', twin(type)) },
  { name: 'UNLINK', before: copied, work: (asking, type) => asking.ask('UNLINK', twin(type)) },
  {
    name: 'RENAME over it',
    before: async (asking, type) => {
      await copied(asking, type);
      await asking.ask('SET', '{large}small', 'v');
    },
    work: (asking, type) => asking.ask('RENAME', '{large}small', twin(type)),
  },
  {
    name: 'expiry',
    before: copied,
    work: async (asking, type) => {
      await asking.ask('PEXPIRE', twin(type), 5);
      await delay(300);
    },
  },
];

/** The longest turn of the leader during some work by its processor time, ms; its event-loop delay where nobody tells that. */
async function longestTurn(cluster: BenchCluster, work: () => Promise<unknown>): Promise<number> {
  const leader = await cluster.leader();
  await startProbe(leader, 'none', true);
  await delay(marginMs);
  await work();
  await delay(marginMs);
  const { longestTurnMs, delayMs } = await stopProbe(leader, '');
  return longestTurnMs ?? delayMs.max;
}

/** Writes another key until a checkpoint that began meanwhile is finished. */
async function awaitCheckpoint(cluster: BenchCluster, asking: Asking): Promise<void> {
  const leader = await cluster.leader();
  const finished = async (): Promise<number> => (await leader.shard())?.checkpoints ?? 0;
  const before = await finished();
  while ((await finished()) < before + 2)
    for (let i = 0; i < 16; i++) await asking.ask('SET', 'filler', 'x'.repeat(fillerBytes));
}

async function typeRow(cluster: BenchCluster, asking: Asking, measure: Measure, rounds: number) {
  const row: number[] = [];
  for (const type of types) {
    const seen: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await measure.before?.(asking, type);
      seen.push(await longestTurn(cluster, () => measure.work(asking, type)));
    }
    row.push(median(seen));
  }
  return row;
}

async function run({ rounds, data, tell }: QuestionContext): Promise<Answer> {
  const directory = makeDirectory(data);
  const cluster = await BenchCluster.start(directory, { flags, nodeFlags: () => probeFlags });
  try {
    const target = await cluster.target();
    for (const type of types) await fillCollection(target, key(type), type, elements);
    await cluster.ready();
    tell(`large collections: four of ${whole(elements)} elements are there`);
    const asking = await Asking.open(target);
    const idle = await longestTurn(cluster, () => delay(1000));
    const figures: { name: string; ms: number[] }[] = [];
    for (const measure of measures) {
      figures.push({ name: measure.name, ms: await typeRow(cluster, asking, measure, rounds) });
      tell(`large collections: ${measure.name}`);
    }
    const checkpoints: number[] = [];
    for (let round = 0; round < rounds; round++)
      checkpoints.push(await longestTurn(cluster, () => awaitCheckpoint(cluster, asking)));
    tell('large collections: checkpoints');
    const flush = await longestTurn(cluster, () => asking.ask('FLUSHALL'));
    asking.close();
    const rows = figures.map(({ name, ms }) => [name, ...ms.map((each) => decimal(each, 1))]);
    rows.push([
      'two checkpoints of all, 64 KiB written at a time',
      decimal(median(checkpoints), 1),
      '',
      '',
      '',
    ]);
    rows.push(['FLUSHALL of all', decimal(flush, 1), '', '', '']);
    return {
      lines: [
        'Aim: under 20 ms. The longest turn of the event loop of the leader in ms of processor time, the median of the rounds.',
        '',
        ...markdownTable([['what is done', ...types], ...rows]),
        '',
        `- With nothing to do the longest turn took ${decimal(idle, 1)} ms. The system counts processor time to about 4 ms.`,
        `- During checkpoints the longest turns took, round by round, ${checkpoints.map((each) => decimal(each, 1)).join(', ')} ms, the collection of garbage included.`,
      ],
      figures: { idle, checkpoints, flush, figures },
    };
  } finally {
    await cluster.stop();
    removeDirectory(directory);
  }
}

export const largeCollections: Question = {
  name: 'large-collections',
  title: 'Longest turns with a list, a set, a hash and a sorted set of 1 million elements each',
  run,
};
