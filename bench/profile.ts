// `npm run bench:profile`: where leader and follower spend their time and what they allocate, at a chosen load.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runLoad } from '../src/cli/bench-load.ts';
import { getPieces, setPieces } from '../src/cli/bench-pieces.ts';
import { type ProbeReport, type ProfileKind, probeFlags, startProbe, stopProbe } from './probe-client.ts';
import { makeDirectory, removeDirectory } from './processes.ts';
import {
  type AllocationProfile,
  type CpuProfile,
  functionOf,
  roomOf,
  selfAllocations,
  selfTimes,
  shareRows,
} from './profiles.ts';
import { fill, keyCount } from './resp-drive.ts';
import { BenchCluster, type BenchNode } from './systems/bellwether.ts';
import { decimal, markdownTable, percent, whole } from './table.ts';

const help = `Profiles a leader and a follower under load: self time and allocations per room and function, event-loop delay, and
pauses for garbage collection. Profiles can be opened in Chrome's developer tools.

npm run bench:profile -- [flags]
  --load <set|get>     what is asked (default set)
  --connections <n>    (default 50)
  --pipeline <n>       (default 1)
  --value-bytes <n>    (default 100)
  --seconds <n>        per profile (default 8)
  --warm-up <n>        seconds of load before each (default 4)
  --top <n>            functions to list (default 25)
  --keep <dir>         keep the .cpuprofile and .heapprofile files there
`;

const { values: given } = parseArgs({
  options: {
    load: { type: 'string', default: 'set' },
    connections: { type: 'string', default: '50' },
    pipeline: { type: 'string', default: '1' },
    'value-bytes': { type: 'string', default: '100' },
    seconds: { type: 'string', default: '8' },
    'warm-up': { type: 'string', default: '4' },
    top: { type: 'string', default: '25' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Runs the load with probes in both nodes; answers operations and what the probes saw. */
async function observe(
  cluster: BenchCluster,
  nodes: readonly BenchNode[],
  profile: ProfileKind,
  directory: string,
): Promise<{ operations: number; perSecond: number; reports: ProbeReport[] }> {
  const pieceOptions = {
    pipeline: Number(given.pipeline),
    keys: keyCount,
    valueBytes: Number(given['value-bytes']),
    barrier: null,
  };
  const target = await cluster.target();
  const starts: Promise<void>[] = [];
  const stops: Promise<ProbeReport>[] = [];
  const { operations, seconds } = await runLoad(
    {
      ...target,
      connections: Number(given.connections),
      pieces: given.load === 'get' ? getPieces(pieceOptions) : setPieces(pieceOptions),
      warmUpMs: Number(given['warm-up']) * 1000,
      measuredMs: Number(given.seconds) * 1000,
    },
    {
      began: () => {
        for (const node of nodes) starts.push(startProbe(node, profile));
      },
      ended: () => {
        for (const node of nodes) stops.push(stopProbe(node, profileFile(directory, node, profile)));
      },
    },
  );
  await Promise.all(starts);
  return { operations, perSecond: operations / seconds, reports: await Promise.all(stops) };
}

function profileFile(directory: string, { id }: BenchNode, profile: ProfileKind): string {
  return path.join(directory, `${id}.${profile === 'cpu' ? 'cpuprofile' : 'heapprofile'}`);
}

function read<T>(file: string): T {
  return JSON.parse(fs.readFileSync(file, 'utf8')) as T;
}

function paceLines(names: readonly string[], reports: readonly ProbeReport[], operations: number): string[] {
  const pauses = (report: ProbeReport): number[] => report.pauses.map(({ ms }) => ms);
  const rows = reports.map((report, i) => [
    names[i] as string,
    percent(report.utilization),
    decimal((report.cpuSeconds / operations) * 1e6, 1),
    whole(report.allocatedBytes / operations),
    decimal(report.delayMs.p50),
    decimal(report.delayMs.p99),
    decimal(report.delayMs.p999),
    decimal(report.delayMs.max, 1),
    String(report.pauses.length),
    decimal(Math.max(0, ...pauses(report)), 1),
    percent(pauses(report).reduce((sum, ms) => sum + ms, 0) / 1000 / report.seconds),
  ]);
  const heading = [
    'node',
    'event loop busy',
    'CPU µs per operation',
    'allocated B per operation',
    'delay p50 ms',
    'p99',
    'p99.9',
    'max',
    'collections',
    'longest ms',
    'share of time',
  ];
  return markdownTable([heading, ...rows]);
}

async function profileBoth(cluster: BenchCluster, directory: string): Promise<void> {
  const leader = await cluster.ready();
  const follower = cluster.nodes.find((node) => node !== leader) as BenchNode;
  const nodes = [leader, follower];
  const names = ['leader', 'follower'];
  if (given.load === 'get')
    await fill(await cluster.target(), null, 0, keyCount, Number(given['value-bytes']));
  const plain = await observe(cluster, nodes, 'none', directory);
  const load = `${given.load.toUpperCase()}, ${given.connections} connections × ${given.pipeline}, ${given['value-bytes']}-byte values`;
  say(
    `## ${load}: ${whole(plain.perSecond)}/s`,
    '',
    ...paceLines(names, plain.reports, plain.operations),
    '',
  );
  const top = Number(given.top);
  const cpu = await observe(cluster, nodes, 'cpu', directory);
  nodes.forEach((node, i) => {
    const profile = read<CpuProfile>(profileFile(directory, node, 'cpu'));
    const micros = (value: number): string => (value / cpu.operations).toFixed(2);
    for (const [what, by] of [
      ['room', roomOf],
      ['function', functionOf],
    ] as const)
      say(
        `### ${names[i]}: self time by ${what}`,
        '',
        ...markdownTable([
          [what, 'µs per operation', 'share'],
          ...shareRows(selfTimes(profile, by), top, micros),
        ]),
        '',
      );
  });
  const allocation = await observe(cluster, nodes, 'allocation', directory);
  nodes.forEach((node, i) => {
    const profile = read<AllocationProfile>(profileFile(directory, node, 'allocation'));
    const bytes = (value: number): string => (value / allocation.operations).toFixed(1);
    say(
      `### ${names[i]}: allocations by function`,
      '',
      ...markdownTable([
        ['function', 'bytes per operation', 'share'],
        ...shareRows(selfAllocations(profile, functionOf), top, bytes),
      ]),
      '',
    );
  });
}

if (given.help) {
  process.stdout.write(help);
  process.exit(0);
}
const data = makeDirectory(os.tmpdir());
const cluster = await BenchCluster.start(data, { nodeFlags: () => probeFlags });
try {
  await profileBoth(cluster, data);
  if (given.keep !== undefined) {
    fs.mkdirSync(given.keep, { recursive: true });
    for (const name of fs.readdirSync(data))
      if (/\.(cpu|heap)profile$/.test(name))
        fs.copyFileSync(path.join(data, name), path.join(given.keep, name));
  }
} finally {
  await cluster.stop();
  removeDirectory(data);
}
