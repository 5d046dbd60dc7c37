import { runLoad, runOnce } from '../../src/cli/bench-load.ts';
import { fillPieces, setPieces } from '../../src/cli/bench-pieces.ts';
import { makeDirectory, removeDirectory, until } from '../processes.ts';
import { keyCount } from '../resp-drive.ts';
import { median } from '../statistics.ts';
import { BenchCluster, type BenchNode } from '../systems/bellwether.ts';
import { decimal, markdownTable, percent, whole } from '../table.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

const gapBytes = 512 << 20;
const gapValueBytes = 10 << 10;
const gapKeys = 2000;
const megabyte = 1e6;
const connections = 50;
const sampleMs = 50;
/** Below this the follower follows, and the rate would be that of the load. */
const closeBytes = 4 << 20;

interface Result {
  /** Bytes per second that the follower took beyond what was added meanwhile. */
  readonly bytesPerSecond: number;
  readonly seconds: number;
  /** Throughput of the leader while the follower caught up, beside that of the two nodes that were left before. */
  readonly kept: number;
  readonly alone: number;
  readonly meanwhile: number;
}

/** Writes much while the follower is away. */
async function widen(cluster: BenchCluster): Promise<void> {
  const target = await cluster.target();
  const options = { pipeline: 8, keys: gapKeys, valueBytes: gapValueBytes, barrier: null };
  const once = fillPieces(0, gapKeys, options);
  const times = Math.ceil(gapBytes / (gapKeys * gapValueBytes));
  for (let i = 0; i < times; i++) await runOnce(target, 8, once);
}

async function lagOf(leader: BenchNode, id: string): Promise<{ bytes: number; inSync: boolean } | null> {
  const followers = (await leader.shard())?.followers ?? [];
  const follower = followers.find(({ node }) => node === id);
  return follower === undefined ? null : { bytes: follower.lag.flushed.bytes, inSync: follower.inSync };
}

async function once(data: string, ms: number, warmUpMs: number): Promise<Result> {
  const directory = makeDirectory(data);
  const cluster = await BenchCluster.start(directory, { flags: ['--retention-bytes', '8gb'] });
  try {
    const leader = await cluster.ready();
    const away = cluster.nodes.find((node) => node !== leader) as BenchNode;
    await cluster.stopNode(away);
    await widen(cluster);
    const pieces = setPieces({ pipeline: 1, keys: keyCount, valueBytes: 100, barrier: null });
    const load = { ...(await cluster.target()), connections, pieces, warmUpMs };
    const before = await runLoad({ ...load, measuredMs: ms });
    const alone = before.operations / before.seconds;
    return await catchUp(cluster, leader, away, load, alone);
  } finally {
    await cluster.stop();
    removeDirectory(directory);
  }
}

/** Starts the follower while the load runs; what counts is the time from its first bytes until it has nearly all. */
async function catchUp(
  cluster: BenchCluster,
  leader: BenchNode,
  away: BenchNode,
  load: Omit<Parameters<typeof runLoad>[0], 'measuredMs'>,
  alone: number,
): Promise<Result> {
  const sliceMs = 250;
  let done = false;
  const rates: number[] = [];
  let from = { atMs: 0, bytes: 0 };
  let moving = false;
  const loading = (async () => {
    while (!done) {
      const slice = await runLoad({ ...load, warmUpMs: 0, measuredMs: sliceMs });
      if (moving && !done) rates.push(slice.operations / slice.seconds);
    }
  })();
  cluster.startNode(away);
  try {
    const end = await until(
      'the follower has caught up',
      async () => {
        cluster.check();
        const lag = await lagOf(leader, away.id);
        await new Promise((resolve) => setTimeout(resolve, sampleMs));
        if (lag === null) return null;
        const nowMs = performance.now();
        if (!moving) {
          // The first bytes have arrived when the lag begins to fall.
          if (from.bytes > 0 && lag.bytes < from.bytes - closeBytes) moving = true;
          else from = { atMs: nowMs, bytes: lag.bytes };
        }
        return moving && lag.bytes < closeBytes ? { atMs: nowMs, bytes: lag.bytes } : null;
      },
      300_000,
    );
    const seconds = (end.atMs - from.atMs) / 1000;
    const meanwhile = rates.length === 0 ? Number.NaN : median(rates);
    return {
      bytesPerSecond: (from.bytes - end.bytes) / seconds,
      seconds,
      kept: meanwhile / alone,
      alone,
      meanwhile,
    };
  } finally {
    done = true;
    await loading;
  }
}

async function run({ rounds, seconds, warmUp, data, tell }: QuestionContext): Promise<Answer> {
  const results: Result[] = [];
  for (let round = 0; round < rounds; round++) {
    results.push(await once(data, seconds * 1000, warmUp * 1000));
    tell(`catch-up round ${round + 1}: ${whole((results.at(-1) as Result).bytesPerSecond / megabyte)} MB/s`);
  }
  const of = (value: (result: Result) => number): number => median(results.map(value));
  const heading = ['follower MB/s', 'seconds', 'writes/s before', 'writes/s meanwhile', 'kept'];
  const row = [
    whole(of(({ bytesPerSecond }) => bytesPerSecond) / megabyte),
    decimal(of((result) => result.seconds)),
    whole(of(({ alone }) => alone)),
    whole(of(({ meanwhile }) => meanwhile)),
    percent(of(({ kept }) => kept)),
  ];
  return {
    lines: [
      'Aim: 100 MB/s or more, while the leader keeps 80 % of its throughput.',
      '',
      ...markdownTable([heading, row]),
      '',
      `- A follower comes back after ${gapBytes >> 20} MiB of values of ${gapValueBytes >> 10} KiB, while ${connections} connections write 100 bytes each. 'before' is with two nodes of three.`,
    ],
    figures: results,
  };
}

export const catchUpRate: Question = {
  name: 'catch-up',
  title: 'Catch-up of a follower while the leader writes',
  run,
};
