import type { Message, NodeId } from '../core/types.ts';

/**
 * - `control`: everything but snapshots; kept in order per pair of nodes.
 * - `bulk`: snapshot requests and chunks, on a connection of their own.
 */
export type Lane = 'control' | 'bulk';

/** Sends between nodes. Delivery is not promised: a message is lost when the link is down or its queue is full. */
export interface PeerNetwork {
  /**
   * Queues a message; what one turn queues for a peer leaves in one write. False when it was dropped at once.
   * Buffers in the message must not change afterwards.
   */
  send(to: NodeId, shard: number, message: Message, lane: Lane): boolean;
  /** Bytes queued for a peer and not yet taken by the operating system, one lane. */
  queuedBytes(to: NodeId, lane: Lane): number;
  /** True while a handshaken link to the peer stands. */
  connected(to: NodeId): boolean;
  /** What the peer last said of itself; null before the first handshake. Stays when the link breaks. */
  identityOf(peer: NodeId): PeerIdentity | null;
}

export interface PeerHandler {
  /** A message that passed its checks. Batches in it have been parsed and their checksums verified. */
  received(from: NodeId, shard: number, message: Message): void;
  /** A peer said who it is for the first time, or its instance or freshness changed. Comes before what it sends next. */
  identified(peer: PeerIdentity): void;
  linkUp(peer: NodeId): void;
  /**
   * A link broke, once per `linkUp`. `refused` when reconnecting was refused at once: the process is likely gone, a
   * hint only.
   */
  linkDown(peer: NodeId, refused: boolean): void;
}

/** What both ends tell each other before any message; a difference refuses the link. */
export interface PeerIdentity {
  readonly node: NodeId;
  /** Names the cluster; equal on all its nodes. */
  readonly cluster: string;
  /** Drawn when the data directory was first made: a wiped node comes with another. */
  readonly instance: string;
  /** Where clients reach it, as host:port. */
  readonly client: string;
  /** True until the replica has durable state of its own: nothing was ever voted or acknowledged by this directory. */
  readonly fresh: boolean;
  /** It knows `NodeNotice`, at which older versions break the link. */
  readonly hearsNodes?: boolean;
}
