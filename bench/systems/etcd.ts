import fs from 'node:fs';
import path from 'node:path';
import type { LoadWindow } from '../../src/cli/bench-load.ts';
import { LatencyHistogram } from '../../src/cli/latency-histogram.ts';
import { BenchFailure, findProgram, freePorts, host, run, ServerProcess, until } from '../processes.ts';
import type { Driven, DriveOptions, Row, Running, System } from '../system.ts';

const memberCount = 3;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

function bytesField(number: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(value.length)]), value]);
}

/** The body of a gRPC call `etcdserverpb.KV/Put`: PutRequest { bytes key = 1; bytes value = 2; }, not compressed. */
export function putRequest(key: string, value: string): Buffer {
  const message = Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** How many requests h2load says were answered well; throws when one was not. */
export function parseH2load(output: string): number {
  const match = /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(output);
  if (match === null) throw new BenchFailure(`h2load printed no result:\n${output}`);
  if (match[2] !== '0' || match[3] !== '0' || match[4] !== '0')
    throw new BenchFailure(`h2load had failures: ${match[0]}`);
  return Number(match[1]);
}

/** The latencies of the log of h2load: start, status and microseconds, separated by tabs. */
export function h2loadLatencies(log: string): LatencyHistogram {
  const latency = new LatencyHistogram();
  for (const line of log.split('\n')) {
    const [, status, microseconds] = line.split('\t');
    if (status === '200') latency.add(Number(microseconds), 1);
  }
  return latency;
}

interface Status {
  readonly leads: boolean;
  readonly revision: number;
}

async function statusOf(url: string): Promise<Status | null> {
  try {
    const response = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const { header, leader } = (await response.json()) as {
      header: { member_id: string; revision: string };
      leader?: string;
    };
    return { leads: leader === header.member_id, revision: Number(header.revision) };
  } catch {
    return null;
  }
}

class EtcdCluster implements Running {
  readonly #members: readonly ServerProcess[];
  readonly #urls: readonly string[];
  readonly #directory: string;

  constructor(members: readonly ServerProcess[], urls: readonly string[], directory: string) {
    this.#members = members;
    this.#urls = urls;
    this.#directory = directory;
  }

  get pids(): readonly number[] {
    return this.#members.map(({ pid }) => pid);
  }

  leader(): Promise<string> {
    return until('etcd has a leader', async () => {
      this.check();
      for (const url of this.#urls) if ((await statusOf(url))?.leads) return url;
      return null;
    });
  }

  async drive(row: Row, { warmUpMs, measuredMs }: DriveOptions, window: LoadWindow): Promise<Driven> {
    const url = await this.leader();
    const body = path.join(this.#directory, 'put.bin');
    fs.writeFileSync(body, putRequest('bench:000000000', 'x'.repeat(row.valueBytes)));
    const log = path.join(this.#directory, 'h2load.log');
    const load = async (ms: number, more: readonly string[]): Promise<number> => {
      const args = [
        ...['-c', String(row.connections), '-m', String(row.pipeline), '-t', '1', '-D', `${ms}ms`],
        ...['-d', body, '-H', 'content-type: application/grpc', '-H', 'te: trailers', ...more],
      ];
      const output = await run(findProgram('h2load') as string, [...args, `${url}/etcdserverpb.KV/Put`]);
      return parseH2load(output);
    };
    await load(warmUpMs, []);
    const before = (await statusOf(url))?.revision ?? 0;
    window.began();
    const began = performance.now();
    const operations = await load(measuredMs, ['--log-file', log]);
    const seconds = (performance.now() - began) / 1000;
    window.ended();
    // A failed call has status 200 too, so the store is asked whether it has what was counted.
    const written = ((await statusOf(url))?.revision ?? 0) - before;
    if (written < operations)
      throw new BenchFailure(`etcd made ${written} revisions of ${operations} answered writes`);
    const latency = h2loadLatencies(fs.readFileSync(log, 'utf8'));
    return { operations, seconds, latency, writeLatency: null, lateness: null };
  }

  async flushes(): Promise<number | null> {
    let sum = 0;
    for (const url of this.#urls) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const match = /^etcd_disk_wal_fsync_duration_seconds_count (\d+)$/m.exec(text);
      if (match === null) return null;
      sum += Number(match[1]);
    }
    return sum;
  }

  check(): void {
    for (const member of this.#members) member.check();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop('SIGKILL')));
  }
}

async function start(directory: string): Promise<Running> {
  const ports = await freePorts(2 * memberCount);
  const members = Array.from({ length: memberCount }, (_, i) => ({
    name: `e${i + 1}`,
    client: `http://${host}:${ports[2 * i]}`,
    peer: `http://${host}:${ports[2 * i + 1]}`,
  }));
  const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const processes = members.map(({ name, client, peer }) => {
    const args = [
      ...['--name', name, '--data-dir', path.join(directory, name), '--initial-cluster', cluster],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster-token', 'bench', '--logger', 'zap', '--log-level', 'error'],
    ];
    return new ServerProcess(
      'etcd',
      findProgram('etcd') as string,
      args,
      path.join(directory, `${name}.log`),
    );
  });
  const running = new EtcdCluster(
    processes,
    members.map(({ client }) => client),
    directory,
  );
  await running.leader();
  return running;
}

export const etcd: System = {
  name: 'etcd',
  guarantee:
    'three members as they come (every write on disk on a majority); h2load puts one key over gRPC, pipelining as streams of one connection',
  missing: () => {
    if (findProgram('etcd') === null) return 'etcd is not installed (Debian: etcd-server)';
    return findProgram('h2load') === null ? 'h2load is not installed (Debian: nghttp2-client)' : null;
  },
  leavesOut: ({ kind }) => (kind === 'set' ? null : 'driven with writes only'),
  start,
};
