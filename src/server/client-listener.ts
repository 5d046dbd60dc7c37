import net from 'node:net';
import type { Logger } from '../env/logger.ts';
import { BellwetherError } from '../errors.ts';
import type { ClientSession, SessionSink } from '../shard/session-types.ts';
import type { ConnectionLimits } from './connection.ts';
import { Connection } from './connection.ts';

/** A client too many has so long to read that, ms. */
const turnedAwayMs = 1000;

export interface ClientListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly maxClients: number;
  /** Seconds after which an idle client is disconnected; 0 never. */
  readonly idleSeconds: number;
  readonly keepAliveSeconds: number;
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  openSession(sink: SessionSink): ClientSession;
}

/** Accepts clients and keeps their connections. */
export class ClientListener {
  readonly connections = new Map<number, Connection>();
  readonly counters = { bytesIn: 0, bytesOut: 0, accepted: 0, rejected: 0 };
  maxClients: number;
  readonly #options: ClientListenerOptions;
  readonly #server: net.Server;

  constructor(options: ClientListenerOptions) {
    this.#options = options;
    this.maxClients = options.maxClients;
    this.#server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Rejects with BW_PORT_TAKEN or BW_CONFIG_INVALID. */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port, backlog: 4096 }, () =>
        resolve((this.#server.address() as net.AddressInfo).port),
      );
    });
  }

  #accept(socket: net.Socket): void {
    const { openSession, limits, logger, idleSeconds, keepAliveSeconds } = this.#options;
    if (this.connections.size >= this.maxClients) {
      this.counters.rejected += 1;
      turnAway(socket);
      return;
    }
    this.counters.accepted += 1;
    if (keepAliveSeconds > 0) socket.setKeepAlive(true, keepAliveSeconds * 1000);
    const connection = new Connection(socket, {
      limits,
      logger,
      counters: this.counters,
      openSession,
      closed: (closed) => this.connections.delete(closed.session.id),
    });
    this.connections.set(connection.session.id, connection);
    if (idleSeconds > 0) connection.endWhenIdle(idleSeconds * 1000);
  }

  close(): Promise<void> {
    for (const connection of this.connections.values()) connection.close();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** Says why, and reads what the client sent, or else its end would never be seen; it is not waited for long. */
function turnAway(socket: net.Socket): void {
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.end('-ERR max number of clients reached\r\n');
  const timer = setTimeout(() => socket.destroy(), turnedAwayMs);
  socket.on('close', () => clearTimeout(timer));
}

/** What went wrong with a port, in words of ours. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): BellwetherError {
  if (error.code === 'EADDRINUSE') {
    return new BellwetherError(
      'BW_PORT_TAKEN',
      `${host}:${port} is in use by another process`,
      'Stop that process or choose another port.',
    );
  }
  return new BellwetherError(
    'BW_CONFIG_INVALID',
    `cannot listen on ${host}:${port} (${error.message})`,
    'Choose an address of this machine and a port above 1023.',
  );
}
