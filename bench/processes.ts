import { type ChildProcess, execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export const host = '127.0.0.1';
const directories = [
  '/usr/lib/postgresql/15/bin',
  '/usr/local/bin',
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/sbin',
];
const stopMs = 10_000;
const patienceMs = 60_000;

export const execute = promisify(execFile);

/** Where a program is: in PATH or where Debian puts it; null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const directory of [...(process.env['PATH'] ?? '').split(path.delimiter), ...directories]) {
    const file = path.join(directory, name);
    if (directory !== '' && fs.existsSync(file)) return file;
  }
  return null;
}

/** This process's environment without what would set options of a node. */
export function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('BELLWETHER_'));
  return { ...Object.fromEntries(own), ...more };
}

export class BenchFailure extends Error {}

/** Waits until `probe` answers something else than null or false. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | false>,
  limitMs = patienceMs,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await probe();
    if (found !== null && found !== false) return found;
    if (performance.now() > endMs) throw new BenchFailure(`not within ${limitMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Ports that were free a moment ago, below those that systems give to outgoing connections. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    if (await portIsFree(port)) found.add(port);
  }
  return [...found];
}

const running = new Set<ServerProcess>();
const temporary = new Set<string>();

/** An empty directory that is gone when this process ends. Processes of other users may enter it. */
export function makeDirectory(parent: string): string {
  const directory = fs.mkdtempSync(path.join(parent, 'bellwether-bench-'));
  fs.chmodSync(directory, 0o755);
  temporary.add(directory);
  return directory;
}

export function removeDirectory(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  temporary.delete(directory);
}

function cleanUp(): void {
  for (const server of running) server.kill();
  for (const directory of temporary) {
    try {
      removeDirectory(directory);
    } catch {
      // A process that is just dying may still write there; the directory is a temporary one.
    }
  }
}
process.on('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

interface ServerOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Gives it a channel to this process, from whose end it learns that this process ended. */
  readonly channel?: boolean;
}

/** A server that was started for measuring. It does not outlive this process. */
export class ServerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #log: string;
  #ended: string | null = null;
  #stopping = false;

  /** @param log file that takes what it prints */
  constructor(
    name: string,
    command: string,
    args: readonly string[],
    log: string,
    options: ServerOptions = {},
  ) {
    const output = fs.openSync(log, 'a');
    const { channel = false, ...others } = options;
    this.#child = spawn(command, args, {
      env: environment(),
      ...others,
      stdio: ['ignore', output, output, ...(channel ? (['ipc'] as const) : [])],
    });
    fs.closeSync(output);
    if (this.#child.pid === undefined) throw new BenchFailure(`${command} cannot be started`);
    this.pid = this.#child.pid;
    this.#name = name;
    this.#log = log;
    running.add(this);
    this.#child.on('error', () => undefined);
    this.#child.on('exit', (code, signal) => {
      this.#ended = signal ?? `exit code ${code}`;
      running.delete(this);
    });
  }

  /** Throws when it ended although nobody asked it to. */
  check(): void {
    if (this.#ended === null || this.#stopping) return;
    const output = fs.readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    throw new BenchFailure(`${this.#name} ended (${this.#ended}):\n${output}`);
  }

  kill(): void {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
  }

  /** Ends it and waits until it is gone; it is killed when it takes too long. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#ended !== null) return;
    this.#stopping = true;
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
    await new Promise<void>((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill(signal);
    });
    clearTimeout(killer);
  }
}

/** Runs a program to its end and answers what it printed; fails with its words when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly uid?: number;
    readonly gid?: number;
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
  } = {},
): Promise<string> {
  try {
    const { stdout, stderr } = await execute(command, [...args], {
      maxBuffer: 64 << 20,
      env: environment(),
      ...options,
    });
    return stdout + stderr;
  } catch (error) {
    const { stderr, stdout, message } = error as Error & { stderr?: string; stdout?: string };
    throw new BenchFailure(`${command} failed: ${stderr || stdout || message}`);
  }
}

export function isRoot(): boolean {
  return os.userInfo().uid === 0;
}
