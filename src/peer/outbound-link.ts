import type net from 'node:net';
import { MalformedBytes } from '../bytes/byte-reader.ts';
import type { Message } from '../core/types.ts';
import { bulkBytesOf } from './codec.ts';
import { type DialFailure, dialPeer, type PeerAddress } from './dial.ts';
import { aliveFrame, checkFrame, frameBytesMax, frameKind, linkKind, notFreshFrame } from './frame.ts';
import { FrameAssembler } from './frame-assembler.ts';
import type { LinkHost, PeerCounters } from './link-host.ts';
import { SendQueue } from './send-queue.ts';
import type { Lane, PeerIdentity } from './types.ts';

/** What comes back on a dialled connection is the link's own and tiny. */
const returnFrameBytesMax = 1024;
/** What a frame holds beside its bulk bytes is shorter than this, and the lengths of an append's batches. */
const controlPartBytesMax = 256;
/** While a verdict on a break is due, a connection that was cut in the making is tried again so soon. */
const recheckMs = 2;

export interface OutboundEvents {
  up(link: OutboundLink, peer: PeerIdentity): void;
  /** Once per `up`, as soon as it is known whether the peer's port refuses, or that this takes too long to learn. */
  down(link: OutboundLink, portRefused: boolean): void;
  /** The peer is no longer fresh. */
  aged(link: OutboundLink, peer: PeerIdentity): void;
}

/** The connection that carries this node's messages to one peer on one lane. Dials until it is closed. */
export class OutboundLink {
  readonly peer: string;
  readonly lane: Lane;
  readonly address: PeerAddress;
  readonly #host: LinkHost;
  readonly #events: OutboundEvents;
  readonly #counters: PeerCounters;
  readonly #queueBytesMax: number;
  #queue = new SendQueue();
  #socket: net.Socket | null = null;
  #up = false;
  #closed = false;
  #upSinceMs = 0;
  #heardMs = 0;
  #saidFresh = false;
  /** Why the link is about to break, when this end knows. */
  #breaking = '';
  /** Attempts since the link was last steady. */
  #failures = 0;
  /** What keeps the link from standing, as it was last logged. */
  #trouble = '';
  #refused = false;
  #retryTimer: NodeJS.Timeout | null = null;
  /** Runs while `down` is owed. */
  #verdictTimer: NodeJS.Timeout | null = null;

  constructor(
    peer: string,
    lane: Lane,
    address: PeerAddress,
    host: LinkHost,
    events: OutboundEvents,
    counters: PeerCounters,
  ) {
    this.peer = peer;
    this.lane = lane;
    this.address = address;
    this.#host = host;
    this.#events = events;
    this.#counters = counters;
    this.#queueBytesMax = lane === 'control' ? host.limits.controlQueueBytes : host.limits.bulkQueueBytes;
  }

  get up(): boolean {
    return this.#up;
  }

  /** A `down` is still to be reported, or will be when the link breaks. */
  get owesDown(): boolean {
    return this.#up || this.#verdictTimer !== null;
  }

  get hasUnflushed(): boolean {
    return this.#queue.bytes > 0;
  }

  /** Bytes that the operating system has not taken yet. */
  get queuedBytes(): number {
    return this.#queue.bytes + (this.#socket?.writableLength ?? 0);
  }

  /** Queues a message until `flush`; false when it was dropped. */
  send(shard: number, message: Message): boolean {
    if (!this.#up) return false;
    const bulkBytes = bulkBytesOf(message);
    const queued = this.queuedBytes;
    const limit = this.#queueBytesMax + (bulkBytes > 0 ? 0 : this.#host.limits.reserveBytes);
    if (queued > 0 && queued + bulkBytes > limit) return false;
    const controlBytes = controlPartBytesMax + (message.kind === 'append' ? 4 * message.batches.length : 0);
    if (controlBytes + bulkBytes > frameBytesMax[this.lane]) {
      const text = `a message of ${bulkBytes} bytes is too large for a frame and cannot be sent`;
      this.#report('error', { code: 'BW_PEER_MALFORMED', kind: message.kind }, text);
      return false;
    }
    this.#queue.addMessage(shard, message, bulkBytes);
    return true;
  }

  /** Hands what is queued to the operating system, in one write. */
  flush(): void {
    const socket = this.#socket;
    if (socket === null || this.#queue.bytes === 0) return;
    this.#counters.bytesOut += this.#queue.bytes;
    const pieces = this.#queue.take();
    if (pieces.length === 1) {
      socket.write(pieces[0] as Uint8Array);
      return;
    }
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.uncork();
  }

  /** Lets the peer know, once, that this node is no longer fresh; what is sent next comes behind it. */
  tellNotFresh(): void {
    if (!this.#up || !this.#saidFresh) return;
    this.#saidFresh = false;
    this.#queue.addFrame(notFreshFrame);
    this.flush();
  }

  /** The peer was just heard elsewhere: no reason to wait longer. */
  wake(): void {
    if (this.#retryTimer !== null && !this.#refused) this.dial();
  }

  /** To be called every `aliveMs`. `pausedMs`: how long this process itself did not run. */
  tick(nowMs: number, pausedMs: number): void {
    const socket = this.#socket;
    if (!this.#up || socket === null) return;
    this.#heardMs += pausedMs;
    if (nowMs - this.#heardMs > this.#host.timing.silenceMs) {
      this.#breaking = `nothing heard for ${Math.round(nowMs - this.#heardMs)} ms`;
      socket.resetAndDestroy();
    } else if (socket.writableLength === 0) {
      socket.write(aliveFrame);
    }
  }

  dial(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#socket = dialPeer(this.peer, this.lane, this.address, this.#host, {
      established: (socket, peer, saidFresh, rest) => this.#established(socket, peer, saidFresh, rest),
      failed: (failure) => this.#failed(failure),
    });
  }

  /** Ends the link for good; nothing is reported any more. What is queued still goes out if the peer reads it soon. */
  close(): void {
    this.flush();
    if (this.#up) this.#counters.breaks += 1;
    this.#closed = true;
    this.#up = false;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    if (this.#verdictTimer !== null) clearTimeout(this.#verdictTimer);
    const socket = this.#socket;
    if (socket === null) return;
    if (socket.connecting || socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.resetAndDestroy(), this.#host.timing.verdictMs);
    socket.on('close', () => clearTimeout(timer));
    socket.destroySoon();
  }

  #established(socket: net.Socket, peer: PeerIdentity, saidFresh: boolean, rest: Buffer): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.#reportDown(false);
    this.#up = true;
    this.#saidFresh = saidFresh;
    this.#upSinceMs = performance.now();
    this.#heardMs = this.#upSinceMs;
    this.#breaking = '';
    this.#trouble = '';
    this.#refused = false;
    this.#counters.connects += 1;
    const assembler = new FrameAssembler(returnFrameBytesMax);
    const onData = (chunk: Buffer): void => {
      this.#heardMs = performance.now();
      this.#counters.bytesIn += chunk.length;
      if (!this.#closed && this.#readReturn(socket, assembler, chunk)) this.#events.aged(this, peer);
    };
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#breaking ||= error.code ?? error.message;
    });
    // Nobody reads any more, so what is queued cannot arrive: no reason to wait until it has been sent.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#broke());
    socket.on('data', onData);
    this.#events.up(this, peer);
    if (rest.length > 0) onData(rest);
  }

  /** Reads the link's own frames; true when one says that the peer is no longer fresh. */
  #readReturn(socket: net.Socket, assembler: FrameAssembler, chunk: Buffer): boolean {
    let aged = false;
    try {
      assembler.push(chunk);
      for (let frame = assembler.next(); frame !== null; frame = assembler.next()) {
        checkFrame(frame);
        const kind = frameKind(frame);
        if (kind === linkKind.identity) aged = true;
        else if (kind !== linkKind.alive)
          throw new MalformedBytes(`a frame of kind ${kind} out of place`, 16);
      }
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#breaking = `the peer sent ${error.message}`;
      this.#report('warn', { code: 'BW_PEER_MALFORMED' }, `${this.#breaking}; the link is closed`);
      socket.destroy();
    }
    return aged;
  }

  #broke(): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    const { timing, logger } = this.#host;
    const steady = nowMs - this.#upSinceMs >= timing.steadyMs;
    this.#up = false;
    this.#socket = null;
    this.#queue = new SendQueue();
    this.#counters.breaks += 1;
    const fields = { peer: this.peer, lane: this.lane, reason: this.#breaking || 'closed by the peer' };
    logger.info(fields, 'link to peer broke');
    this.#verdictTimer = setTimeout(() => this.#reportDown(false), timing.verdictMs);
    if (steady) {
      this.#failures = 0;
      this.dial();
    } else {
      this.#retryLater();
    }
  }

  #failed(failure: DialFailure): void {
    this.#socket = null;
    if (this.#closed) return;
    if (failure.portRefused) this.#reportDown(true);
    this.#refused = failure.refusal !== null;
    this.#logTrouble(failure);
    if (this.#verdictTimer !== null && !this.#refused) this.#retryIn(recheckMs);
    else this.#retryLater();
  }

  #retryLater(): void {
    const { retryMsMin, retryMsMax, refusedRetryMs } = this.#host.timing;
    const waitMs = this.#refused
      ? refusedRetryMs
      : Math.min(retryMsMax, retryMsMin * 2 ** Math.min(this.#failures, 20)) * (0.5 + Math.random() / 2);
    this.#failures += 1;
    this.#retryIn(waitMs);
  }

  #retryIn(waitMs: number): void {
    this.#retryTimer = setTimeout(() => this.dial(), waitMs);
  }

  #reportDown(portRefused: boolean): void {
    if (this.#verdictTimer === null) return;
    clearTimeout(this.#verdictTimer);
    this.#verdictTimer = null;
    this.#events.down(this, portRefused);
  }

  #logTrouble({ reason, refusal }: DialFailure): void {
    if (reason === this.#trouble) return;
    this.#trouble = reason;
    if (refusal !== null)
      this.#report('warn', { code: 'BW_PEER_REFUSED', why: refusal.code }, `link to peer ${reason}`, true);
    else this.#report('info', { reason }, 'peer cannot be reached', true);
  }

  /** The lanes to a peer share their troubles: the second one to meet the same does not repeat it. */
  #report(level: 'info' | 'warn' | 'error', fields: object, text: string, changed = false): void {
    const { logger, repeats } = this.#host;
    const news = repeats.admits(`${this.peer} ${text} ${JSON.stringify(fields)}`, performance.now());
    if (!news && !(changed && this.lane === 'control')) return;
    logger[level]({ peer: this.peer, lane: this.lane, ...this.address, ...fields }, text);
  }
}
