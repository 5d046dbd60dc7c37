import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { FlushCounter } from './flush-counter.ts';
import { type DiskCounts, diskCounts, type Usage, usageOf } from './proc.ts';
import { makeDirectory, removeDirectory } from './processes.ts';
import type { Driven, DriveOptions, Row, Running, System } from './system.ts';

/** One system under one load, once. */
export interface Sample {
  readonly row: string;
  readonly system: string;
  readonly round: number;
  readonly operations: number;
  readonly perSecond: number;
  /** Latencies, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** p99 of the writes alone where the load mixes them with reads, ms. */
  readonly writeP99: number | null;
  /** p99 of how late the generator itself sent, in the open loop, ms. */
  readonly latenessP99: number | null;
  /** Processor seconds of the servers per million operations. */
  readonly cpuPerMillion: number | null;
  /** Bytes that the servers handed to the storage layer, as the system accounts for them. */
  readonly bytesPerOperation: number | null;
  /** Bytes that the machine's disks wrote, whoever asked. */
  readonly diskBytesPerOperation: number | null;
  /** Flushes of all servers, per 1,000 operations, and who counted them. */
  readonly flushesPerThousand: number | null;
  readonly flushSource: 'own' | 'perf' | null;
  /** Flush requests that the machine's disks completed per second, whoever asked. */
  readonly diskFlushesPerSecond: number | null;
  /** Share of the time in which the generator was not idle; null when it is another program. */
  readonly generatorBusy: number | null;
}

/** What is read at the two ends of the measured time. */
interface Reading extends Usage {
  readonly disk: DiskCounts | null;
  readonly loop: ReturnType<typeof performance.eventLoopUtilization>;
}

function read(running: Running): Reading {
  return {
    ...usageOf(running.pids),
    disk: diskCounts(),
    loop: performance.eventLoopUtilization(),
  };
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}

function per(value: number | null, count: number): number | null {
  return value === null || count === 0 ? null : value / count;
}

/** Lets the disk finish what was written before, so that the next system does not pay for it. */
function settle(): void {
  spawnSync('sync');
}

/** Starts the system with fresh data, measures it under the load, and stops it. */
export async function takeSample(
  system: System,
  row: Row,
  round: number,
  options: DriveOptions & { readonly data: string },
): Promise<Sample> {
  const directory = makeDirectory(options.data);
  let running: Running | null = null;
  try {
    running = await system.start(directory);
    settle();
    return await measure(system, running, row, round, options);
  } finally {
    await running?.stop();
    removeDirectory(directory);
  }
}

async function measure(
  { name }: System,
  running: Running,
  row: Row,
  round: number,
  options: DriveOptions,
): Promise<Sample> {
  const counter = await FlushCounter.attach(running.pids);
  let before: Reading | null = null;
  let after: Reading | null = null;
  let ownBefore: Promise<number | null> = Promise.resolve(null);
  let ownAfter: Promise<number | null> = Promise.resolve(null);
  const driven = await running.drive(row, options, {
    began: () => {
      counter?.begin();
      ownBefore = running.flushes();
      before = read(running);
    },
    ended: () => {
      counter?.end();
      ownAfter = running.flushes();
      after = read(running);
    },
  });
  running.check();
  const counted = (await counter?.result()) ?? null;
  const own = difference(await ownAfter, await ownBefore);
  return summarize(
    { row: row.name, system: name, round },
    driven,
    before as unknown as Reading,
    after as unknown as Reading,
    own === null ? counted : own,
    own !== null ? 'own' : counted === null ? null : 'perf',
    !['etcd', 'postgresql'].includes(name),
  );
}

function summarize(
  what: Pick<Sample, 'row' | 'system' | 'round'>,
  { operations, seconds, latency, writeLatency, lateness }: Driven,
  before: Reading,
  after: Reading,
  flushes: number | null,
  flushSource: Sample['flushSource'],
  ownGenerator: boolean,
): Sample {
  const cpu = per(difference(after.cpuSeconds, before.cpuSeconds), operations);
  const thousandth = per(flushes, operations);
  return {
    ...what,
    operations,
    perSecond: operations / seconds,
    p50: latency.quantile(0.5),
    p99: latency.quantile(0.99),
    p999: latency.quantile(0.999),
    writeP99: writeLatency?.quantile(0.99) ?? null,
    latenessP99: lateness?.quantile(0.99) ?? null,
    cpuPerMillion: cpu === null ? null : cpu * 1e6,
    bytesPerOperation: per(difference(after.writtenBytes, before.writtenBytes), operations),
    flushesPerThousand: thousandth === null ? null : thousandth * 1000,
    flushSource: flushes === null ? null : flushSource,
    diskBytesPerOperation: per(
      difference(after.disk?.writtenBytes ?? null, before.disk?.writtenBytes ?? null),
      operations,
    ),
    diskFlushesPerSecond: per(difference(after.disk?.flushes ?? null, before.disk?.flushes ?? null), seconds),
    generatorBusy: ownGenerator
      ? performance.eventLoopUtilization(after.loop, before.loop).utilization
      : null,
  };
}
