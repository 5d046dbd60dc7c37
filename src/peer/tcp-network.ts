import type net from 'node:net';
import type { Message, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { TurnEnd } from '../env/turn.ts';
import { BellwetherError } from '../errors.ts';
import type { PeerAddress } from './dial.ts';
import { type LocalNode, twin, unknownPeer } from './handshake.ts';
import type { Refusal } from './handshake-frames.ts';
import { InboundLink } from './inbound-link.ts';
import {
  defaultPeerLimits,
  defaultPeerTiming,
  type LinkHost,
  newCounters,
  type PeerCounters,
  type PeerLimits,
  type PeerTiming,
} from './link-host.ts';
import { type ListenerCounters, PeerListener } from './listener.ts';
import { OutboundLink } from './outbound-link.ts';
import { RepeatFilter } from './repeat-filter.ts';
import type { Lane, PeerHandler, PeerIdentity, PeerNetwork } from './types.ts';

const repeatWindowMs = 60_000;

export interface PeerEntry extends PeerAddress {
  readonly node: NodeId;
}

export interface TcpPeerOptions {
  readonly identity: Omit<PeerIdentity, 'fresh'>;
  /** Read at every handshake, and before each message until it answers false. Once false it stays false. */
  readonly fresh: () => boolean;
  /** Null: peers prove nothing; every node of the cluster must then have none. */
  readonly secret: string | null;
  /** Where to listen; port 0 takes a free one. */
  readonly listen: PeerAddress;
  readonly logger: Logger;
  readonly handler: PeerHandler;
  /** Why a peer of the list may not come in as it is now; null when it may. */
  readonly refusalOf?: (peer: PeerIdentity) => string | null;
  /** When to flush by itself what the wiring did not; by default when the input that is already there is handled. */
  readonly turnEnd?: TurnEnd;
  readonly timing?: Partial<PeerTiming>;
  readonly limits?: Partial<PeerLimits>;
}

export interface PeerStatus {
  readonly node: NodeId;
  readonly address: PeerAddress;
  readonly connected: boolean;
  readonly identity: PeerIdentity | null;
  readonly queuedBytes: { readonly control: number; readonly bulk: number };
  readonly counters: Readonly<PeerCounters>;
}

interface Peer {
  readonly counters: PeerCounters;
  readonly inbound: { control: InboundLink | null; bulk: InboundLink | null };
  control: OutboundLink;
  bulk: OutboundLink;
  identity: PeerIdentity | null;
}

const immediateTurnEnd: TurnEnd = { schedule: (callback) => void setImmediate(callback) };

/**
 * Links to all peers over TCP. Each node dials every other one, once per lane; a connection carries only the messages
 * of who dialled it. A link that breaks loses what it carried: the protocol above repeats what matters.
 */
export class TcpPeerNetwork implements PeerNetwork {
  readonly #options: TcpPeerOptions;
  readonly #host: LinkHost;
  readonly #handler: PeerHandler;
  readonly #listener: PeerListener;
  readonly #turnEnd: TurnEnd;
  readonly #peers = new Map<NodeId, Peer>();
  /** Links with something queued since the last flush. */
  readonly #dirty: OutboundLink[] = [];
  #flushScheduled = false;
  #fresh: boolean;
  #ticker: NodeJS.Timeout | null = null;
  #tickedMs = 0;
  #closed = false;

  constructor(options: TcpPeerOptions) {
    this.#options = options;
    this.#handler = options.handler;
    this.#turnEnd = options.turnEnd ?? immediateTurnEnd;
    this.#fresh = options.fresh();
    this.#host = {
      logger: options.logger,
      timing: { ...defaultPeerTiming, ...options.timing },
      limits: { ...defaultPeerLimits, ...options.limits },
      repeats: new RepeatFilter(repeatWindowMs),
      local: () => this.#local(),
    };
    this.#listener = new PeerListener(this.#host, {
      judgePeer: (peer) => this.#judgePeer(peer),
      accepted: (socket, peer, lane, saidFresh, rest) => this.#accepted(socket, peer, lane, saidFresh, rest),
    });
  }

  /**
   * Listens, and starts to watch over links; answers where. Rejects with BW_PORT_TAKEN or BW_CONFIG_INVALID.
   */
  async start(): Promise<PeerAddress> {
    const address = await this.#listener.listen(this.#options.listen);
    this.#tickedMs = performance.now();
    this.#ticker = setInterval(() => this.#tick(), this.#host.timing.aliveMs);
    return address;
  }

  /** Says who the peers are and where; this node itself may be among them. Links to others are closed. */
  setPeers(entries: readonly PeerEntry[]): void {
    if (this.#closed) return;
    const wanted = new Map<NodeId, PeerEntry>();
    for (const entry of entries) {
      if (wanted.has(entry.node))
        throw new BellwetherError(
          'BW_CONFIG_INVALID',
          `node '${entry.node}' stands twice in the list of peers`,
          'Give each node an id of its own.',
        );
      if (entry.node !== this.#options.identity.node) wanted.set(entry.node, entry);
    }
    for (const [node, peer] of this.#peers) if (!wanted.has(node)) this.#forget(node, peer);
    for (const entry of wanted.values()) this.#seek(entry);
  }

  send(to: NodeId, shard: number, message: Message, lane: Lane): boolean {
    const peer = this.#peers.get(to);
    if (peer === undefined) return false;
    if (this.#fresh) this.#lookAtFreshness();
    const link = lane === 'control' ? peer.control : peer.bulk;
    const idle = !link.hasUnflushed;
    if (!link.send(shard, message)) {
      peer.counters.dropped += 1;
      return false;
    }
    peer.counters.messagesOut += 1;
    if (idle) this.#dirty.push(link);
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#turnEnd.schedule(() => {
        this.#flushScheduled = false;
        this.flush();
      }, true);
    }
    return true;
  }

  /** To be called at the end of a turn: one write per link for all that was queued. */
  flush(): void {
    for (const link of this.#dirty) link.flush();
    this.#dirty.length = 0;
  }

  queuedBytes(to: NodeId, lane: Lane): number {
    const peer = this.#peers.get(to);
    return peer === undefined ? 0 : peer[lane].queuedBytes;
  }

  connected(to: NodeId): boolean {
    return this.#peers.get(to)?.control.up ?? false;
  }

  identityOf(peer: NodeId): PeerIdentity | null {
    return this.#peers.get(peer)?.identity ?? null;
  }

  /** One line per configured peer, for status pages and metrics. */
  status(): PeerStatus[] {
    return [...this.#peers].map(([node, peer]) => ({
      node,
      address: peer.control.address,
      connected: peer.control.up,
      identity: peer.identity,
      queuedBytes: { control: peer.control.queuedBytes, bulk: peer.bulk.queuedBytes },
      counters: peer.counters,
    }));
  }

  /** What happened to connections that did not become links. */
  get listenerCounters(): Readonly<ListenerCounters> {
    return this.#listener.counters;
  }

  /** Closes everything; the handler hears nothing any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#ticker !== null) clearInterval(this.#ticker);
    this.flush();
    for (const peer of this.#peers.values()) this.#closeLinks(peer);
    await this.#listener.close();
  }

  #local(): LocalNode {
    const { identity, secret, fresh } = this.#options;
    return { identity: { ...identity, fresh: fresh() }, secret };
  }

  #lookAtFreshness(): void {
    if (this.#options.fresh()) return;
    this.#fresh = false;
    for (const peer of this.#peers.values()) {
      peer.control.tellNotFresh();
      peer.inbound.control?.tellNotFresh();
    }
  }

  #seek(entry: PeerEntry): void {
    const known = this.#peers.get(entry.node);
    if (known === undefined) {
      const counters = newCounters();
      const control = this.#newLink(entry, 'control', counters);
      const bulk = this.#newLink(entry, 'bulk', counters);
      const peer: Peer = { counters, inbound: { control: null, bulk: null }, control, bulk, identity: null };
      this.#peers.set(entry.node, peer);
      this.#dial(peer);
      return;
    }
    const { host, port } = known.control.address;
    if (host === entry.host && port === entry.port) return;
    const wasUp = known.control.owesDown;
    known.control.close();
    known.bulk.close();
    known.control = this.#newLink(entry, 'control', known.counters);
    known.bulk = this.#newLink(entry, 'bulk', known.counters);
    if (wasUp) this.#handler.linkDown(entry.node, false);
    this.#dial(known);
  }

  #newLink(entry: PeerEntry, lane: Lane, counters: PeerCounters): OutboundLink {
    const address = { host: entry.host, port: entry.port };
    return new OutboundLink(
      entry.node,
      lane,
      address,
      this.#host,
      {
        up: (link, identity) => this.#linkUp(link, identity),
        down: (link, portRefused) => {
          if (link.lane === 'control') this.#handler.linkDown(link.peer, portRefused);
        },
        aged: (link, identity) => this.#aged(link.peer, identity.instance),
      },
      counters,
    );
  }

  #dial(peer: Peer): void {
    peer.control.dial();
    peer.bulk.dial();
  }

  #forget(node: NodeId, peer: Peer): void {
    const wasUp = peer.control.owesDown;
    this.#peers.delete(node);
    this.#closeLinks(peer);
    if (wasUp) this.#handler.linkDown(node, false);
  }

  #closeLinks(peer: Peer): void {
    peer.control.close();
    peer.bulk.close();
    peer.inbound.control?.close();
    peer.inbound.bulk?.close();
  }

  #linkUp(link: OutboundLink, identity: PeerIdentity): void {
    this.#learn(link.peer, identity);
    if (link.lane !== 'control') return;
    if (!this.#options.fresh()) link.tellNotFresh();
    this.#host.logger.info({ peer: link.peer, instance: identity.instance }, 'link to peer stands');
    this.#handler.linkUp(link.peer);
  }

  /** A node that died has lost its connections, or loses them by silence: until then its name is taken. */
  #judgePeer(identity: PeerIdentity): Refusal | null {
    const { node, instance } = identity;
    const peer = this.#peers.get(node);
    if (peer === undefined) return unknownPeer(node, this.#options.identity.node);
    const reason = this.#options.refusalOf?.(identity) ?? null;
    if (reason !== null) return { code: 'unknown', reason };
    const { control, bulk } = peer.inbound;
    const present = control ?? bulk;
    return present !== null && present.peer.instance !== instance ? twin(node) : null;
  }

  #accepted(socket: net.Socket, identity: PeerIdentity, lane: Lane, saidFresh: boolean, rest: Buffer): void {
    const peer = this.#peers.get(identity.node);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    // The newer connection wins: the older one may be half open, and its leftovers must not come between.
    peer.inbound[lane]?.close();
    this.#learn(identity.node, identity);
    const link = new InboundLink(
      socket,
      identity,
      lane,
      saidFresh,
      this.#host,
      {
        received: (from, shard, message) => this.#handler.received(from.peer.node, shard, message),
        aged: (from) => this.#aged(from.peer.node, from.peer.instance),
        closed: (from) => {
          if (peer.inbound[from.lane] === from) peer.inbound[from.lane] = null;
        },
      },
      peer.counters,
    );
    peer.inbound[lane] = link;
    if (lane === 'control' && !this.#options.fresh()) link.tellNotFresh();
    peer[lane].wake();
    if (rest.length > 0) link.receive(rest);
  }

  /** A word that comes later than the handshake counts only for the instance that gave it. */
  #aged(node: NodeId, instance: string): void {
    const known = this.#peers.get(node)?.identity ?? null;
    if (known?.instance === instance) this.#learn(node, { ...known, fresh: false });
  }

  #learn(node: NodeId, heard: PeerIdentity): void {
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    const known = peer.identity;
    const same = known !== null && known.instance === heard.instance;
    // Two connections may tell it in either order; a directory never becomes fresh again.
    const fresh = heard.fresh && !(same && !known.fresh);
    const alike = same && known.client === heard.client && known.hearsNodes === heard.hearsNodes;
    if (alike && known.fresh === fresh) return;
    if (known !== null && !same) {
      const fields = { peer: node, instance: heard.instance, before: known.instance, fresh };
      this.#host.logger.warn(fields, 'the peer came back with another data directory');
    }
    peer.identity = { ...heard, fresh };
    this.#handler.identified(peer.identity);
  }

  #tick(): void {
    const nowMs = performance.now();
    // A tick that is late shows that this process stood still; silence meanwhile is nobody's fault.
    const lateMs = nowMs - this.#tickedMs - this.#host.timing.aliveMs;
    const pausedMs = lateMs > this.#host.timing.aliveMs ? lateMs : 0;
    this.#tickedMs = nowMs;
    if (this.#fresh) this.#lookAtFreshness();
    for (const peer of this.#peers.values()) {
      peer.control.tick(nowMs, pausedMs);
      peer.bulk.tick(nowMs, pausedMs);
      peer.inbound.control?.tick(nowMs, pausedMs);
      peer.inbound.bulk?.tick(nowMs, pausedMs);
    }
  }
}
