import type { Message, NodeId } from '../core/types.ts';
import { encodeMessage } from '../peer/codec.ts';
import type { Lane, PeerHandler, PeerIdentity, PeerNetwork } from '../peer/types.ts';
import type { Connection } from './connection.ts';
import type { Process } from './process.ts';

interface PeerPortEvents {
  /** This node is no longer fresh: peers are told before they hear anything else. */
  aged(): void;
  sent(to: NodeId, shard: number, message: Message): void;
}

/** What one process has of the network. */
export class PeerPort implements PeerNetwork {
  readonly process: Process;
  readonly handler: PeerHandler;
  readonly identities = new Map<NodeId, PeerIdentity>();
  /** Connections that this process dialled, by peer and lane. */
  readonly outbound = new Map<string, Connection>();
  /** Which of them it is about to dial. */
  readonly dialling = new Set<string>();
  readonly #identity: () => PeerIdentity;
  readonly #events: PeerPortEvents;
  #fresh: boolean;

  constructor(process: Process, handler: PeerHandler, identity: () => PeerIdentity, events: PeerPortEvents) {
    this.process = process;
    this.handler = handler;
    this.#identity = identity;
    this.#events = events;
    this.#fresh = identity().fresh;
  }

  get identity(): PeerIdentity {
    return this.#identity();
  }

  send(to: NodeId, shard: number, message: Message, lane: Lane): boolean {
    if (!this.process.alive) return false;
    if (this.#fresh && !this.identity.fresh) {
      this.#fresh = false;
      this.#events.aged();
    }
    const connection = this.outbound.get(`${to} ${lane}`);
    if (connection === undefined) return false;
    const { header, parts } = encodeMessage(shard, message);
    connection.send(Buffer.concat([header, ...parts]));
    this.#events.sent(to, shard, message);
    return true;
  }

  queuedBytes(to: NodeId, lane: Lane): number {
    return this.outbound.get(`${to} ${lane}`)?.queuedBytes ?? 0;
  }

  connected(to: NodeId): boolean {
    return this.outbound.has(`${to} control`);
  }

  identityOf(peer: NodeId): PeerIdentity | null {
    return this.identities.get(peer) ?? null;
  }

  /** Something was heard of who a peer is. A directory never becomes fresh again. */
  learn(heard: PeerIdentity): void {
    const known = this.identities.get(heard.node);
    const same = known !== undefined && known.instance === heard.instance;
    const fresh = heard.fresh && !(same && !known.fresh);
    if (same && known.fresh === fresh) return;
    const identity = { ...heard, fresh };
    this.identities.set(heard.node, identity);
    this.handler.identified(identity);
  }
}
