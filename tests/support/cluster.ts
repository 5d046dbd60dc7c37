import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../src/cli/admin-client.ts';
import { LinkProxy } from '../../src/cli/verify/link-proxy.ts';
import type { NodeStatus, ShardStatus } from '../../src/server/status-types.ts';
import { until } from './wait.ts';

export const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Ports that were free a moment ago, below those that systems give to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

/** This process's environment without what only tests read. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BELLWETHER_')));
}

export interface ClusterOptions {
  readonly nodes?: number;
  /** Flags for every node. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Peers reach each other through proxies, `node.proxy`. */
  readonly proxies?: boolean;
}

/** Where replicas are is for the tests to say. */
const unasked = { BELLWETHER_REBALANCE_AFTER: '0' };

/** One node as a real process. */
export class TestNode {
  readonly id: string;
  readonly dir: string;
  readonly port: number;
  readonly peerPort: number;
  readonly adminPort: number;
  /** What its peers connect to, where the cluster was made with proxies. */
  proxy: LinkProxy | null = null;
  process: ChildProcess | null = null;
  /** Exit code or signal of the last process; null while one runs. */
  ended: number | NodeJS.Signals | null = null;
  readonly #flags: () => readonly string[];
  readonly #environment: Readonly<Record<string, string>>;

  constructor(
    id: string,
    dir: string,
    ports: readonly [number, number, number],
    flags: () => readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.id = id;
    this.dir = dir;
    [this.port, this.peerPort, this.adminPort] = ports;
    this.#flags = flags;
    this.#environment = environment;
  }

  get logFile(): string {
    return `${this.dir}.log`;
  }

  get output(): string {
    return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8') : '';
  }

  /** The same without what it says of the metadata shard, which is elected, falls behind and gets snapshots like any other. */
  get said(): string {
    return this.output
      .split('\n')
      .filter((line) => !line.includes('"shard":0,'))
      .join('\n');
  }

  /** What Node.js is called with to run this node. */
  get command(): string[] {
    const at = (port: number): string => `127.0.0.1:${port}`;
    return [
      ...[program, 'node', '--id', this.id, '--dir', this.dir, '--listen', at(this.port)],
      ...['--peer-listen', at(this.peerPort), '--admin-listen', at(this.adminPort), ...this.#flags()],
    ];
  }

  /** @param environment in addition to the cluster's */
  start(environment: Readonly<Record<string, string>> = {}): void {
    const log = fs.openSync(this.logFile, 'a');
    const child = spawn(
      process.execPath,
      this.command,
      // The channel makes the node end with the test, however that ends.
      {
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...ownEnvironment(), ...unasked, ...this.#environment, ...environment },
      },
    );
    fs.closeSync(log);
    this.process = child;
    this.ended = null;
    child.on('exit', (code, signal) => {
      if (this.process === child) this.ended = signal ?? code ?? 1;
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.process?.kill(signal);
  }

  /** `kill -9`, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit();
  }

  /** Waits until the process has ended. */
  async exit(): Promise<void> {
    if (this.process === null) return;
    await until(`${this.id} ends`, () => this.ended !== null);
    this.process = null;
  }

  status(): Promise<NodeStatus | null> {
    return this.process === null ? Promise.resolve(null) : fetchStatus(`127.0.0.1:${this.adminPort}`);
  }

  readonly shard = async (): Promise<ShardStatus | null> => (await this.status())?.shards[0] ?? null;
}

/** A cluster of real processes with data in a temporary directory, gone with `dispose`. */
export class TestCluster {
  readonly dir: string;
  readonly nodes: TestNode[];

  private constructor(dir: string, nodes: TestNode[]) {
    this.dir = dir;
    this.nodes = nodes;
  }

  /** Processes are not started yet. */
  static async prepare(options: ClusterOptions = {}): Promise<TestCluster> {
    const count = options.nodes ?? 3;
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'bellwether-cluster-'));
    const ports = await freePorts(count * 3);
    const nodes: TestNode[] = [];
    const peers = (): string =>
      nodes
        .slice(0, count)
        .map(({ id, peerPort, proxy }) => `${id}=127.0.0.1:${proxy?.port ?? peerPort}`)
        .join(',');
    for (let i = 0; i < count; i++) {
      const own = ports.slice(3 * i, 3 * i + 3) as [number, number, number];
      const flags = (): string[] => ['--peers', peers(), ...(options.flags ?? [])];
      nodes.push(
        new TestNode(`n${i + 1}`, path.join(dir, `n${i + 1}`), own, flags, options.environment ?? {}),
      );
    }
    if (options.proxies === true) {
      const proxyPorts = await freePorts(count);
      for (const [i, node] of nodes.entries())
        node.proxy = await LinkProxy.start(proxyPorts[i] as number, node.peerPort);
    }
    return new TestCluster(dir, nodes);
  }

  /** All nodes started, with a leader that serves. */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = await TestCluster.prepare(options);
    for (const node of cluster.nodes) node.start();
    await cluster.ready();
    return cluster;
  }

  /** One more node, which joins by asking the first one, or whoever is named whenever it starts. Its process is not started yet. */
  async newcomer(contact: () => TestNode | undefined = () => this.nodes[0]): Promise<TestNode> {
    const id = `n${this.nodes.length + 1}`;
    const own = (await freePorts(3)) as [number, number, number];
    const join = (): string[] => ['--join', `127.0.0.1:${contact()?.port}`];
    const node = new TestNode(id, path.join(this.dir, id), own, join, {});
    this.nodes.push(node);
    return node;
  }

  /** Waits for a leader that serves and for every running node to follow it in sync. Leaders may change meanwhile. */
  ready(): Promise<TestNode> {
    return until(this.described('a leader serves and has its followers in sync'), async () => {
      const leader = await this.#newestLeader();
      const running = this.nodes.filter(({ process }) => process !== null);
      const followers = (await leader?.shard())?.followers ?? [];
      const follows = ({ id }: TestNode): boolean =>
        followers.some(({ node, inSync }) => node === id && inSync);
      return leader !== null && running.every((node) => node === leader || follows(node)) ? leader : null;
    });
  }

  /** The node that leads and serves, waited for. */
  leader(): Promise<TestNode> {
    return until(this.described('a leader serves'), () => this.#newestLeader());
  }

  async #newestLeader(): Promise<TestNode | null> {
    let best: { node: TestNode; term: number } | null = null;
    for (const node of this.nodes) {
      const shard = await node.shard();
      if (shard?.role === 'leader' && shard.serving && shard.term > (best?.term ?? 0))
        best = { node, term: shard.term };
    }
    return best?.node ?? null;
  }

  /** What is waited for, with what each node says of itself, for a test that fails. */
  described(what: string): () => Promise<string> {
    return async () => {
      const parts = await Promise.all(
        this.nodes.map(async ({ id, output, ended, shard }) => {
          const end = output.split('\n').slice(-12).join('\n');
          return `${id}, ended: ${ended}, shard: ${JSON.stringify(await shard())}\n${end}`;
        }),
      );
      return `${what}\n${parts.join('\n')}`;
    };
  }

  async followers(): Promise<TestNode[]> {
    const leader = await this.leader();
    return this.nodes.filter((node) => node !== leader);
  }

  /** Where a client may begin. */
  get addresses(): { host: string; port: number }[] {
    return this.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await Promise.all(this.nodes.map(({ proxy }) => proxy?.close()));
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
