import type net from 'node:net';
import type { Logger } from '../env/logger.ts';
import type { RequestLimits } from '../resp/parser.ts';
import { ProtocolError, RespParser } from '../resp/parser.ts';
import type { ClientSession, SessionSink } from '../shard/session-types.ts';

/** Bytes that a client may send ahead while its session takes no command; then its socket is not read. */
const readAheadBytes = 1 << 20;

/** A connection that is being closed and moves no bytes for so long is cut, ms. */
const lastBytesMs = 500;

export interface ConnectionLimits {
  readonly request: RequestLimits;
  /** Bytes of replies that a client may leave unread before it is disconnected. */
  readonly outputBytes: number;
}

export interface ConnectionHost {
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  readonly counters: { bytesIn: number; bytesOut: number };
  openSession(sink: SessionSink): ClientSession;
  closed(connection: Connection): void;
}

/** One client's socket: bytes in, requests to the session, replies out. */
export class Connection implements SessionSink {
  readonly session: ClientSession;
  readonly address: string;
  readonly localAddress: string;
  readonly #socket: net.Socket;
  readonly #parser: RespParser;
  readonly #host: ConnectionHost;
  #running = false;
  #open = true;

  constructor(socket: net.Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#parser = new RespParser(host.limits.request);
    this.address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    this.session = host.openSession(this);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    // The client sends no more, but may still read: it gets its replies.
    socket.on('end', () => this.session.closeAfterReply());
    socket.on('close', () => this.#gone());
    socket.on('error', () => socket.destroy());
  }

  /** Cuts the connection when nothing moves for so long, unless the client waits for something (BLPOP), as in Redis. */
  endWhenIdle(ms: number): void {
    this.#socket.setTimeout(ms);
    this.#socket.on('timeout', () => {
      if (this.#open && this.session.blocked) this.#socket.setTimeout(ms);
      else this.#socket.destroy();
    });
  }

  get inputBytes(): number {
    return this.#parser.buffered;
  }

  get outputBytes(): number {
    return this.#socket.writableLength + this.session.pendingBytes;
  }

  #received(chunk: Buffer): void {
    this.#host.counters.bytesIn += chunk.length;
    this.#parser.push(chunk);
    if (this.#open) this.session.arrived();
    this.#run();
    if (this.session.blocked && this.#parser.buffered > readAheadBytes) this.#socket.pause();
    if (this.outputBytes > this.#host.limits.outputBytes) this.#tooSlow();
  }

  /** Hands the session what it takes. */
  #run(): void {
    if (this.#running || !this.#open) return;
    this.#running = true;
    try {
      while (!this.session.blocked && this.#open) {
        this.#parser.stranger = !this.session.authenticated;
        const args = this.#parser.next();
        if (args === null) break;
        this.session.execute(args);
        // A few bytes can ask for very many: what one piece of a pipeline may have answered is bounded too.
        if (this.session.pendingBytes > this.#host.limits.outputBytes) this.#tooSlow();
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.session.protocolError(error.message);
    } finally {
      this.#running = false;
    }
  }

  write(bytes: Buffer): void {
    if (!this.#open) return;
    this.#host.counters.bytesOut += bytes.length;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > this.#host.limits.outputBytes) this.#tooSlow();
  }

  #tooSlow(): void {
    if (!this.#open) return;
    const fields = { client: this.address, bytes: this.outputBytes, limit: this.#host.limits.outputBytes };
    this.#host.logger.warn(fields, 'client disconnected: it does not read its replies');
    this.#open = false;
    this.#socket.destroy();
  }

  resume(): void {
    if (!this.#open) return;
    if (this.#socket.isPaused()) this.#socket.resume();
    this.session.resumed();
    this.#run();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.end();
    // Whoever takes none of its last bytes for a while is not waited for.
    this.#socket.setTimeout(lastBytesMs, () => this.#socket.destroy());
  }

  #gone(): void {
    this.#open = false;
    this.session.disconnected();
    this.#host.closed(this);
  }
}
