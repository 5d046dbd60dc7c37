import type net from 'node:net';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { Message } from '../core/types.ts';
import { decodeMessage } from './codec.ts';
import {
  aliveFrame,
  checkFrame,
  firstLinkKind,
  frameBytesMax,
  frameKind,
  linkKind,
  notFreshFrame,
} from './frame.ts';
import { FrameAssembler } from './frame-assembler.ts';
import type { LinkHost, PeerCounters } from './link-host.ts';
import type { Lane, PeerIdentity } from './types.ts';

export interface InboundEvents {
  received(link: InboundLink, shard: number, message: Message): void;
  /** The peer is no longer fresh. */
  aged(link: InboundLink): void;
  closed(link: InboundLink): void;
}

/** A connection that a peer dialled, behind its handshake: brings the peer's messages of one lane. */
export class InboundLink {
  readonly peer: PeerIdentity;
  readonly lane: Lane;
  readonly #socket: net.Socket;
  readonly #host: LinkHost;
  readonly #events: InboundEvents;
  readonly #counters: PeerCounters;
  readonly #assembler: FrameAssembler;
  #heardMs = performance.now();
  #saidFresh: boolean;
  #closed = false;

  constructor(
    socket: net.Socket,
    peer: PeerIdentity,
    lane: Lane,
    saidFresh: boolean,
    host: LinkHost,
    events: InboundEvents,
    counters: PeerCounters,
  ) {
    this.#socket = socket;
    this.peer = peer;
    this.lane = lane;
    this.#saidFresh = saidFresh;
    this.#host = host;
    this.#events = events;
    this.#counters = counters;
    this.#assembler = new FrameAssembler(frameBytesMax[lane]);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('close', () => {
      this.#closed = true;
      events.closed(this);
    });
  }

  /** Takes bytes of the link; a malformed frame ends it. */
  receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#heardMs = performance.now();
    this.#counters.bytesIn += chunk.length;
    this.#assembler.push(chunk);
    while (!this.#closed) {
      let message: { readonly shard: number; readonly message: Message } | null;
      try {
        const frame = this.#assembler.next();
        if (frame === null) return;
        message = frameKind(frame) >= firstLinkKind ? this.#linkFrame(frame) : decodeMessage(frame);
      } catch (error) {
        if (!(error instanceof MalformedBytes)) throw error;
        this.#malformed(error);
        return;
      }
      // Outside of the try: what goes wrong in the handler is not the peer's fault.
      if (message !== null) {
        this.#counters.messagesIn += 1;
        this.#events.received(this, message.shard, message.message);
      }
    }
  }

  tellNotFresh(): void {
    if (this.#closed || !this.#saidFresh) return;
    this.#saidFresh = false;
    this.#socket.write(notFreshFrame);
  }

  /** To be called every `aliveMs`. `pausedMs`: how long this process itself did not run. */
  tick(nowMs: number, pausedMs: number): void {
    this.#heardMs += pausedMs;
    if (nowMs - this.#heardMs > this.#host.timing.silenceMs) {
      const reason = `nothing heard for ${Math.round(nowMs - this.#heardMs)} ms`;
      this.#host.logger.info({ peer: this.peer.node, lane: this.lane, reason }, 'link from peer broke');
      this.close();
    } else if (this.#socket.writableLength === 0) {
      this.#socket.write(aliveFrame);
    }
  }

  /** Drops the connection, unread bytes included. */
  close(): void {
    this.#closed = true;
    this.#socket.resetAndDestroy();
  }

  #linkFrame(frame: Buffer): null {
    checkFrame(frame);
    const kind = frameKind(frame);
    if (kind === linkKind.identity) this.#events.aged(this);
    else if (kind !== linkKind.alive) throw new MalformedBytes(`a frame of unknown kind ${kind}`, 16);
    return null;
  }

  #malformed(error: MalformedBytes): void {
    const { logger, repeats } = this.#host;
    if (repeats.admits(`${this.peer.node} ${error.message}`, performance.now())) {
      const fields = {
        code: 'BW_PEER_MALFORMED',
        peer: this.peer.node,
        lane: this.lane,
        reason: error.message,
      };
      logger.warn(fields, `node '${this.peer.node}' sent ${error.message}; the link is closed`);
    }
    this.close();
  }
}
