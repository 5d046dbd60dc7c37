import net from 'node:net';
import { MalformedBytes } from '../../bytes/byte-reader.ts';
import type { Reply } from '../../resp/reply-parser.ts';
import { encodeRequest, ReplyError, ReplyParser } from '../../resp/reply-parser.ts';
import type { SeededRandom } from '../../sim/seeded-random.ts';

/** Errors that say that nothing was executed (docs/guarantees.md). */
const nothingDone = /^(MOVED|CLUSTERDOWN|NOREPLICAS|DISKFULL|LOADING|TRYAGAIN)/;

export type Outcome =
  | { readonly kind: 'answered'; readonly reply: Reply }
  /** It surely had no effect. */
  | { readonly kind: 'refused' }
  /** Nobody knows what became of it. */
  | { readonly kind: 'unknown' };

const refused: Outcome = { kind: 'refused' };
const unknown: Outcome = { kind: 'unknown' };

interface Waiting {
  readonly settle: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
  /** The request has been handed to the connection. */
  sent: boolean;
}

/** A client with one request in flight. It follows MOVED, repeats nothing, and goes elsewhere when its connection ends. */
export class VerifyClient {
  readonly #ports: readonly number[];
  readonly #random: SeededRandom;
  readonly #hello: readonly string[] | null;
  #socket: net.Socket | null = null;
  #parser = new ReplyParser();
  #waiting: Waiting | null = null;
  #helloDue = false;
  /** Connections so far; tells what was read on one connection from what was read on the next. */
  connections = 0;

  /** @param hello sent first on each connection; null for nothing */
  constructor(ports: readonly number[], random: SeededRandom, hello: readonly string[] | null) {
    this.#ports = ports;
    this.#random = random;
    this.#hello = hello;
  }

  request(command: readonly string[], timeoutMs: number): Promise<Outcome> {
    return new Promise((settle) => {
      const timer = setTimeout(() => this.hangUp(), timeoutMs);
      this.#waiting = { settle, timer, sent: false };
      const socket = this.#socket ?? this.#connect(this.#random.pick(this.#ports));
      const bytes = encodeRequest(command);
      if (socket.connecting) socket.once('connect', () => this.#send(socket, bytes));
      else this.#send(socket, bytes);
    });
  }

  #send(socket: net.Socket, bytes: Buffer): void {
    if (this.#socket !== socket || this.#waiting === null) return;
    this.#waiting.sent = true;
    socket.write(bytes);
  }

  #connect(port: number): net.Socket {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket = socket;
    this.connections += 1;
    this.#parser = new ReplyParser();
    this.#helloDue = this.#hello !== null;
    if (this.#hello !== null) socket.write(encodeRequest(this.#hello));
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) this.#received(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket === socket) this.hangUp();
    });
    return socket;
  }

  #settle(outcome: Outcome): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return;
    clearTimeout(waiting.timer);
    waiting.settle(outcome);
  }

  /** Ends the connection; what became of a request in flight stays unknown. */
  hangUp(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#settle(this.#waiting?.sent === true ? unknown : refused);
  }

  #received(chunk: Buffer): void {
    this.#parser.push(chunk);
    try {
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next())
        this.#replied(reply);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.hangUp();
    }
  }

  #replied(reply: Reply): void {
    if (this.#helloDue) {
      this.#helloDue = false;
      // Without its policy this client would take weaker replies for strong ones.
      if (reply instanceof ReplyError) this.hangUp();
      return;
    }
    if (!(reply instanceof ReplyError)) {
      this.#settle({ kind: 'answered', reply });
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = null;
    this.hangUp();
    const moved = /^MOVED \d+ .*:(\d+)$/.exec(reply.message);
    if (moved !== null && this.#ports.includes(Number(moved[1]))) this.#connect(Number(moved[1]));
    if (waiting === null) return;
    clearTimeout(waiting.timer);
    waiting.settle(nothingDone.test(reply.message) ? refused : unknown);
  }
}
