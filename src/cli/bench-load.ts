import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BellwetherError } from '../errors.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export interface Load {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly connections: number;
  /** Requests that each connection has under way at once; the next ones go out when all are answered. */
  readonly pipeline: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface LoadResult {
  readonly writes: number;
  readonly seconds: number;
  readonly latency: LatencyHistogram;
}

/** Pieces of requests are made ahead, so that the load takes little of the processor. */
const pieces = 64;
const ok = Buffer.from('+OK\r\n');

function request(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

function makePieces({ pipeline, keys, valueBytes }: Load): Buffer[] {
  const value = 'x'.repeat(valueBytes);
  return Array.from({ length: pieces }, () => {
    let text = '';
    for (let i = 0; i < pipeline; i++)
      text += request('SET', `bench:${Math.floor(Math.random() * keys)}`, value);
    return Buffer.from(text);
  });
}

function failed(load: Load, what: string): BellwetherError {
  return new BellwetherError(
    'BW_NOT_A_CLUSTER',
    `the server at ${load.host}:${load.port} ${what}`,
    'Every SET must be answered with OK; look into its log.',
  );
}

/** One connection that sends SETs and checks every byte of the replies. */
class LoadConnection {
  readonly #socket: net.Socket;
  readonly #pieces: readonly Buffer[];
  readonly #done: (count: number, microseconds: number) => void;
  readonly #expected: Buffer;
  #next: number;
  #sentAt = 0n;
  #received = 0;
  #stopped: (() => void) | null = null;

  constructor(
    socket: net.Socket,
    load: Load,
    ready: readonly Buffer[],
    first: number,
    done: (count: number, microseconds: number) => void,
    fail: (error: Error) => void,
  ) {
    this.#socket = socket;
    this.#pieces = ready;
    this.#next = first;
    this.#done = done;
    this.#expected = Buffer.alloc(ok.length * load.pipeline, ok);
    socket.on('data', (chunk: Buffer) => {
      const problem = this.#reply(chunk);
      if (problem === null) return;
      socket.destroy();
      fail(failed(load, problem));
    });
    socket.on('error', (error) => fail(failed(load, `failed: ${error.message}`)));
    socket.on('close', () => {
      if (this.#stopped === null) fail(failed(load, 'closed a connection'));
      else this.#stopped();
    });
  }

  send(): void {
    this.#sentAt = process.hrtime.bigint();
    this.#socket.write(this.#pieces[this.#next++ % pieces] as Buffer);
  }

  /** What is wrong with the reply; null when nothing. */
  #reply(chunk: Buffer): string | null {
    const end = this.#received + chunk.length;
    const expected = this.#expected;
    if (end > expected.length || chunk.compare(expected, this.#received, end) !== 0)
      return `answered ${JSON.stringify(chunk.latin1Slice(0, 120))} instead of OK`;
    const before = Math.floor(this.#received / ok.length);
    const count = Math.floor(end / ok.length) - before;
    this.#done(count, Number(process.hrtime.bigint() - this.#sentAt) / 1000);
    this.#received = end;
    if (end < expected.length) return null;
    this.#received = 0;
    if (this.#stopped === null) this.send();
    else this.#socket.end();
    return null;
  }

  /** Waits for the replies that are under way, then closes. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped = resolve;
    });
  }
}

/** An open, authenticated connection. */
async function connect({ host, port, password }: Load): Promise<net.Socket> {
  const socket = net.connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  if (password === '') return socket;
  socket.write(request('AUTH', password));
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  if (answer.equals(ok)) return socket;
  throw new BellwetherError(
    'BW_CONFIG_INVALID',
    `${host}:${port} refuses the password (${answer.toString('latin1').trim()})`,
    'Correct --password.',
  );
}

/** Runs the load to its end. Rejects when a reply is not OK or a connection fails: the figures would mean nothing. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const ready = makePieces(load);
  const latency = new LatencyHistogram();
  let measuring = false;
  let fail: (error: Error) => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failure.catch(() => undefined);
  const done = (count: number, microseconds: number): void => {
    if (measuring) latency.add(microseconds, count);
  };
  const connections: LoadConnection[] = [];
  for (let i = 0; i < load.connections; i++) {
    let socket: net.Socket;
    try {
      socket = await connect(load);
    } catch (error) {
      if (error instanceof BellwetherError) throw error;
      throw failed(load, `cannot be reached: ${(error as Error).message}`);
    }
    connections.push(new LoadConnection(socket, load, ready, i * 7, done, fail));
  }
  for (const connection of connections) connection.send();
  await Promise.race([delay(load.warmUpMs), failure]);
  measuring = true;
  const began = process.hrtime.bigint();
  await Promise.race([delay(load.measuredMs), failure]);
  measuring = false;
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  await Promise.race([Promise.all(connections.map((connection) => connection.stop())), failure]);
  return { writes: latency.count, seconds, latency };
}
