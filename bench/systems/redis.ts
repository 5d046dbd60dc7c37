import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { LoadWindow } from '../../src/cli/bench-load.ts';
import { type Barrier, waitAofOne, waitOne } from '../../src/cli/bench-pieces.ts';
import type { LoadTarget } from '../../src/cli/checked-connection.ts';
import { encodeRequest, type Reply, ReplyParser } from '../../src/resp/reply-parser.ts';
import { findProgram, freePorts, host, ServerProcess, until } from '../processes.ts';
import { driveResp } from '../resp-drive.ts';
import type { Driven, DriveOptions, Row, Running, System } from '../system.ts';

const replicaCount = 2;

/** Asks a server one thing over a connection of its own; null when it does not answer. */
export function ask(port: number, ...request: readonly string[]): Promise<Reply> {
  return new Promise((resolve) => {
    const parser = new ReplyParser();
    const socket = net.connect({ host, port });
    socket.on('connect', () => socket.write(encodeRequest(request)));
    socket.on('data', (chunk: Buffer) => {
      parser.push(chunk);
      const reply = parser.next();
      if (reply === undefined) return;
      socket.destroy();
      resolve(reply);
    });
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
  });
}

/** A primary with two replicas, all of which flush every write. */
export class RedisReplication implements Running {
  readonly target: LoadTarget;
  readonly barrier: Barrier;
  readonly #servers: readonly ServerProcess[];

  private constructor(servers: readonly ServerProcess[], port: number, barrier: Barrier) {
    this.#servers = servers;
    this.target = { host, port, password: '' };
    this.barrier = barrier;
  }

  static async start(program: string, barrier: Barrier, directory: string): Promise<RedisReplication> {
    const ports = await freePorts(1 + replicaCount);
    const [primary] = ports as [number];
    const servers = ports.map((port, i) => {
      const dir = path.join(directory, `redis-${i}`);
      fs.mkdirSync(dir);
      const args = [
        ...['--port', String(port), '--bind', host, '--dir', dir, '--daemonize', 'no', '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'always', '--repl-diskless-sync-delay', '0'],
        ...['--maxclients', '4000', '--client-output-buffer-limit', 'replica 0 0 0'],
        ...(i === 0 ? [] : ['--replicaof', `${host} ${primary}`]),
      ];
      return new ServerProcess(path.basename(program), program, args, `${dir}.log`);
    });
    const started = new RedisReplication(servers, primary, barrier);
    await until('both replicas are online', async () => {
      started.check();
      const info = String(await ask(primary, 'INFO', 'replication'));
      return (info.match(/^slave\d+:.*state=online/gm) ?? []).length === replicaCount;
    });
    return started;
  }

  get pids(): readonly number[] {
    return this.#servers.map(({ pid }) => pid);
  }

  drive(row: Row, options: DriveOptions, window: LoadWindow): Promise<Driven> {
    return driveResp(this.target, this.barrier, row, options, window);
  }

  flushes(): Promise<null> {
    return Promise.resolve(null);
  }

  check(): void {
    for (const server of this.#servers) server.check();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop('SIGKILL')));
  }
}

function redisLike(name: string, program: string, barrier: Barrier): System {
  return {
    name,
    guarantee: `primary and two replicas, appendfsync always, ${barrier.request.slice(0, -1).join(' ')} behind each write or pipelined batch`,
    missing: () => (findProgram(program) === null ? `${program} is not installed` : null),
    leavesOut: () => null,
    start: (directory) => RedisReplication.start(findProgram(program) as string, barrier, directory),
  };
}

export const redis = redisLike('redis', 'redis-server', waitOne);
export const valkey = redisLike('valkey', 'valkey-server', waitAofOne);
