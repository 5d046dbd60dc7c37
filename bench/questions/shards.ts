import { setTimeout as delay } from 'node:timers/promises';
import { runLoad } from '../../src/cli/bench-load.ts';
import { keyOf, type Piece, setPieces } from '../../src/cli/bench-pieces.ts';
import { evenShardMap, type ShardPlacement } from '../../src/cluster/shard-map.ts';
import { slotOf } from '../../src/state/slot.ts';
import { usageOf } from '../proc.ts';
import { host, makeDirectory, removeDirectory, until } from '../processes.ts';
import { keyCount } from '../resp-drive.ts';
import { median } from '../statistics.ts';
import { BenchCluster } from '../systems/bellwether.ts';
import { decimal, markdownTable, percent, whole } from '../table.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

/** A multiple of all counts of shards, so that each shard gets as many connections as the others. */
const connections = 48;
const pipeline = 16;
const valueBytes = 100;
const counts = [1, 6] as const;
/** Time in which leaderships go where they are preferred. */
const spreadMs = 5000;

interface Result {
  readonly perSecond: number;
  /** Processor microseconds of all nodes per write; null where the system does not tell. */
  readonly cpuMicros: number | null;
}

/** The port of each shard's leader, by shard. */
function leaderPorts(cluster: BenchCluster, shards: number): Promise<Map<number, number>> {
  return until('every shard has a leader that serves', async () => {
    cluster.check();
    const found = new Map<number, number>();
    for (const node of cluster.nodes)
      for (const shard of (await node.status())?.shards ?? [])
        if (shard.role === 'leader' && shard.serving) found.set(shard.shard, node.port);
    return found.size === shards ? found : null;
  });
}

/** SETs of random keys of one shard. */
function piecesOf({ slots }: ShardPlacement): Piece[] {
  const keys: string[] = [];
  for (let i = 0; i < keyCount; i++) {
    const key = keyOf(i);
    const slot = slotOf(key);
    if (slots.some(({ from, to }) => from <= slot && slot <= to)) keys.push(key);
  }
  const chooseKey = (): string => keys[Math.floor(Math.random() * keys.length)] as string;
  return setPieces({ pipeline, keys: keyCount, valueBytes, barrier: null, chooseKey });
}

async function once(shards: number, { data, seconds, warmUp }: QuestionContext): Promise<Result> {
  const directory = makeDirectory(data);
  const cluster = await BenchCluster.start(directory, { flags: ['--shards', String(shards)] });
  try {
    await leaderPorts(cluster, shards);
    await delay(spreadMs);
    const ports = await leaderPorts(cluster, shards);
    const { placements } = evenShardMap(
      shards,
      cluster.nodes.map(({ id }) => id),
    );
    let before = usageOf([]);
    let after = usageOf([]);
    const window = {
      began: () => {
        before = usageOf(cluster.pids);
      },
      ended: () => {
        after = usageOf(cluster.pids);
      },
    };
    const results = await Promise.all(
      placements.map((placement, i) =>
        runLoad(
          {
            host,
            port: ports.get(placement.shard) as number,
            password: '',
            connections: connections / shards,
            pieces: piecesOf(placement),
            warmUpMs: warmUp * 1000,
            measuredMs: seconds * 1000,
          },
          i === 0 ? window : undefined,
        ),
      ),
    );
    cluster.check();
    const operations = results.reduce((sum, result) => sum + result.operations, 0);
    const perSecond = results.reduce((sum, result) => sum + result.operations / result.seconds, 0);
    const known = before.cpuSeconds !== null && after.cpuSeconds !== null;
    const used = (after.cpuSeconds ?? 0) - (before.cpuSeconds ?? 0);
    return { perSecond, cpuMicros: known ? (used / operations) * 1e6 : null };
  } finally {
    await cluster.stop();
    removeDirectory(directory);
  }
}

async function run(context: QuestionContext): Promise<Answer> {
  const results = new Map<number, Result[]>(counts.map((count) => [count, []]));
  for (let round = 0; round < context.rounds; round++)
    for (const count of counts) {
      const result = await once(count, context);
      (results.get(count) as Result[]).push(result);
      context.tell(`shards round ${round + 1}, ${count}: ${whole(result.perSecond)}/s`);
    }
  const of = (count: number): Result[] => results.get(count) as Result[];
  const rows = counts.map((count) => {
    const ratios = of(count).map(({ perSecond }, round) => perSecond / (of(1)[round] as Result).perSecond);
    const cpu = of(count).map(({ cpuMicros }) => cpuMicros ?? Number.NaN);
    return [
      String(count),
      whole(median(of(count).map(({ perSecond }) => perSecond))),
      percent(median(ratios)),
      decimal(median(cpu)),
    ];
  });
  return {
    lines: [
      'Aim: 6 shards cost at most 15 %.',
      '',
      ...markdownTable([['shards', 'writes/s', 'beside 1 shard', 'CPU µs per write'], ...rows]),
      '',
      `- ${connections} connections × ${pipeline} in all, ${valueBytes}-byte values; every connection writes keys of one shard, to its leader. Three nodes; 6 shards have their leaders on all of them.`,
    ],
    figures: Object.fromEntries(results),
  };
}

export const shards: Question = { name: 'shards', title: 'Six shards against one', run };
