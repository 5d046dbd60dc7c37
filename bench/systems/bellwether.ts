import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchStatus } from '../../src/cli/admin-client.ts';
import type { LoadWindow } from '../../src/cli/bench-load.ts';
import type { LoadTarget } from '../../src/cli/checked-connection.ts';
import type { NodeStatus, ShardStatus } from '../../src/server/status-types.ts';
import { environment, freePorts, host, ServerProcess, until } from '../processes.ts';
import { driveResp } from '../resp-drive.ts';
import type { Driven, DriveOptions, Row, Running, System } from '../system.ts';

const program = fileURLToPath(new URL('../../bin/bellwether.js', import.meta.url));
const nodeCount = 3;

export interface ClusterOptions {
  /** Flags of every node. */
  readonly flags?: readonly string[];
  /** Flags of Node.js itself, by node. */
  readonly nodeFlags?: (id: string) => readonly string[];
}

/** One node of ours as a process. */
export class BenchNode {
  readonly id: string;
  readonly dir: string;
  readonly port: number;
  readonly peer: string;
  readonly admin: string;
  process: ServerProcess | null = null;

  constructor(id: string, dir: string, ports: readonly [number, number, number]) {
    this.id = id;
    this.dir = dir;
    this.port = ports[0];
    this.peer = `${host}:${ports[1]}`;
    this.admin = `${host}:${ports[2]}`;
  }

  status(): Promise<NodeStatus | null> {
    return fetchStatus(this.admin);
  }

  async shard(): Promise<ShardStatus | null> {
    return (await this.status())?.shards[0] ?? null;
  }
}

/** Three nodes of ours. */
export class BenchCluster implements Running {
  readonly nodes: readonly BenchNode[];
  readonly #options: ClusterOptions;

  private constructor(nodes: readonly BenchNode[], options: ClusterOptions) {
    this.nodes = nodes;
    this.#options = options;
  }

  static async start(directory: string, options: ClusterOptions = {}): Promise<BenchCluster> {
    const ports = await freePorts(3 * nodeCount);
    const nodes = Array.from({ length: nodeCount }, (_, i) => {
      const own = ports.slice(3 * i, 3 * i + 3) as [number, number, number];
      return new BenchNode(`n${i + 1}`, path.join(directory, `n${i + 1}`), own);
    });
    const cluster = new BenchCluster(nodes, options);
    for (const node of nodes) cluster.startNode(node);
    await cluster.ready();
    return cluster;
  }

  get pids(): readonly number[] {
    return this.nodes.flatMap(({ process }) => process?.pid ?? []);
  }

  startNode(node: BenchNode): void {
    fs.mkdirSync(node.dir, { recursive: true, mode: 0o700 });
    const log = `${node.dir}.log`;
    const peers = this.nodes.map(({ id, peer }) => `${id}=${peer}`).join(',');
    const args = [
      ...(this.#options.nodeFlags?.(node.id) ?? []),
      ...[program, 'node', '--id', node.id, '--dir', node.dir, '--cluster', 'bench', '--peers', peers],
      ...['--listen', `${host}:${node.port}`, '--peer-listen', node.peer, '--admin-listen', node.admin],
      ...(this.#options.flags ?? []),
    ];
    // The channel makes the node end with this process, however this one ends.
    node.process = new ServerProcess(`node ${node.id}`, process.execPath, args, log, {
      channel: true,
      env: environment({ BENCH_PROBE_SOCKET: probeSocket(node) }),
    });
  }

  async stopNode(node: BenchNode): Promise<void> {
    await node.process?.stop('SIGTERM');
    node.process = null;
  }

  /** The node that leads and serves, waited for. */
  leader(): Promise<BenchNode> {
    return until('a leader serves', async () => {
      this.check();
      for (const node of this.nodes) {
        if (node.process === null) continue;
        const shard = await node.shard();
        if (shard?.role === 'leader' && shard.serving) return node;
      }
      return null;
    });
  }

  /** Waits for a leader with every other running node in sync. */
  ready(): Promise<BenchNode> {
    return until('all followers are in sync', async () => {
      const leader = await this.leader();
      const followers = (await leader.shard())?.followers ?? [];
      const others = this.nodes.filter((node) => node !== leader && node.process !== null);
      const inSync = others.every(({ id }) =>
        followers.some((follower) => follower.node === id && follower.inSync),
      );
      return inSync ? leader : null;
    });
  }

  async target(): Promise<LoadTarget> {
    return { host, port: (await this.leader()).port, password: '' };
  }

  async drive(row: Row, options: DriveOptions, window: LoadWindow): Promise<Driven> {
    return await driveResp(await this.target(), null, row, options, window);
  }

  async flushes(): Promise<number | null> {
    let sum = 0;
    for (const node of this.nodes) {
      const status = await node.status();
      if (status === null) return null;
      sum += status.log.flushes;
    }
    return sum;
  }

  check(): void {
    for (const { process } of this.nodes) process?.check();
  }

  async stop(): Promise<void> {
    // Without handing leadership over from one to the next, since all of them end.
    await Promise.all(this.nodes.map(({ process }) => process?.stop('SIGKILL')));
  }
}

/** Where the probe of a node listens, when the node has one. Short, since such addresses have a limit. */
export function probeSocket({ dir }: BenchNode): string {
  return `${dir}.probe`;
}

export const bellwether: System = {
  name: 'bellwether',
  guarantee: 'three nodes, OK when a majority has it on disk (--ack majority, O_DSYNC)',
  missing: () => null,
  leavesOut: () => null,
  start: (directory) => BenchCluster.start(directory),
};
