import net from 'node:net';
import { DialHandshake } from './handshake.ts';
import type { Refusal } from './handshake-frames.ts';
import type { LinkHost } from './link-host.ts';
import { runHandshake } from './run-handshake.ts';
import type { Lane, PeerIdentity } from './types.ts';

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

export interface DialFailure {
  readonly reason: string;
  /** Nobody listens there: the peer's process is likely gone. */
  readonly portRefused: boolean;
  /** The peer is there, and one of the two will not talk to the other. */
  readonly refusal: Refusal | null;
}

export interface DialDone {
  /** @param saidFresh what this node said of itself; `rest`: bytes of the link behind the handshake */
  established(socket: net.Socket, peer: PeerIdentity, saidFresh: boolean, rest: Buffer): void;
  failed(failure: DialFailure): void;
}

/** One attempt to reach a peer: connects, shakes hands, then calls exactly one of `done`, never inside this call. */
export function dialPeer(
  peer: string,
  lane: Lane,
  address: PeerAddress,
  host: LinkHost,
  done: DialDone,
): net.Socket {
  const local = host.local();
  const handshake = new DialHandshake(local, peer, lane);
  const socket = net.connect({ host: address.host, port: address.port, noDelay: true });
  let reason = 'closed during the handshake';
  let portRefused = false;
  let refusal: Refusal | null = null;
  let over = false;
  const timer = setTimeout(() => {
    reason = `no handshake within ${host.timing.handshakeMs} ms`;
    socket.destroy();
  }, host.timing.handshakeMs);
  socket.on('connect', () => socket.write(handshake.hello));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    reason = error.code ?? error.message;
    portRefused = error.code === 'ECONNREFUSED';
  });
  socket.on('close', () => {
    clearTimeout(timer);
    if (!over) done.failed({ reason, portRefused, refusal });
  });
  runHandshake(socket, handshake, (outcome) => {
    switch (outcome.kind) {
      case 'established':
        over = true;
        clearTimeout(timer);
        done.established(socket, outcome.peer, local.identity.fresh, outcome.rest);
        break;
      case 'refused':
        refusal = outcome.refusal;
        reason = `${outcome.byPeer ? 'refused by the peer' : 'refused by this node'}: ${outcome.refusal.reason}`;
        break;
      case 'malformed':
        reason = `whoever listens there sent ${outcome.reason}`;
        break;
    }
  });
  return socket;
}
