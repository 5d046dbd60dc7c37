import net from 'node:net';
import type { Reply } from '../../src/resp/reply-parser.ts';
import { encodeRequest, ReplyParser } from '../../src/resp/reply-parser.ts';

/** A reply as it came over the wire, one character per byte, and what it means. */
export interface RawReply {
  readonly wire: string;
  readonly value: Reply;
}

/** A reply that does not come within this time, in ms, is an error. */
const patienceMs = 10_000;

interface Waiter {
  readonly resolve: (reply: RawReply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Sends all, says that nothing more comes, and reads until the server closes: what was received, one character per byte. */
export function sendAndEnd(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.end(Buffer.from(text, 'latin1'));
  });
}

/** A client without any cleverness: it sends what it is given, once, and shows the bytes of each reply. */
export class RawClient {
  readonly #socket: net.Socket;
  readonly #parser = new ReplyParser();
  #unparsed: Buffer = Buffer.alloc(0);
  readonly #replies: RawReply[] = [];
  readonly #waiters: Waiter[] = [];
  /** Why there will be no more replies. */
  #ended: Error | null = null;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    // The end of the connection follows and says as much.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end(new Error('the server closed the connection'));
        resolve();
      });
    });
  }

  /** Rejects when nobody listens. */
  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  #received(chunk: Buffer): void {
    this.#unparsed = Buffer.concat([this.#unparsed, chunk]);
    this.#parser.push(chunk);
    try {
      for (let value = this.#parser.next(); value !== undefined; value = this.#parser.next()) {
        const length = this.#unparsed.length - this.#parser.buffered;
        this.#deliver({ wire: this.#unparsed.latin1Slice(0, length), value });
        this.#unparsed = this.#unparsed.subarray(length);
      }
    } catch (error) {
      this.#end(error as Error);
      this.#socket.destroy();
    }
  }

  #deliver(reply: RawReply): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#replies.push(reply);
      return;
    }
    clearTimeout(waiter.timer);
    waiter.resolve(reply);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject, timer } of this.#waiters.splice(0)) {
      clearTimeout(timer);
      reject(this.#ended);
    }
  }

  /** Sends bytes as they are; a string has one character per byte. */
  send(bytes: Buffer | string): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  sendCommand(...args: readonly (string | number)[]): void {
    this.send(encodeRequest(args));
  }

  /** The next reply; rejects when the connection ends first, or after some seconds. */
  next(): Promise<RawReply> {
    const ready = this.#replies.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const at = this.#waiters.findIndex((waiter) => waiter.timer === timer);
        this.#waiters.splice(at, 1);
        reject(new Error(`no reply within ${patienceMs} ms`));
      }, patienceMs);
      this.#waiters.push({ resolve, reject, timer });
    });
  }

  command(...args: readonly (string | number)[]): Promise<RawReply> {
    this.sendCommand(...args);
    return this.next();
  }

  close(): Promise<void> {
    this.#socket.destroy();
    return this.closed;
  }
}
