import fs from 'node:fs';
import path from 'node:path';
import type { LoadWindow } from '../../src/cli/bench-load.ts';
import { LatencyHistogram } from '../../src/cli/latency-histogram.ts';
import {
  BenchFailure,
  findProgram,
  freePorts,
  host,
  isRoot,
  run,
  ServerProcess,
  until,
} from '../processes.ts';
import { keyCount } from '../resp-drive.ts';
import type { Driven, DriveOptions, Row, Running, System } from '../system.ts';

const standbys = ['s1', 's2'];
const user = 'postgres';

type Owner = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** Who runs the servers: they refuse to run as root. */
async function findOwner(): Promise<Owner> {
  if (!isRoot()) return {};
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, user])).trim());
  return { uid: await id('-u'), gid: await id('-g') };
}

function program(name: string): string {
  return findProgram(name) as string;
}

/** What pgbench says it did; throws when a transaction failed. */
export function parsePgbench(output: string): { operations: number } {
  const done = /^number of transactions actually processed: (\d+)/m.exec(output);
  const failed = /^number of failed transactions: (\d+)/m.exec(output);
  if (done === null || failed === null) throw new BenchFailure(`pgbench printed no result:\n${output}`);
  if (failed[1] !== '0') throw new BenchFailure(`pgbench had failures: ${failed[0]}`);
  return { operations: Number(done[1]) };
}

/** The latencies of the logs of pgbench: client, number and microseconds of each transaction come first. */
export function pgbenchLatencies(log: string): LatencyHistogram {
  const latency = new LatencyHistogram();
  for (const line of log.split('\n')) {
    const microseconds = line.split(' ')[2];
    if (microseconds !== undefined) latency.add(Number(microseconds), 1);
  }
  return latency;
}

class PostgresReplication implements Running {
  readonly #servers: readonly ServerProcess[];
  readonly #port: number;
  readonly #directory: string;
  readonly #owner: Owner;

  constructor(servers: readonly ServerProcess[], port: number, directory: string, owner: Owner) {
    this.#servers = servers;
    this.#port = port;
    this.#directory = directory;
    this.#owner = owner;
  }

  get pids(): readonly number[] {
    return this.#servers.map(({ pid }) => pid);
  }

  async ask(sql: string): Promise<string> {
    const args = ['-h', host, '-p', String(this.#port), '-U', user, '-d', user, '-Atq', '-c', sql];
    return (await run(program('psql'), args)).trim();
  }

  async drive(row: Row, { warmUpMs, measuredMs }: DriveOptions, window: LoadWindow): Promise<Driven> {
    const script = path.join(this.#directory, 'upsert.sql');
    const value = 'x'.repeat(row.valueBytes);
    fs.writeFileSync(
      script,
      `\\set k random(1, ${keyCount})\nINSERT INTO kv VALUES (:k, '${value}') ON CONFLICT (k) DO UPDATE SET v = excluded.v;\n`,
    );
    const load = async (
      ms: number,
      more: readonly string[],
    ): Promise<{ operations: number; output: string }> => {
      const args = [
        ...['-h', host, '-p', String(this.#port), '-U', user, '-n', '-M', 'prepared', '-f', script],
        ...['-c', String(row.connections), '-j', '1', '-T', String(Math.max(1, Math.round(ms / 1000)))],
      ];
      const output = await run(program('pgbench'), [...args, ...more, user], { cwd: this.#directory });
      return { ...parsePgbench(output), output };
    };
    await load(warmUpMs, []);
    const before = Number(await this.ask("SELECT pg_current_wal_lsn() - '0/0'"));
    window.began();
    const began = performance.now();
    const { operations } = await load(measuredMs, ['-l', '--log-prefix', 'transactions']);
    const seconds = (performance.now() - began) / 1000;
    window.ended();
    const after = Number(await this.ask("SELECT pg_current_wal_lsn() - '0/0'"));
    if (after - before < operations * row.valueBytes)
      throw new BenchFailure(`PostgreSQL logged ${after - before} bytes for ${operations} writes`);
    const logs = fs.readdirSync(this.#directory).filter((name) => name.startsWith('transactions.'));
    const latency = new LatencyHistogram();
    for (const name of logs)
      latency.merge(pgbenchLatencies(fs.readFileSync(path.join(this.#directory, name), 'utf8')));
    return { operations, seconds, latency, writeLatency: null, lateness: null };
  }

  /** Its own count is written seconds late, so it would miss the end. */
  flushes(): Promise<null> {
    return Promise.resolve(null);
  }

  check(): void {
    for (const server of this.#servers) server.check();
  }

  async stop(): Promise<void> {
    // An immediate shutdown: a killed postmaster would leave shared memory behind.
    await Promise.all(this.#servers.map((server) => server.stop('SIGQUIT')));
  }

  /** Creates the table and waits for both standbys to count. */
  async prepare(): Promise<void> {
    await this.ask('CREATE TABLE kv (k integer PRIMARY KEY, v text NOT NULL)');
    await until('both standbys are synchronous', async () => {
      this.check();
      const sql = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'";
      return (await this.ask(sql)) === String(standbys.length);
    });
  }

  serve(log: string, dir: string, port: number, more: readonly string[]): ServerProcess {
    const settings = [
      ...['listen_addresses=' + host, `port=${port}`, `unix_socket_directories=${this.#directory}`],
      ...['max_connections=300', 'wal_level=replica', 'synchronous_commit=on', 'fsync=on', ...more],
    ];
    const args = ['-D', dir, ...settings.flatMap((setting) => ['-c', setting])];
    return new ServerProcess('postgres', program('postgres'), args, log, this.#owner);
  }
}

async function start(directory: string): Promise<Running> {
  const owner = await findOwner();
  if (owner.uid !== undefined) fs.chownSync(directory, owner.uid, owner.gid as number);
  const ports = await freePorts(1 + standbys.length);
  const [port] = ports as [number];
  const primary = path.join(directory, 'primary');
  const options = { ...owner, cwd: directory };
  await run(
    program('initdb'),
    ['-D', primary, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    options,
  );
  const servers: ServerProcess[] = [];
  const running = new PostgresReplication(servers, port, directory, owner);
  const quorum = `synchronous_standby_names=ANY 1 (${standbys.join(', ')})`;
  // Commits of the preparation would wait for standbys that do not exist yet; only commits after them are measured.
  servers.push(running.serve(path.join(directory, 'primary.log'), primary, port, [quorum]));
  await until('PostgreSQL answers', async () => {
    running.check();
    return await running.ask('SELECT 1').catch(() => null);
  });
  for (const [i, name] of standbys.entries()) {
    const dir = path.join(directory, name);
    const source = `host=${host} port=${port} user=${user} application_name=${name}`;
    await run(program('pg_basebackup'), ['-D', dir, '-R', '-c', 'fast', '--no-sync', '-d', source], options);
    servers.push(running.serve(path.join(directory, `${name}.log`), dir, ports[i + 1] as number, []));
  }
  await running.prepare();
  return running;
}

export const postgresql: System = {
  name: 'postgresql',
  guarantee:
    'primary and two standbys, synchronous_standby_names = ANY 1, synchronous_commit = on; prepared single-row upserts by pgbench',
  missing: () => {
    const lacking = ['initdb', 'postgres', 'pg_basebackup', 'psql', 'pgbench'].filter(
      (name) => findProgram(name) === null,
    );
    return lacking.length === 0 ? null : `${lacking.join(', ')} not installed (Debian: postgresql-15)`;
  },
  leavesOut: ({ kind, pipeline }) => {
    if (kind !== 'set') return 'driven with writes only';
    return pipeline === 1 ? null : 'a pipeline would be one transaction';
  },
  start,
};
