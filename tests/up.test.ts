import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchStatus } from '../src/cli/admin-client.ts';
import { program } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

let dir: string;
let port: number;
const children: Up[] = [];

/** `bellwether up` as a process, with its output so far. */
class Up {
  output = '';
  code: number | null = null;
  readonly process: ChildProcess;

  constructor(flags: readonly string[]) {
    this.process = spawn(process.execPath, [program, 'up', '--port', String(port), ...flags], { cwd: dir });
    const add = (text: Buffer): void => {
      this.output += text.toString();
    };
    this.process.stdout?.on('data', add);
    this.process.stderr?.on('data', add);
    this.process.on('exit', (code, signal) => {
      this.code = code ?? (signal === null ? 0 : 128);
    });
    children.push(this);
  }

  async ready(): Promise<this> {
    await until(`the cluster is ready: ${this.output}`, () => {
      if (this.code !== null) throw new Error(this.output);
      return this.output.includes('Ready after');
    });
    return this;
  }

  async end(): Promise<number> {
    await until('up ends', () => this.code !== null);
    return this.code as number;
  }
}

function isFree(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(candidate, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bellwether-up-'));
  const needed = [0, 1, 2, 3, 4, 100, 101, 102, 103, 104, 200, 201, 202, 203, 204];
  port = await until('the ports of five nodes in their places are free', async () => {
    const candidate = 10_000 + Math.floor(Math.random() * 15_000);
    const free = await Promise.all(needed.map((step) => isFree(candidate + step)));
    return free.every(Boolean) ? candidate : null;
  });
});

afterEach(async () => {
  for (const up of children.splice(0)) {
    up.process.kill('SIGTERM');
    await up.end();
  }
  fs.rmSync(dir, { recursive: true, force: true });
});

function admin(i: number): string {
  return `127.0.0.1:${port + 200 + i}`;
}

async function set(key: string, value: string): Promise<void> {
  const client = new Cluster([{ host: '127.0.0.1', port: port + 2 }]);
  await client.set(key, value);
  client.disconnect();
}

async function get(key: string): Promise<string | null> {
  const client = new Cluster([{ host: '127.0.0.1', port: port + 1 }]);
  const value = await client.get(key);
  client.disconnect();
  return value;
}

it('starts three nodes, says how to connect, and carries on with its data', async () => {
  const first = await new Up([]).ready();
  expect(first.output).toContain(`redis-cli -c -p ${port}`);
  expect(first.output).toContain(`new Redis.Cluster([{ host: '127.0.0.1', port: ${port} }])`);
  expect(first.output).toContain(path.join(dir, '.bellwether'));
  expect(first.output).toMatch(/n[123] leads/);
  await set('kept', 'over a restart');
  first.process.kill('SIGINT');
  expect(await first.end()).toBe(0);
  await new Up([]).ready();
  expect(await get('kept')).toBe('over a restart');
});

it('starts a node again that died, and leaves it down with --no-restart', async () => {
  const up = await new Up([]).ready();
  const pid = (await fetchStatus(admin(1)))?.pid as number;
  process.kill(pid, 'SIGKILL');
  await until('the death is told', () => up.output.includes('n2 is down (SIGKILL); it starts again in 2 s'));
  await until('it is back', async () => {
    const status = await fetchStatus(admin(1));
    return status !== null && status.pid !== pid;
  });
  up.process.kill('SIGTERM');
  expect(await up.end()).toBe(0);
  const second = await new Up(['--no-restart']).ready();
  process.kill((await fetchStatus(admin(1)))?.pid as number, 'SIGKILL');
  await until('the death is told', () => second.output.includes('n2 is down (SIGKILL); it stays down'));
});

it('takes its nodes with it when it is killed', async () => {
  const up = await new Up([]).ready();
  const pids = await Promise.all([0, 1, 2].map(async (i) => (await fetchStatus(admin(i)))?.pid as number));
  up.process.kill('SIGKILL');
  await until('no node runs', () =>
    pids.every((pid) => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    }),
  );
});

describe('refuses, with what to do', () => {
  it('a port that is taken', async () => {
    const server = net.createServer().listen(port + 101, '127.0.0.1');
    const up = new Up([]);
    expect(await up.end()).toBe(1);
    expect(up.output).toContain(`BW_PORT_TAKEN: another process listens on port ${port + 101}`);
    server.close();
  });

  it('a directory that another run has open', async () => {
    await new Up([]).ready();
    const second = new Up([]);
    expect(await second.end()).toBe(1);
    expect(second.output).toContain('BW_DATA_IN_USE');
  });

  it('data of another cluster, unless it is to begin afresh', async () => {
    const first = await new Up(['--nodes', '1']).ready();
    first.process.kill('SIGTERM');
    await first.end();
    const second = new Up(['--nodes', '3']);
    expect(await second.end()).toBe(1);
    expect(second.output).toContain('BW_DATA_FOREIGN');
    await new Up(['--nodes', '3', '--fresh']).ready();
  });

  it("a node's directory that belongs elsewhere", async () => {
    const first = await new Up([]).ready();
    first.process.kill('SIGTERM');
    await first.end();
    const file = path.join(dir, '.bellwether', 'n2', 'node.json');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/local-[0-9a-f]+/, 'elsewhere'));
    const second = new Up([]);
    expect(await second.end()).toBe(1);
    expect(second.output).toContain('belongs to node n2 of cluster elsewhere');
  });

  it.each([
    [['--prot', '7001'], 'did you mean --port?'],
    [['--nodes', 'three'], "--nodes is 'three'"],
    [['--nodes'], '--nodes needs a value'],
    [['--shards', 'two'], '--shards'],
    [['--ack', 'most'], "--ack is 'most'"],
    [['now'], "'now' is no flag"],
  ])('flags such as %j', async (flags, message) => {
    const up = new Up(flags);
    expect(await up.end()).not.toBe(0);
    expect(up.output).toContain(message);
  });
});

it('shows status and log of what runs', async () => {
  await new Up([]).ready();
  await set('shown', 'in the log');
  const run = (...args: string[]): string => {
    const result = spawnSync(process.execPath, [program, ...args], { cwd: dir, encoding: 'utf8' });
    expect(result.stderr).toBe('');
    return result.stdout;
  };
  await until('followers are in sync', () => (run('status').match(/in sync/g) ?? []).length === 2);
  expect(run('status')).toMatch(/shard 1: leader n[123] .*, term \d+, last LSN \d+, commit \d+, 1 keys/);
  expect(JSON.parse(run('status', '--json'))).toHaveLength(3);
  expect(run('log')).toMatch(/majority flushed {2}put "shown" "in the log"/);
  expect(run('log', '--from', '1000')).not.toContain('shown');
  expect(run('--help')).toContain('bellwether <command> --help');
  for (const command of ['up', 'node', 'status', 'handover', 'drain', 'rolling-restart', 'log', 'bench'])
    expect(run(command, '--help')).toContain('Usage:');
});

it('starts nodes again at once that a rolling restart stops', async () => {
  const up = await new Up(['--password', 'sesame']).ready();
  const restart = async (password: string): Promise<{ code: number | null; output: string }> => {
    const child = spawn(process.execPath, [program, 'rolling-restart', '--password', password], { cwd: dir });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        output += text.toString();
      });
    return await new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
  };
  const whole = async (): Promise<boolean> => {
    const all = await Promise.all([0, 1, 2].map((i) => fetchStatus(admin(i))));
    const followers = all.flatMap((status) => status?.shards.flatMap((shard) => shard.followers) ?? []);
    return followers.filter(({ inSync }) => inSync).length === 2;
  };
  await until('followers are in sync', whole);
  expect((await restart('wrong')).output).toContain('BW_REFUSED');
  const done = await restart('sesame');
  expect(done.output).toContain('n3 was restarted');
  expect(done.code).toBe(0);
  expect(up.output).toContain('n1 was shut down; it starts again');
  expect(up.output).not.toContain('is down');
});

it('hands flags on to every node, and refuses clients without the password', async () => {
  await new Up(['--password', 'sesame', '--ack', 'all']).ready();
  const client = await RawClient.connect(port);
  expect((await client.command('GET', 'a')).wire).toBe('-NOAUTH Authentication required.\r\n');
  expect((await client.command('AUTH', 'sesame')).value).toBe('OK');
  expect((await client.command('REPL', 'ACK')).value).toBe('all flushed timeout 5000');
  await client.close();
});

it('starts nodes that joined, too, and says what it does not start', async () => {
  const first = await new Up([]).ready();
  const join = async (id: string, place: string, step: number): Promise<ChildProcess> => {
    const [client, peer, own] = [step, step + 100, step + 200].map((far) => `127.0.0.1:${port + far}`);
    const flags = ['--id', id, '--dir', place, '--join', `127.0.0.1:${port}`, '--rebalance-after', '0'];
    const addresses = ['--listen', client, '--peer-listen', peer, '--admin-listen', own] as string[];
    const child = spawn(process.execPath, [program, 'node', ...flags, ...addresses], { cwd: dir });
    await until(`${id} has joined`, async () => {
      const status = await fetchStatus(own as string);
      return status?.metadata.nodes.includes(id) === true;
    });
    return child;
  };
  const inside = await join('n4', '.bellwether/fourth', 3);
  const outside = await join('n5', 'elsewhere', 4);
  outside.kill('SIGKILL');
  first.process.kill('SIGINT');
  await first.end();
  // One that runs already is left alone.
  const second = new Up([]);
  await second.ready();
  expect(second.output).toContain('n4 runs already');
  expect(second.output).toContain('n5 belongs to the cluster and its data is not in');
  second.process.kill('SIGINT');
  await second.end();
  inside.kill('SIGTERM');
  await new Promise((resolve) => inside.once('exit', resolve));
  const third = await new Up([]).ready();
  expect(third.output).toContain('starting 4 nodes');
  const { stdout } = spawnSync(process.execPath, [program, 'status', '--json'], {
    cwd: dir,
    encoding: 'utf8',
  });
  const names = (JSON.parse(stdout) as ({ node: string } | null)[]).map((status) => status?.node);
  expect(names).toEqual(['n1', 'n2', 'n3', 'n4']);
});
