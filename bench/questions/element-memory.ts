import v8 from 'node:v8';
import vm from 'node:vm';
import { waitOne } from '../../src/cli/bench-pieces.ts';
import { Keyspace } from '../../src/state/keyspace.ts';
import { findProgram, makeDirectory, removeDirectory } from '../processes.ts';
import { ask, RedisReplication } from '../systems/redis.ts';
import { markdownTable, whole } from '../table.ts';
import { element, fillCollection, scoreOf, type TypeName, types } from './collections.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

const elements = 300_000;

type Bytes = Record<TypeName, number>;

/** Bytes of the heap behind a collection of garbage. */
function heapBytes(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** As effects fill a keyspace: strings of their own, as those that requests bring. */
function put(keyspace: Keyspace, type: TypeName, index: number): void {
  const name = Buffer.from(element(index)).latin1Slice();
  if (type === 'list') keyspace.listAppend('key', name);
  else if (type === 'set') keyspace.setAdd('key', name);
  else if (type === 'hash') keyspace.hashSet('key', name, Buffer.from(element(index)).latin1Slice());
  else keyspace.sortedSetPut('key', name, Number(scoreOf(index)));
}

/** Heap per element, and what the store itself counts. */
function ours(): { heap: Bytes; counted: Bytes } {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  const heap = {} as Bytes;
  const counted = {} as Bytes;
  for (const type of types) {
    const keyspace = new Keyspace();
    const before = heapBytes(collect);
    for (let i = 0; i < elements; i++) put(keyspace, type, i);
    heap[type] = (heapBytes(collect) - before) / elements;
    counted[type] = keyspace.memoryBytes / elements;
  }
  return { heap, counted };
}

async function redis(program: string, data: string): Promise<Bytes> {
  const directory = makeDirectory(data);
  const server = await RedisReplication.start(program, waitOne, directory);
  try {
    const bytes = {} as Bytes;
    for (const type of types) {
      await fillCollection(server.target, type, type, elements);
      bytes[type] = Number(await ask(server.target.port, 'MEMORY', 'USAGE', type, 'SAMPLES', '0')) / elements;
    }
    return bytes;
  } finally {
    await server.stop();
    removeDirectory(directory);
  }
}

async function run({ data, tell }: QuestionContext): Promise<Answer> {
  const { heap, counted } = ours();
  tell('element memory: bellwether done');
  const program = findProgram('redis-server');
  const theirs = program === null ? null : await redis(program, data);
  const row = (name: string, bytes: Bytes): string[] => [name, ...types.map((type) => whole(bytes[type]))];
  return {
    lines: [
      ...markdownTable([
        ['bytes per element', ...types],
        row('bellwether, heap', heap),
        row('bellwether, as maxmemory counts it', counted),
        ...(theirs === null ? [] : [row('redis, MEMORY USAGE', theirs)]),
      ]),
      '',
      `- ${whole(elements)} elements of 14 bytes each; a field of a hash has a value of 14 bytes, a member of a sorted set a score.`,
      ...(program === null ? ['- redis is left out: redis-server is not installed.'] : []),
    ],
    figures: { heap, counted, redis: theirs },
  };
}

export const elementMemory: Question = {
  name: 'element-memory',
  title: 'Memory per element of each type',
  run,
};
