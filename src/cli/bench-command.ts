import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { BellwetherError } from '../errors.ts';
import type { Reply } from '../resp/reply-parser.ts';
import { ReplyParser } from '../resp/reply-parser.ts';
import { fetchStatus } from './admin-client.ts';
import { type Flags, flagHelp, integerFlag, parseArguments, usageError } from './arguments.ts';
import { measureFailover } from './bench-failover.ts';
import { runLoad } from './bench-load.ts';
import { setPieces } from './bench-pieces.ts';
import type { ClusterPlan } from './cluster-plan.ts';
import { checkPorts, makePlan, portOf, portStep, readPlan } from './cluster-plan.ts';
import { table } from './cluster-view.ts';
import type { Command } from './command.ts';
import { LocalCluster } from './local-cluster.ts';

const readyMs = 30_000;

const flags: Flags = {
  target: {
    form: 'host:port',
    help: 'A node of the cluster to measure. Without it, three nodes are started for the purpose and removed afterwards.',
  },
  dir: {
    form: 'path',
    default: '.bellwether',
    help: "With --target: data directory of 'bellwether up', to tell what each node takes of the processor.",
  },
  port: {
    form: 'number',
    default: '17001',
    help: 'Without --target: client port of the first of the three nodes.',
  },
  ack: { form: 'policy', default: 'majority', help: 'Without --target: whose copies a write waits for.' },
  beside: {
    form: 'host:port',
    help: 'Another server that takes SET, measured in the same run, row by row in turn.',
  },
  password: { form: 'text', help: 'Password of the server.' },
  connections: { form: 'n,…', default: '1,50,200', help: 'Connections at once.' },
  pipeline: { form: 'n,…', default: '1,16,64', help: 'Requests that each connection has under way.' },
  seconds: { form: 'number', default: '3', help: 'How long each row is measured.' },
  rounds: {
    form: 'number',
    default: '1',
    help: 'How often each row is measured; the median of its rounds is shown.',
  },
  'value-bytes': { form: 'number', default: '16', help: 'Size of each value.' },
  keys: { form: 'number', default: '100000', help: 'How many keys are written, bench:000000000 and so on.' },
  failover: {
    form: 'number',
    help: 'Instead: kill the leader of three nodes so often, and measure from each kill to the next acknowledged write, by a client that tries all nodes every 5 ms.',
  },
  json: { form: null, help: 'The rows as JSON, one per line.' },
};

export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure writes per second and latency',
  help: () => `Measures SETs for every number of connections and depth of pipeline, checks every reply, and prints writes per second,
latencies in ms, and what each node took of the processor.

Usage: bellwether bench [flags]

${flagHelp(flags)}
`,
  run,
};

interface BenchOptions {
  readonly connections: readonly number[];
  readonly pipeline: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly password: string;
  readonly json: boolean;
}

/** Who is measured. */
interface Target {
  readonly host: string;
  readonly port: number;
  /** Nodes whose processor time is shown; empty when they are not known. */
  readonly nodes: readonly { readonly id: string; readonly admin: string }[];
}

interface Row {
  readonly connections: number;
  readonly pipeline: number;
  readonly writesPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Processor time per node in percent of one core. */
  readonly cpu: readonly string[];
}

function listFlag(text: string, name: string): number[] {
  return text.split(',').map((part) => integerFlag(part.trim(), name, 1, 100_000, 'bench'));
}

function addressFlag(text: string, name: string): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match === null) throw usageError(`--${name} is '${text}', which is no host:port`, 'bench');
  return { host: match[1] as string, port: Number(match[2]) };
}

async function run(argv: readonly string[]): Promise<number> {
  const { flags: given, rest } = parseArguments(argv, flags, 'bench');
  if (rest.length > 0) throw usageError(`'${rest[0]}' is no flag`, 'bench');
  const options: BenchOptions = {
    connections: listFlag(given['connections'] ?? '1,50,200', 'connections'),
    pipeline: listFlag(given['pipeline'] ?? '1,16,64', 'pipeline'),
    seconds: integerFlag(given['seconds'] ?? '3', 'seconds', 1, 3600, 'bench'),
    rounds: integerFlag(given['rounds'] ?? '1', 'rounds', 1, 99, 'bench'),
    valueBytes: integerFlag(given['value-bytes'] ?? '16', 'value-bytes', 1, 1 << 20, 'bench'),
    keys: integerFlag(given['keys'] ?? '100000', 'keys', 1, 1e9, 'bench'),
    password: given['password'] ?? '',
    json: given['json'] === 'on',
  };
  const beside = given['beside'] === undefined ? null : addressFlag(given['beside'], 'beside');
  if (given['target'] !== undefined) {
    const { host, port } = addressFlag(given['target'], 'target');
    const nodes = readPlan(path.resolve(given['dir'] ?? '.bellwether'))?.nodes ?? [];
    const leader = await findLeader(host, port, options.password);
    await measure({ ...leader, nodes }, beside, options);
    return 0;
  }
  const port = integerFlag(given['port'] ?? '17001', 'port', 1, 65535 - 3 * portStep, 'bench');
  const ack = given['ack'] ?? 'majority';
  if (given['failover'] !== undefined) {
    const kills = integerFlag(given['failover'], 'failover', 1, 100_000, 'bench');
    await withCluster(port, ack, options, (running) => failover(running, kills, options));
    return 0;
  }
  await withCluster(port, ack, options, ({ target }) => measure(target, beside, options));
  return 0;
}

/** A cluster that was made for the purpose. */
interface Running {
  readonly target: Target;
  readonly plan: ClusterPlan;
  readonly cluster: LocalCluster;
}

async function failover({ plan, cluster }: Running, kills: number, { json }: BenchOptions): Promise<void> {
  const times = await measureFailover(plan, cluster, kills, (done, ms) => {
    if (process.stdout.isTTY && !json)
      process.stdout.write(`\r${done} of ${kills} kills, last ${ms.toFixed(0)} ms `);
  });
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(Math.ceil(sorted.length * share), sorted.length) - 1] as number;
  const figures = { kills, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
  if (json) {
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    return;
  }
  const { p50, p90, p99, max } = figures;
  const ms = [p50, p90, p99, max].map((value) => value.toFixed(0));
  process.stdout.write(
    `${process.stdout.isTTY ? '\r' : ''}${kills} kills of the leader, to the next acknowledged write: p50 ${ms[0]} ms, p90 ${ms[1]} ms, p99 ${ms[2]} ms, most ${ms[3]} ms\n`,
  );
}

/** Runs with a cluster of three nodes that is made for the purpose. */
async function withCluster(
  port: number,
  ack: string,
  { json }: BenchOptions,
  use: (running: Running) => Promise<void>,
): Promise<void> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bellwether-bench-'));
  let cluster: LocalCluster | null = null;
  try {
    const plan = makePlan(dir, 3, port);
    await checkPorts(plan);
    if (!json) process.stdout.write(`three nodes on this machine, data in ${dir}, --ack ${ack}\n`);
    let broken: (error: Error) => void = () => undefined;
    const breakage = new Promise<never>((_resolve, reject) => {
      broken = reject;
    });
    breakage.catch(() => undefined);
    const peers = plan.nodes.map(({ id, peer }) => `${id}=${peer}`).join(',');
    cluster = new LocalCluster(
      plan.nodes,
      ['--cluster', plan.cluster, '--peers', peers, '--ack', ack],
      false,
      {
        started: () => undefined,
        died: ({ id }, how, message) => {
          // A kill is what is measured, not a failure.
          if (how === 'SIGKILL') return;
          broken(
            new BellwetherError('BW_NOT_A_CLUSTER', `node ${id} ended (${how})`, message ?? 'See its log.'),
          );
        },
      },
    );
    cluster.start();
    const leader = await Promise.race([servingLeader(plan), breakage]);
    const target = { ...leader, nodes: plan.nodes };
    await Promise.race([use({ target, plan, cluster }), breakage]);
  } finally {
    await cluster?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function servingLeader({ nodes }: ClusterPlan): Promise<{ host: string; port: number }> {
  const endMs = Date.now() + readyMs;
  while (Date.now() < endMs) {
    for (const { admin, client } of nodes) {
      const status = await fetchStatus(admin);
      if (status?.shards.some((shard) => shard.role === 'leader' && shard.serving))
        return { host: '127.0.0.1', port: portOf(client) };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new BellwetherError('BW_NOT_A_CLUSTER', 'the nodes elected no leader within 30 s', 'See their logs.');
}

/** Where the leader is, as the node says; the node itself when it knows of no cluster. */
async function findLeader(
  host: string,
  port: number,
  password: string,
): Promise<{ host: string; port: number }> {
  const reply = await ask(host, port, password, ['CLUSTER', 'SLOTS']);
  const range = Array.isArray(reply) ? reply[0] : null;
  const leader = Array.isArray(range) ? range[2] : null;
  if (!Array.isArray(leader)) return { host, port };
  return { host: String(leader[0]), port: Number(leader[1]) };
}

async function ask(host: string, port: number, password: string, parts: readonly string[]): Promise<Reply> {
  const encode = (words: readonly string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  const parser = new ReplyParser();
  const skipped = password === '' ? 0 : 1;
  return await new Promise<Reply>((resolve, reject) => {
    const socket = net.connect({ host, port });
    let seen = 0;
    socket.on('connect', () => {
      if (skipped > 0) socket.write(encode(['AUTH', password]));
      socket.write(encode(parts));
    });
    socket.on('data', (chunk: Buffer) => {
      parser.push(chunk);
      for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
        if (seen++ < skipped) continue;
        resolve(reply);
        socket.destroy();
        return;
      }
    });
    socket.on('error', (error) =>
      reject(
        new BellwetherError(
          'BW_NOT_A_CLUSTER',
          `${host}:${port} cannot be reached (${error.message})`,
          "Start a cluster with 'bellwether up', or leave --target out.",
        ),
      ),
    );
    socket.on('close', () =>
      reject(
        new BellwetherError('BW_NOT_A_CLUSTER', `${host}:${port} closed the connection`, 'See its log.'),
      ),
    );
  });
}

async function measure(
  target: Target,
  beside: { host: string; port: number } | null,
  options: BenchOptions,
): Promise<void> {
  const { connections, pipeline, json } = options;
  const rows: string[][] = [heading(target, beside !== null)];
  for (const depth of pipeline)
    for (const count of connections) {
      const own: Row[] = [];
      const other: Row[] = [];
      for (let round = 0; round < options.rounds; round++) {
        own.push(await measureRow(target, count, depth, options));
        if (beside !== null) other.push(await measureRow({ ...beside, nodes: [] }, count, depth, options));
      }
      const row = median(own);
      const otherRow = other.length === 0 ? null : median(other);
      if (json) process.stdout.write(`${JSON.stringify({ ...row, beside: otherRow })}\n`);
      else rows.push(cells(row, otherRow));
      if (!json) printRows(rows);
    }
}

/** Rows appear as they are measured; columns are as wide as the heading and the first row make them. */
function printRows(rows: string[][]): void {
  const lines = table([...rows.map((row) => row.map((cell) => cell.padStart(11)))]);
  if (rows.length === 2) process.stdout.write(`${lines[0]}\n`);
  process.stdout.write(`${lines.at(-1)}\n`);
}

function heading({ nodes }: Target, beside: boolean): string[] {
  return [
    'connections',
    'pipeline',
    'writes/s',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    ...nodes.map(({ id }) => `cpu ${id}`),
    ...(beside ? ['beside/s', 'p50 ms', 'p99 ms', 'ratio'] : []),
  ];
}

function cells(row: Row, beside: Row | null): string[] {
  const other =
    beside === null
      ? []
      : [
          String(Math.round(beside.writesPerSecond)),
          beside.p50.toFixed(2),
          beside.p99.toFixed(2),
          (row.writesPerSecond / beside.writesPerSecond).toFixed(2),
        ];
  return [
    String(row.connections),
    String(row.pipeline),
    String(Math.round(row.writesPerSecond)),
    row.p50.toFixed(2),
    row.p99.toFixed(2),
    row.p999.toFixed(2),
    ...row.cpu,
    ...other,
  ];
}

function median(rows: readonly Row[]): Row {
  const sorted = [...rows].sort((a, b) => a.writesPerSecond - b.writesPerSecond);
  return sorted[sorted.length >> 1] as Row;
}

async function measureRow(
  target: Target,
  connections: number,
  pipeline: number,
  { seconds, valueBytes, keys, password }: BenchOptions,
): Promise<Row> {
  const pieces = setPieces({ pipeline, keys, valueBytes, barrier: null });
  const before = await processorTimes(target);
  const beganMs = performance.now();
  const result = await runLoad({
    host: target.host,
    port: target.port,
    password,
    connections,
    pieces,
    warmUpMs: 500,
    measuredMs: seconds * 1000,
  });
  const tookMs = performance.now() - beganMs;
  const after = await processorTimes(target);
  return {
    connections,
    pipeline,
    writesPerSecond: result.operations / result.seconds,
    p50: result.latency.quantile(0.5),
    p99: result.latency.quantile(0.99),
    p999: result.latency.quantile(0.999),
    cpu: after.map((ms, i) => {
      const from = before[i] ?? null;
      return ms === null || from === null ? '?' : `${Math.round(((ms - from) / tookMs) * 100)}%`;
    }),
  };
}

/** Processor time per node so far, ms; null where a node does not answer. */
async function processorTimes({ nodes }: Target): Promise<(number | null)[]> {
  return await Promise.all(nodes.map(async ({ admin }) => (await fetchStatus(admin))?.process.cpuMs ?? null));
}
