import { waitOne } from '../../src/cli/bench-pieces.ts';
import { residentBytes } from '../proc.ts';
import { findProgram, makeDirectory, removeDirectory } from '../processes.ts';
import { fill } from '../resp-drive.ts';
import { BenchCluster } from '../systems/bellwether.ts';
import { ask, RedisReplication } from '../systems/redis.ts';
import { markdownTable, whole } from '../table.ts';
import { fillMillion, million, millionValueBytes } from './million.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

const settleMs = 5000;

interface Memory {
  readonly what: string;
  /** Growth of the resident size, bytes; null where the system does not tell. */
  readonly resident: number | null;
  /** Growth of what the store itself counts, bytes. */
  readonly counted: number | null;
}

function growth(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}

async function ours(data: string): Promise<Memory[]> {
  const directory = makeDirectory(data);
  const cluster = await BenchCluster.start(directory);
  try {
    const leader = await cluster.ready();
    const before = cluster.nodes.map(({ process }) => residentBytes([process?.pid as number]));
    await fillMillion(cluster);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const rows: Memory[] = [];
    for (const [i, node] of cluster.nodes.entries()) {
      const resident = growth(before[i] ?? null, residentBytes([node.process?.pid as number]));
      const counted = (await node.shard())?.memoryBytes ?? null;
      rows.push({ what: node === leader ? 'bellwether, leader' : 'bellwether, follower', resident, counted });
    }
    return rows.sort((a, b) => b.what.localeCompare(a.what));
  } finally {
    await cluster.stop();
    removeDirectory(directory);
  }
}

async function usedMemory(port: number): Promise<number | null> {
  const match = /^used_memory:(\d+)/m.exec(String(await ask(port, 'INFO', 'memory')));
  return match === null ? null : Number(match[1]);
}

async function redis(data: string, program: string): Promise<Memory[]> {
  const directory = makeDirectory(data);
  const server = await RedisReplication.start(program, waitOne, directory);
  try {
    const [pid] = server.pids as [number];
    const { port } = server.target;
    const before = { resident: residentBytes([pid]), used: await usedMemory(port) };
    await fill(server.target, waitOne, 0, million, millionValueBytes);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return [
      {
        what: 'redis, primary',
        resident: growth(before.resident, residentBytes([pid])),
        counted: growth(before.used, await usedMemory(port)),
      },
    ];
  } finally {
    await server.stop();
    removeDirectory(directory);
  }
}

async function run({ data, tell }: QuestionContext): Promise<Answer> {
  const rows = await ours(data);
  tell('memory: bellwether done');
  const program = findProgram('redis-server');
  const others = program === null ? [] : await redis(data, program);
  const all = [...rows, ...others];
  const cell = (bytes: number | null): string => (bytes === null ? '–' : whole(bytes / million));
  const heading = ['process', 'resident B per key', 'counted by the store, B per key'];
  return {
    lines: [
      ...markdownTable([
        heading,
        ...all.map(({ what, resident, counted }) => [what, cell(resident), cell(counted)]),
      ]),
      '',
      `- ${whole(million)} keys of 15 bytes with values of ${millionValueBytes}; growth of the resident size from the empty store to ${settleMs / 1000} s after the last write, garbage and cached log included.`,
      ...(program === null ? ['- redis is left out: redis-server is not installed.'] : []),
    ],
    figures: all,
  };
}

export const memory: Question = { name: 'memory', title: 'Memory per key, 1 million keys of 100 bytes', run };
