import net from 'node:net';
import type { LoadTarget } from '../../src/cli/checked-connection.ts';
import { encodeRequest, type Reply, ReplyError, ReplyParser } from '../../src/resp/reply-parser.ts';
import { BenchFailure } from '../processes.ts';

export const types = ['list', 'set', 'hash', 'zset'] as const;
export type TypeName = (typeof types)[number];

/** These questions are not about failover: a busy machine must not bring one about. */
export const patientFlags = ['--election-timeout', '5s..9s', '--ack-timeout', '60s'];
/** Elements that one command brings. */
const perCommand = 500;
/** Commands that are sent before the first is answered. */
const ahead = 16;
/** Scores are six digits long, whichever they are. */
const leastScore = 100_000;
const scoreCount = 900_000;

/** The same element for the same number, 14 bytes long. */
export function element(index: number): string {
  return `element${String(index).padStart(7, '0')}`;
}

export function scoreOf(index: number): string {
  return String(leastScore + ((index * 7919) % scoreCount));
}

/** What brings elements of a collection, behind command and key. */
function argumentsFor(type: TypeName, index: number): string[] {
  if (type === 'hash') return [element(index), element(index)];
  return type === 'zset' ? [scoreOf(index), element(index)] : [element(index)];
}

const commands = { list: 'RPUSH', set: 'SADD', hash: 'HSET', zset: 'ZADD' } as const;

/** A connection that asks one thing after the other. */
export class Asking {
  readonly #socket: net.Socket;
  readonly #parser = new ReplyParser();
  readonly #waiting: ((reply: Reply | Error) => void)[] = [];

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#parser.push(chunk);
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next())
        this.#waiting.shift()?.(reply);
    });
    const fail = (): void => {
      for (const each of this.#waiting.splice(0)) each(new BenchFailure('the server closed a connection'));
    };
    socket.on('error', fail);
    socket.on('close', fail);
  }

  static async open({ host, port }: LoadTarget): Promise<Asking> {
    const socket = net.connect({ host, port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Asking(socket);
  }

  ask(...request: readonly (string | number)[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((reply) => {
        if (reply instanceof ReplyError || reply instanceof Error)
          reject(new BenchFailure(`${request[0]} was answered with ${reply.message}`));
        else resolve(reply);
      });
      this.#socket.write(encodeRequest(request));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Makes a collection of so many elements. */
export async function fillCollection(
  target: LoadTarget,
  key: string,
  type: TypeName,
  elements: number,
): Promise<void> {
  const asking = await Asking.open(target);
  try {
    const under: Promise<Reply>[] = [];
    for (let from = 0; from < elements; from += perCommand) {
      const args = [];
      for (let i = from; i < Math.min(from + perCommand, elements); i++) args.push(...argumentsFor(type, i));
      const asked = asking.ask(commands[type], key, ...args);
      // Whoever waits for it hears of a failure; the others need not.
      asked.catch(() => undefined);
      under.push(asked);
      if (under.length >= ahead) await under.shift();
    }
    await Promise.all(under);
  } finally {
    asking.close();
  }
}
