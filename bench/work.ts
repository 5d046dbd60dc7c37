// `npm run bench:work`: what a write costs in system calls, bytes, flushes and allocations, against stored budgets.
// Counts, not times: they hold on a busy machine too.
import fs from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { runOnce } from '../src/cli/bench-load.ts';
import { setPieces } from '../src/cli/bench-pieces.ts';
import { probeFlags, startProbe, stopProbe } from './probe-client.ts';
import { hasProc, ioCounts } from './proc.ts';
import { makeDirectory, removeDirectory } from './processes.ts';
import { keyCount } from './resp-drive.ts';
import { CallCounter, cannotTrace } from './system-calls.ts';
import { BenchCluster } from './systems/bellwether.ts';
import { markdownTable } from './table.ts';
import { type Budgets, budgetOf, leastOf, measures, overBudget, type Work } from './work-budget.ts';

const budgetFile = fileURLToPath(new URL('./work-budgets.json', import.meta.url));
const loads = [
  { name: '1 connection', connections: 1, pipeline: 1, operations: 1000 },
  { name: '50 connections × 16', connections: 50, pipeline: 16, operations: 48_000 },
];
type WorkLoad = (typeof loads)[number];
const rounds = 2;
const idleMs = 1000;
/** What a budget written by this program leaves above what was measured. */
const margin = 0.3;

/** What was done in some time. */
interface Counted {
  readonly ms: number;
  readonly counts: readonly number[];
}

async function load(cluster: BenchCluster, { connections, pipeline, operations }: WorkLoad): Promise<void> {
  const pieces = setPieces({ pipeline, keys: keyCount, valueBytes: 100, barrier: null });
  const wanted = operations / pipeline;
  const all = Array.from({ length: wanted }, (_, i) => pieces[i % pieces.length] as (typeof pieces)[number]);
  await runOnce(await cluster.target(), connections, all);
}

function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, idleMs));
}

async function ofProcesses(cluster: BenchCluster, what: () => Promise<void>): Promise<Counted> {
  const read = async () => ({ ...ioCounts(cluster.pids), flushes: (await cluster.flushes()) ?? Number.NaN });
  await Promise.all(cluster.nodes.map((node) => startProbe(node, 'none')));
  const before = await read();
  const began = performance.now();
  await what();
  const ms = performance.now() - began;
  const after = await read();
  const reports = await Promise.all(cluster.nodes.map((node) => stopProbe(node, '')));
  const allocated = reports.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const counts = [
    after.calls - before.calls,
    after.bytes - before.bytes,
    after.flushes - before.flushes,
    allocated,
  ];
  return { ms, counts };
}

async function ofCalls(cluster: BenchCluster, what: () => Promise<void>): Promise<Counted> {
  const counter = await CallCounter.attach(cluster.pids);
  const began = performance.now();
  await what();
  const ms = performance.now() - began;
  return { ms, counts: [(await counter.stop()) ?? Number.NaN] };
}

/** Per operation, beyond what the same time costs when nothing is asked. */
function beyondIdle(busy: Counted, still: Counted, operations: number): number[] {
  return busy.counts.map(
    (count, i) => Math.max(0, count - ((still.counts[i] as number) * busy.ms) / still.ms) / operations,
  );
}

async function measure(cluster: BenchCluster, what: WorkLoad, traced: boolean): Promise<Work> {
  const results: Work[] = [];
  await load(cluster, what);
  const still = await ofProcesses(cluster, idle);
  const stillCalls = traced ? await ofCalls(cluster, idle) : null;
  for (let round = 0; round < rounds; round++) {
    const busy = await ofProcesses(cluster, () => load(cluster, what));
    const [readsAndWrites, bytesWritten, flushes, bytesAllocated] = beyondIdle(
      busy,
      still,
      what.operations,
    ) as [number, number, number, number];
    let systemCalls: number | null = null;
    if (stillCalls !== null) {
      const calls = await ofCalls(cluster, () => load(cluster, what));
      systemCalls = beyondIdle(calls, stillCalls, what.operations)[0] as number;
    }
    results.push({ systemCalls, readsAndWrites, bytesWritten, flushes, bytesAllocated });
    cluster.check();
  }
  return leastOf(results);
}

function line(name: string, work: Work, budget: Budgets[string]): string[] {
  return [
    name,
    ...measures.map((measure) => {
      const value = work[measure];
      return `${value === null ? '–' : Number(value.toPrecision(3))} / ${budget[measure]}`;
    }),
  ];
}

const write = process.argv.includes('--write');
if (!hasProc) {
  console.log('SKIPPED: there is no /proc here, and nothing else tells what processes do');
  process.exit(0);
}
const why = cannotTrace();
if (why !== null)
  console.log(`SKIPPED: all system calls are not counted: ${why}; those that read or write are`);
const budgets = JSON.parse(fs.readFileSync(budgetFile, 'utf8')) as Budgets;
const data = makeDirectory(os.tmpdir());
const cluster = await BenchCluster.start(data, { nodeFlags: () => probeFlags });
const found: Record<string, Budgets[string]> = {};
const table = [['load', ...measures]];
const failures: string[] = [];
try {
  for (const what of loads) {
    const work = await measure(cluster, what, why === null);
    const budget = write ? budgetOf(work, margin, budgets[what.name]) : budgets[what.name];
    if (budget === undefined) throw new Error(`there is no budget for ${what.name}`);
    found[what.name] = budget;
    table.push(line(what.name, work, budget));
    for (const measure of overBudget(work, budget)) failures.push(`${what.name}: ${measure}`);
  }
} finally {
  await cluster.stop();
  removeDirectory(data);
}
console.log('Work of three nodes per write of 100 bytes, beyond what they do when idle / budget:\n');
console.log(markdownTable(table).join('\n'));
if (write) fs.writeFileSync(budgetFile, `${JSON.stringify(found, null, 2)}\n`);
for (const failure of failures) console.log(`OVER BUDGET ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);
