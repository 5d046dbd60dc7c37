import net from 'node:net';
import { BellwetherError } from '../errors.ts';
import type { PeerAddress } from './dial.ts';
import { AcceptHandshake } from './handshake.ts';
import type { Refusal } from './handshake-frames.ts';
import type { LinkHost } from './link-host.ts';
import { type HandshakeOutcome, runHandshake } from './run-handshake.ts';
import type { Lane, PeerIdentity } from './types.ts';

export interface ListenerEvents {
  /** Why a peer of this cluster may not come in now, if so. */
  judgePeer(peer: PeerIdentity): Refusal | null;
  /** @param saidFresh what this node said of itself; `rest`: bytes of the link behind the handshake */
  accepted(socket: net.Socket, peer: PeerIdentity, lane: Lane, saidFresh: boolean, rest: Buffer): void;
}

/** Plain integers that only grow. */
export interface ListenerCounters {
  accepted: number;
  refused: number;
  malformed: number;
  /** Connections that ended, timed out or were displaced before their handshake was over. */
  unfinished: number;
}

/** Takes connections and shakes hands; what comes through becomes a link. */
export class PeerListener {
  readonly counters: ListenerCounters = { accepted: 0, refused: 0, malformed: 0, unfinished: 0 };
  readonly #host: LinkHost;
  readonly #events: ListenerEvents;
  readonly #server: net.Server;
  /** Connections in their handshake or being told why not, oldest first. */
  readonly #waiting = new Set<net.Socket>();

  constructor(host: LinkHost, events: ListenerEvents) {
    this.#host = host;
    this.#events = events;
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#connected(socket));
  }

  listen({ host, port }: PeerAddress): Promise<PeerAddress> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(cannotListen(host, port, error));
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) =>
          this.#host.logger.error({ err: error }, 'the peer port has a problem'),
        );
        resolve({ host, port: (this.#server.address() as net.AddressInfo).port });
      });
    });
  }

  /** Resolves when all connections that came in are gone; their owners close those that were accepted. */
  close(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #connected(socket: net.Socket): void {
    const { timing, limits } = this.#host;
    const from = `${socket.remoteAddress ?? 'unknown'}`;
    const local = this.#host.local();
    let outcome: HandshakeOutcome | null = null;
    // Runs until the connection is gone or accepted, so that one who was refused cannot stay either.
    const timer = setTimeout(() => socket.destroy(), timing.handshakeMs);
    this.#waiting.add(socket);
    socket.on('error', (error) =>
      this.#host.logger.debug({ from, reason: error.message }, 'peer connection failed'),
    );
    socket.on('close', () => {
      clearTimeout(timer);
      this.#waiting.delete(socket);
      if (outcome === null) this.counters.unfinished += 1;
    });
    if (this.#waiting.size > limits.handshakes) this.#waiting.values().next().value?.destroy();
    const handshake = new AcceptHandshake(local, (peer) => this.#events.judgePeer(peer));
    runHandshake(socket, handshake, (result) => {
      outcome = result;
      if (result.kind !== 'established') {
        this.#turnedAway(from, result);
        return;
      }
      clearTimeout(timer);
      this.#waiting.delete(socket);
      this.counters.accepted += 1;
      this.#events.accepted(socket, result.peer, result.lane, local.identity.fresh, result.rest);
    });
  }

  #turnedAway(from: string, outcome: Exclude<HandshakeOutcome, { kind: 'established' }>): void {
    const { logger, repeats } = this.#host;
    if (outcome.kind === 'malformed') {
      this.counters.malformed += 1;
      if (repeats.admits(`${from} ${outcome.reason}`, performance.now())) {
        const fields = { code: 'BW_PEER_MALFORMED', from, reason: outcome.reason };
        logger.warn(fields, `a connection from ${from} was closed: ${outcome.reason}`);
      }
      return;
    }
    this.counters.refused += 1;
    const { refusal, byPeer } = outcome;
    if (!repeats.admits(`${from} ${byPeer} ${refusal.reason}`, performance.now())) return;
    const fields = { code: 'BW_PEER_REFUSED', from, peer: outcome.peer, why: refusal.code };
    const who = byPeer ? `a peer from ${from} refused this node` : `a peer from ${from} was refused`;
    logger.warn(fields, `${who}: ${refusal.reason}`);
  }
}

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): BellwetherError {
  if (error.code === 'EADDRINUSE')
    return new BellwetherError(
      'BW_PORT_TAKEN',
      `another process listens on ${host}:${port}, which this node needs for its peers`,
      'Stop it or choose another peer address.',
      { cause: error },
    );
  return new BellwetherError(
    'BW_CONFIG_INVALID',
    `this node cannot listen for peers on ${host}:${port} (${error.code ?? error.message})`,
    'Choose an address of this machine and a port that this user may open.',
    { cause: error },
  );
}
