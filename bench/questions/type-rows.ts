import { runLoad } from '../../src/cli/bench-load.ts';
import { type Barrier, type Piece, request, waitOne } from '../../src/cli/bench-pieces.ts';
import type { LoadTarget } from '../../src/cli/checked-connection.ts';
import { findProgram, makeDirectory, removeDirectory } from '../processes.ts';
import { median, medianRatio } from '../statistics.ts';
import type { Running } from '../system.ts';
import { BenchCluster } from '../systems/bellwether.ts';
import { RedisReplication } from '../systems/redis.ts';
import { decimal, markdownTable, whole } from '../table.ts';
import { element, fillCollection, patientFlags, scoreOf, types } from './collections.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

/** Pushes to a list answer seven digits whatever comes, when it begins with so many items. */
const elements = { list: 1_000_000, set: 100_000, hash: 100_000, zset: 100_000 } as const;
const connections = 50;
const pipeline = 16;
const piecesAhead = 1024;

interface Load {
  readonly name: string;
  readonly write: boolean;
  /** `nth` counts in a batch. */
  readonly request: (index: number, nth: number) => string;
  /** Digits may be any, where they stand for 0. */
  readonly reply: (index: number) => string;
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const digit = (): string => ':0\r\n';
const random = (bound: number): number => Math.floor(Math.random() * bound);

/** Writes go to so few elements, so that each changes something; reads ask for the others. */
const changing = 1000;
/** A member that comes and goes. */
let member = '';

const loads: readonly Load[] = [
  {
    name: 'LPUSH',
    write: true,
    request: (i) => request('LPUSH', 'list', element(i)),
    reply: () => ':0000000\r\n',
  },
  {
    name: 'SADD and SREM in turn',
    write: true,
    request: (i, nth) => {
      if (nth % 2 === 0) member = element(elements.set + i);
      return request(nth % 2 === 0 ? 'SADD' : 'SREM', 'set', member);
    },
    reply: digit,
  },
  {
    name: 'HSET',
    write: true,
    request: (i) => request('HSET', 'hash', element(i % changing), element(i)),
    reply: digit,
  },
  {
    name: 'ZADD',
    write: true,
    request: (i) => request('ZADD', 'zset', scoreOf(random(elements.zset)), element(i % changing)),
    reply: digit,
  },
  {
    name: 'LINDEX',
    write: false,
    request: (i) => request('LINDEX', 'list', String(-1 - i)),
    reply: (i) => bulk(element(elements.list - 1 - i)),
  },
  {
    name: 'SISMEMBER',
    write: false,
    request: (i) => request('SISMEMBER', 'set', element(i)),
    reply: () => ':1\r\n',
  },
  {
    name: 'HGET',
    write: false,
    request: (i) => request('HGET', 'hash', element(i)),
    reply: (i) => bulk(element(i)),
  },
  {
    name: 'ZSCORE',
    write: false,
    request: (i) => request('ZSCORE', 'zset', element(i)),
    reply: () => bulk('000000'),
  },
];

/** Requests of elements that were chosen at random, and the replies that must come. */
function piecesOf(load: Load, barrier: Barrier | null): Piece[] {
  return Array.from({ length: piecesAhead }, () => {
    let requests = '';
    let expected = '';
    const ends: number[] = [];
    for (let i = 0; i < pipeline; i++) {
      const index = changing + random(elements.hash - changing);
      requests += load.request(index, i);
      expected += load.reply(index);
      ends.push(expected.length);
    }
    const zeros = load.reply(0).includes('element') ? [] : zerosIn(expected);
    if (barrier === null || !load.write)
      return { request: Buffer.from(requests), expected: Buffer.from(expected), ends, atLeast: zeros };
    const whole = expected + barrier.expected;
    return {
      request: Buffer.from(requests + request(...barrier.request)),
      expected: Buffer.from(whole),
      ends: ends.map(() => whole.length),
      atLeast: [...zeros, ...barrier.atLeast.map((offset) => expected.length + offset)],
    };
  });
}

function zerosIn(text: string): number[] {
  return [...text].flatMap((character, at) => (character === '0' ? [at] : []));
}

interface Side {
  readonly name: string;
  readonly barrier: Barrier | null;
  readonly start: (
    directory: string,
  ) => Promise<Running & { target: LoadTarget | (() => Promise<LoadTarget>) }>;
}

type Rates = Map<string, Map<number, number>>;

/** Every load in turn on one system. */
async function measureSide(side: Side, round: number, rates: Rates, context: QuestionContext): Promise<void> {
  const directory = makeDirectory(context.data);
  const running = await side.start(directory);
  try {
    const target = typeof running.target === 'function' ? await running.target() : running.target;
    for (const type of types) await fillCollection(target, type, type, elements[type]);
    for (const load of loads) {
      const pieces = piecesOf(load, side.barrier);
      const { operations, seconds } = await runLoad({
        ...target,
        connections,
        pieces,
        warmUpMs: context.warmUp * 1000,
        measuredMs: context.seconds * 1000,
      });
      const own = rates.get(load.name) ?? new Map<number, number>();
      rates.set(load.name, own.set(round, operations / seconds));
      context.tell(`types round ${round + 1} ${side.name} ${load.name}: ${whole(operations / seconds)}/s`);
    }
  } finally {
    await running.stop();
    removeDirectory(directory);
  }
}

async function run(context: QuestionContext): Promise<Answer> {
  const program = findProgram('redis-server');
  const bellwether: Side = {
    name: 'bellwether',
    barrier: null,
    start: (dir) => BenchCluster.start(dir, { flags: patientFlags }),
  };
  const sides: Side[] = [bellwether];
  if (program !== null)
    sides.push({
      name: 'redis',
      barrier: waitOne,
      start: (dir) => RedisReplication.start(program, waitOne, dir),
    });
  const all = new Map(sides.map(({ name }) => [name, new Map() as Rates]));
  for (let round = 0; round < context.rounds; round++)
    for (const side of sides) await measureSide(side, round, all.get(side.name) as Rates, context);
  const rateOf = (side: string, load: string): Map<number, number> => all.get(side)?.get(load) ?? new Map();
  const rows = loads.map(({ name }) => {
    const [own, theirs] = [rateOf('bellwether', name), rateOf('redis', name)];
    const ratio = medianRatio(own, theirs);
    return [
      name,
      whole(median([...own.values()])),
      theirs.size === 0 ? '–' : whole(median([...theirs.values()])),
      ratio === null ? '–' : `${decimal(ratio)}×`,
    ];
  });
  return {
    lines: [
      ...markdownTable([['command', 'bellwether, per s', 'redis, per s', 'ratio'], ...rows]),
      '',
      `- ${connections} connections, ${pipeline} commands at a time, elements of 14 bytes of one key: a list of ${whole(elements.list)}, the others of ${whole(elements.set)}.`,
      '- Bellwether: three nodes, OK when a majority has it on disk, linearizable reads. Redis: a primary and two replicas, `appendfsync always`, `WAIT 1` behind each batch of writes; its reads promise nothing.',
      ...(program === null ? ['- redis is left out: redis-server is not installed.'] : []),
    ],
    figures: Object.fromEntries(
      [...all].map(([side, rates]) => [
        side,
        Object.fromEntries([...rates].map(([load, own]) => [load, [...own.values()]])),
      ]),
    ),
  };
}

export const typeRows: Question = {
  name: 'types',
  title: 'A write and a read of each type, beside Redis with the same guarantee',
  run,
};
