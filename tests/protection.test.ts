import { spawnSync } from 'node:child_process';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, program, TestCluster, type TestNode } from './support/cluster.ts';
import { RawClient } from './support/raw-client.ts';
import { until } from './support/wait.ts';

let cluster: TestCluster;
let node: TestNode;

beforeAll(async () => {
  const flags = ['--max-request-bytes', '64kb', '--max-arguments', '100', '--max-clients', '20'];
  cluster = await TestCluster.start({ nodes: 1, flags: [...flags, '--client-output-bytes', '1mb'] });
  node = await cluster.leader();
});

afterAll(() => cluster.dispose());

async function stillServes(): Promise<void> {
  const client = await RawClient.connect(node.port);
  expect((await client.command('PING')).value).toBe('PONG');
  await client.close();
}

/** What a client gets back for these bytes before the connection ends. */
async function answerTo(bytes: string): Promise<string> {
  const socket = net.connect({ host: '127.0.0.1', port: node.port });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

describe('a client that goes beyond a limit', () => {
  it.each([
    ['a bulk that is too long', `*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${65 * 1024}\r\n`, 'invalid bulk length'],
    ['too many arguments', '*101\r\n', 'invalid multibulk length'],
    [
      'a request that is too long in all',
      `*3\r\n$4\r\nMSET\r\n$40000\r\n${'k'.repeat(40000)}\r\n$40000\r\n`,
      'too big',
    ],
    ['a length that is no number', '*x\r\n', 'invalid multibulk length'],
    ['something else where a bulk should be', '*1\r\n:1\r\n', "expected '$', got ':'"],
    ['an endless line', 'A'.repeat(70_000), 'too big inline request'],
  ])('%s gets an error and loses its connection', async (_what, bytes, message) => {
    const answer = await answerTo(bytes);
    expect(answer).toMatch(/^-ERR Protocol error: /);
    expect(answer).toContain(message);
    await stillServes();
  });

  it('pitfall 41: that does not read its replies is disconnected, and the others are served', async () => {
    const writer = await RawClient.connect(node.port);
    expect((await writer.command('SET', 'big', 'x'.repeat(60_000))).value).toBe('OK');
    await writer.close();
    const deaf = net.connect({ host: '127.0.0.1', port: node.port });
    deaf.on('error', () => undefined);
    deaf.pause();
    const request = '*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n'.repeat(2000);
    const other = await RawClient.connect(node.port);
    const memory = async (): Promise<number> =>
      Number(/used_memory_rss:(\d+)/.exec(String((await other.command('INFO', 'memory')).value))?.[1]);
    const before = await memory();
    deaf.write(request);
    let most = before;
    await until('it is disconnected', async () => {
      most = Math.max(most, await memory());
      return node.output.includes('does not read its replies');
    });
    // Its replies would take 120 MB.
    expect(most - before).toBeLessThan(60 << 20);
    await other.close();
    deaf.destroy();
    await stillServes();
  });

  it('is one too many when there are as many clients as allowed', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(node.port)));
    await Promise.all(clients.map((client) => client.command('PING')));
    expect(await answerTo('')).toBe('-ERR max number of clients reached\r\n');
    await Promise.all(clients.map((client) => client.close()));
    await until('there is room again', async () => (await node.status())?.clients.connected === 0);
    await stillServes();
  });

  it('with random bytes does no harm', async () => {
    for (let round = 0; round < 40; round++) {
      const socket = net.connect({ host: '127.0.0.1', port: node.port });
      socket.on('error', () => undefined);
      const bytes = Buffer.from(Array.from({ length: 3000 }, () => Math.floor(Math.random() * 256)));
      await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
      socket.destroy();
    }
    await until('they are gone', async () => (await node.status())?.clients.connected === 0);
    await stillServes();
  });
});

/** Flags for peer and admin ports that nobody has. */
async function otherPorts(): Promise<string[]> {
  const [peer, admin] = await freePorts(2);
  return ['--peer-listen', `127.0.0.1:${peer}`, '--admin-listen', `127.0.0.1:${admin}`];
}

describe('a node', () => {
  const run = (...flags: string[]): { code: number | null; output: string } => {
    const own = ['node', '--id', 'x', '--dir', `${cluster.dir}/x`, ...flags];
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...own], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { code: status, output: stdout + stderr };
  };

  it('refuses to listen beyond this machine without a password', () => {
    const { code, output } = run('--listen', '0.0.0.0:7001', '--announce', '10.0.0.1:7001');
    expect(code).toBe(2);
    expect(output).toContain('reachable from other machines and there is no --password');
  });

  it('refuses peers from elsewhere without a secret', () => {
    const { code, output } = run('--peer-listen', '0.0.0.0:7101');
    expect(code).toBe(2);
    expect(output).toContain('there is no --secret');
  });

  it('says which port is taken', async () => {
    const flags = await otherPorts();
    const { code, output } = run('--listen', `127.0.0.1:${node.port}`, ...flags);
    expect(code).toBe(1);
    expect(output).toContain(`BW_PORT_TAKEN: 127.0.0.1:${node.port} is in use by another process`);
  });

  it('keeps a second process off its data', async () => {
    const [port] = await freePorts(1);
    const flags = ['--listen', `127.0.0.1:${port}`, ...(await otherPorts())];
    const { status, stdout } = spawnSync(
      process.execPath,
      [program, 'node', '--id', node.id, '--dir', node.dir, ...flags],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect(status).toBe(1);
    expect(stdout).toContain('BW_DATA_IN_USE');
  });
});

describe('the admin port', () => {
  const page = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://127.0.0.1:${node.adminPort}${path}`);
    return { status: response.status, text: await response.text() };
  };

  it('serves health, readiness, status and metrics', async () => {
    expect(await page('/healthz')).toMatchObject({ status: 200 });
    expect(await page('/readyz')).toMatchObject({ status: 200 });
    expect(JSON.parse((await page('/status')).text)).toMatchObject({
      node: 'n1',
      shards: [{ role: 'leader' }],
    });
    const { text } = await page('/metrics');
    expect(text).toMatch(/^bellwether_leader\{shard="1"\} 1$/m);
    expect(text).toMatch(/^bellwether_commit_lsn\{shard="1"\} [1-9]\d*$/m);
    expect(await page('/nothing')).toMatchObject({ status: 404 });
  });
});
