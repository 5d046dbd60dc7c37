import type net from 'node:net';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { HandshakeStep } from './handshake.ts';
import { HandshakeReader, type Refusal } from './handshake-frames.ts';
import type { Lane, PeerIdentity } from './types.ts';

export type HandshakeOutcome =
  /** `rest`: bytes of the link that came right behind the handshake. */
  | { readonly kind: 'established'; readonly peer: PeerIdentity; readonly lane: Lane; readonly rest: Buffer }
  | {
      readonly kind: 'refused';
      readonly refusal: Refusal;
      readonly byPeer: boolean;
      readonly peer: string | null;
    }
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Carries one end of a handshake over a socket. `done` is called at most once, with the socket no longer listened to;
 * a socket that closes before that is the caller's to notice.
 */
export function runHandshake(
  socket: net.Socket,
  handshake: { receive(frame: Buffer): HandshakeStep },
  done: (outcome: HandshakeOutcome) => void,
): void {
  const reader = new HandshakeReader();
  const onData = (chunk: Buffer): void => {
    reader.push(chunk);
    const outcome = advance(socket, handshake, reader);
    if (outcome === null) return;
    socket.off('data', onData);
    done(outcome);
  };
  socket.on('data', onData);
}

function advance(
  socket: net.Socket,
  handshake: { receive(frame: Buffer): HandshakeStep },
  reader: HandshakeReader,
): HandshakeOutcome | null {
  try {
    for (let frame = reader.next(); frame !== null; frame = reader.next()) {
      const step = handshake.receive(frame);
      switch (step.kind) {
        case 'continue':
          socket.write(step.send);
          break;
        case 'established':
          if (step.send !== null) socket.write(step.send);
          return { kind: 'established', peer: step.peer, lane: step.lane, rest: reader.rest() };
        case 'refuse':
          // Half-closed rather than destroyed: bytes still to be read would reset the connection and lose the reason.
          socket.end(step.send);
          socket.resume();
          return { kind: 'refused', refusal: step.refusal, byPeer: false, peer: step.peer };
        case 'refused':
          socket.destroy();
          return { kind: 'refused', refusal: step.refusal, byPeer: true, peer: null };
      }
    }
    return null;
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    socket.destroy();
    return { kind: 'malformed', reason: error.message };
  }
}
