import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { RawClient } from './raw-client.ts';

/** A server must answer within this time, in ms, after it was started. */
const startMs = 20_000;
const pollMs = 20;

/** A server process with a directory of its own below the system's temporary one. */
export interface ServerProcess {
  readonly port: number;
  /** The end of what it has printed. */
  output(): string;
  /** Ends the process and removes its directory. */
  stop(): Promise<void>;
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export function temporaryDirectory(name: string): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), `bellwether-${name}-`));
}

/**
 * Starts a program that serves Redis's protocol and waits until it is ready.
 * @param dir its directory; removed when it stops
 * @param ready asked again and again until it says yes
 */
export async function startServer(
  program: string,
  args: readonly string[],
  dir: string,
  port: number,
  ready: (client: RawClient) => Promise<boolean>,
): Promise<ServerProcess> {
  const outputFile = path.join(dir, 'output.log');
  const descriptor = fs.openSync(outputFile, 'a');
  const child = spawn(program, args, { cwd: dir, stdio: ['ignore', descriptor, descriptor] });
  fs.closeSync(descriptor);
  const output = (): string => fs.readFileSync(outputFile, 'utf8').slice(-2000);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    fs.rmSync(dir, { recursive: true, force: true });
  };
  const killed = (): boolean => child.kill('SIGKILL');
  process.once('exit', killed);
  exited.then(() => process.off('exit', killed));
  const deadline = Date.now() + startMs;
  while (!(await answers(port, ready))) {
    if (hasEnded(child) || Date.now() > deadline) {
      const said = output();
      await stop();
      throw new Error(`${program} did not start serving on port ${port}:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return { port, output, stop };
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

async function answers(port: number, ready: (client: RawClient) => Promise<boolean>): Promise<boolean> {
  try {
    const client = await RawClient.connect(port);
    try {
      return await ready(client);
    } finally {
      await client.close();
    }
  } catch {
    return false;
  }
}
