import { runLoad } from '../../src/cli/bench-load.ts';
import { setPieces } from '../../src/cli/bench-pieces.ts';
import type { LatencyHistogram } from '../../src/cli/latency-histogram.ts';
import { runOpenLoad } from '../open-loop.ts';
import { type ProbeReport, probeFlags, startProbe, stopProbe } from '../probe-client.ts';
import { makeDirectory, removeDirectory } from '../processes.ts';
import { BenchCluster, type BenchNode } from '../systems/bellwether.ts';
import { decimal, markdownTable, whole } from '../table.ts';
import { fillMillion, million, millionValueBytes } from './million.ts';
import type { Answer, Question, QuestionContext } from './question.ts';

const connections = 50;
/** So small that several checkpoints fall into what is measured. */
const flags = ['--checkpoint-bytes', '32mb'];
/** A checkpoint takes a while: shorter runs may see none. */
const secondsMin = 20;

async function checkpoints(node: BenchNode): Promise<number> {
  return (await node.shard())?.checkpoints ?? 0;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function rowOf(name: string, report: ProbeReport, count: number): string[] {
  const pauses = report.pauses.map(({ ms }) => ms);
  return [
    name,
    decimal(report.delayMs.p99),
    decimal(report.delayMs.p999),
    decimal(report.delayMs.max),
    String(pauses.length),
    decimal(quantile(pauses, 0.999)),
    decimal(Math.max(0, ...pauses)),
    String(count),
  ];
}

async function measure(cluster: BenchCluster, seconds: number, warmUpMs: number) {
  const leader = await cluster.ready();
  const follower = cluster.nodes.find((node) => node !== leader) as BenchNode;
  const nodes = [leader, follower];
  const target = await cluster.target();
  const pieces = setPieces({ pipeline: 1, keys: million, valueBytes: millionValueBytes, barrier: null });
  const closed = await runLoad({ ...target, connections, pieces, warmUpMs, measuredMs: 3000 });
  const ratePerSecond = Math.floor(closed.operations / closed.seconds / 2);
  const before = await Promise.all(nodes.map(checkpoints));
  const starts: Promise<void>[] = [];
  const stops: Promise<ProbeReport>[] = [];
  const result = await runOpenLoad(
    {
      ...target,
      connections,
      ratePerSecond,
      pieces: pieces.map((piece) => ({ piece, kind: 'write' })),
      warmUpMs,
      measuredMs: seconds * 1000,
    },
    {
      began: () => {
        for (const node of nodes) starts.push(startProbe(node, 'none'));
      },
      ended: () => {
        for (const node of nodes) stops.push(stopProbe(node, ''));
      },
    },
  );
  await Promise.all(starts);
  const reports = (await Promise.all(stops)) as [ProbeReport, ProbeReport];
  const after = await Promise.all(nodes.map(checkpoints));
  const counts = after.map((count, i) => count - (before[i] as number)) as [number, number];
  return { ratePerSecond, latency: result.latency, lateness: result.lateness, reports, counts };
}

function latencyLine(ratePerSecond: number, latency: LatencyHistogram, lateness: LatencyHistogram): string {
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => decimal(latency.quantile(share)));
  return `- Clients, open loop at ${whole(ratePerSecond)} writes/s (half of what the nodes reach): p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms, corrected for coordinated omission; the generator was late by ${decimal(lateness.quantile(0.99))} ms at p99.`;
}

async function run({ seconds, warmUp, data, tell }: QuestionContext): Promise<Answer> {
  const directory = makeDirectory(data);
  const cluster = await BenchCluster.start(directory, { flags, nodeFlags: () => probeFlags });
  try {
    await fillMillion(cluster);
    tell('pauses: a million keys are there');
    const duration = Math.max(seconds, secondsMin);
    const { ratePerSecond, latency, lateness, reports, counts } = await measure(
      cluster,
      duration,
      warmUp * 1000,
    );
    const heading = [
      'node',
      'event-loop delay p99 ms',
      'p99.9 ms',
      'max ms',
      'collections',
      'their p99.9 ms',
      'longest ms',
      'checkpoints meanwhile',
    ];
    const rows = [rowOf('leader', reports[0], counts[0]), rowOf('follower', reports[1], counts[1])];
    return {
      lines: [
        'Aim: under 20 ms at p99.9.',
        '',
        ...markdownTable([heading, ...rows]),
        '',
        latencyLine(ratePerSecond, latency, lateness),
        '- Event-loop delay is by how much a timer of 1 ms was late (`perf_hooks`), whatever kept the loop: collection of garbage, a checkpoint, a long turn, or the scheduler of a busy machine.',
        ...(counts.some((count) => count === 0)
          ? ['- **A node finished no checkpoint meanwhile: measure for longer.**']
          : []),
      ],
      figures: { ratePerSecond, reports, counts, p999: latency.quantile(0.999) },
    };
  } finally {
    await cluster.stop();
    removeDirectory(directory);
  }
}

export const pauses: Question = {
  name: 'pauses',
  title: 'Pauses for garbage collection and checkpoints with 1 million keys',
  run,
};
