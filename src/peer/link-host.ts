import type { Logger } from '../env/logger.ts';
import type { LocalNode } from './handshake.ts';
import type { RepeatFilter } from './repeat-filter.ts';

/** All in milliseconds. */
export interface PeerTiming {
  /** Each end of a link says so often that it is there. */
  readonly aliveMs: number;
  /** A link on which nothing arrived for this long is dropped. */
  readonly silenceMs: number;
  /** From the start of a connection to the end of its handshake. */
  readonly handshakeMs: number;
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** Between attempts while the peer or this node refuses. */
  readonly refusedRetryMs: number;
  /** A link that lasted less counts as a failed attempt. */
  readonly steadyMs: number;
  /** After a break, how long to find out whether the peer's port refuses. */
  readonly verdictMs: number;
}

export const defaultPeerTiming: PeerTiming = {
  aliveMs: 500,
  silenceMs: 3000,
  handshakeMs: 2000,
  retryMsMin: 20,
  retryMsMax: 500,
  refusedRetryMs: 1000,
  steadyMs: 1000,
  verdictMs: 50,
};

export interface PeerLimits {
  /** Bytes queued for one peer on a lane beyond which messages with batches or checkpoint pieces are dropped. */
  readonly controlQueueBytes: number;
  readonly bulkQueueBytes: number;
  /** What small messages may queue beyond that. */
  readonly reserveBytes: number;
  /** Connections that may be in their handshake at once; a newer one displaces the oldest. */
  readonly handshakes: number;
}

export const defaultPeerLimits: PeerLimits = {
  controlQueueBytes: 64 << 20,
  bulkQueueBytes: 8 << 20,
  reserveBytes: 4 << 20,
  handshakes: 64,
};

/** Plain integers that only grow. */
export interface PeerCounters {
  bytesIn: number;
  bytesOut: number;
  messagesIn: number;
  messagesOut: number;
  /** Messages that were not even queued. */
  dropped: number;
  /** Handshaken connections to the peer, both lanes. */
  connects: number;
  /** Handshaken connections to the peer that broke. */
  breaks: number;
}

export function newCounters(): PeerCounters {
  return { bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0, dropped: 0, connects: 0, breaks: 0 };
}

/** What every link needs of the network that holds it. */
export interface LinkHost {
  readonly logger: Logger;
  readonly timing: PeerTiming;
  readonly limits: PeerLimits;
  /** Keeps a fault that repeats from filling the log. */
  readonly repeats: RepeatFilter;
  /** This node as it is now; freshness may change. */
  local(): LocalNode;
}
