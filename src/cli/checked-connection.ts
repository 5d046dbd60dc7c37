import net from 'node:net';
import { BellwetherError } from '../errors.ts';
import { type Piece, request } from './bench-pieces.ts';

/** Who is put under load. */
export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

export interface ConnectionEvents {
  /** Operations of the piece under way were answered, as they had to be. */
  answered(connection: CheckedConnection, operations: number): void;
  /** The piece under way is answered in full; the connection takes the next. */
  idle(connection: CheckedConnection): void;
  failed(error: Error): void;
}

const ok = Buffer.from('+OK\r\n');

export function loadFailure({ host, port }: LoadTarget, what: string): BellwetherError {
  return new BellwetherError(
    'BW_NOT_A_CLUSTER',
    `the server at ${host}:${port} ${what}`,
    'Every request must be answered as expected; look into its log.',
  );
}

/** A connection that has one piece of requests under way at a time and checks every byte that comes back. */
export class CheckedConnection {
  /** When the piece under way was sent, or had to be sent; ms, free for whoever sends. */
  since = 0;
  readonly #socket: net.Socket;
  readonly #target: LoadTarget;
  readonly #events: ConnectionEvents;
  #piece: Piece | null = null;
  #received = 0;
  #answered = 0;
  #closed: (() => void) | null = null;

  private constructor(socket: net.Socket, target: LoadTarget, events: ConnectionEvents) {
    this.#socket = socket;
    this.#target = target;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => events.failed(loadFailure(target, `failed: ${error.message}`)));
    socket.on('close', () => {
      if (this.#closed === null) events.failed(loadFailure(target, 'closed a connection'));
      else this.#closed();
    });
  }

  /** An open, authenticated connection. */
  static async open(target: LoadTarget, events: ConnectionEvents): Promise<CheckedConnection> {
    const { host, port, password } = target;
    const socket = net.connect({ host, port, noDelay: true });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
    } catch (error) {
      throw loadFailure(target, `cannot be reached: ${(error as Error).message}`);
    }
    if (password !== '') {
      socket.write(request('AUTH', password));
      const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
      if (!answer.equals(ok))
        throw new BellwetherError(
          'BW_CONFIG_INVALID',
          `${host}:${port} refuses the password (${answer.toString('latin1').trim()})`,
          'Correct --password.',
        );
    }
    return new CheckedConnection(socket, target, events);
  }

  /** @param since see there */
  send(piece: Piece, since: number): void {
    this.#piece = piece;
    this.#received = 0;
    this.#answered = 0;
    this.since = since;
    this.#socket.write(piece.request);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closed = resolve;
      this.#socket.destroy();
    });
  }

  #take(chunk: Buffer): void {
    const piece = this.#piece;
    const end = this.#received + chunk.length;
    if (piece === null || end > piece.expected.length || !this.#matches(piece, chunk)) {
      this.#closed = () => undefined;
      this.#socket.destroy();
      const text = JSON.stringify(chunk.subarray(0, 120).toString('latin1'));
      this.#events.failed(loadFailure(this.#target, `answered ${text}, which is not what was asked for`));
      return;
    }
    this.#received = end;
    const before = this.#answered;
    const { ends } = piece;
    while (this.#answered < ends.length && (ends[this.#answered] as number) <= end) this.#answered += 1;
    if (this.#answered > before) this.#events.answered(this, this.#answered - before);
    if (end < piece.expected.length) return;
    this.#piece = null;
    this.#events.idle(this);
  }

  #matches({ expected, atLeast }: Piece, chunk: Buffer): boolean {
    const from = this.#received;
    for (const offset of atLeast) {
      const at = offset - from;
      if (at < 0 || at >= chunk.length) continue;
      const digit = chunk[at] as number;
      if (digit < (expected[offset] as number) || digit > 0x39) return false;
      chunk[at] = expected[offset] as number;
    }
    return chunk.compare(expected, from, from + chunk.length) === 0;
  }
}
