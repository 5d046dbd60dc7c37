import type { NodeId, SlotStep } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { NodeLog } from '../log/types.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { Replica } from '../shard/replica.ts';
import type { ShardHost, SlotMessage, SlotPeer } from '../shard/shard-host.ts';
import { type Metadata, metadataShard } from './metadata.ts';
import { type GivingProgress, SlotGiver } from './slot-giver.ts';
import { SlotTaker } from './slot-taker.ts';

interface MoversParts {
  readonly self: NodeId;
  readonly logger: Logger;
  readonly host: ShardHost;
  readonly log: NodeLog;
  readonly peers: Pick<PeerNetwork, 'send'>;
  /** What is committed of the metadata; null while nothing was written. */
  metadata(): Metadata | null;
  metadataLeader(): NodeId | null;
  /** On the node that leads the metadata: what a leader asks for. */
  metadataAsked(step: SlotStep): void;
  bytesPerSecond(): number;
}

interface Mover {
  readonly replica: Replica;
  readonly term: number;
  readonly giver: SlotGiver;
  readonly taker: SlotTaker;
}

/**
 * Moves slots to and from the shards that this node leads. Nothing is kept here that a next leader needs: it finds in its
 * state and in the metadata how far a move is.
 */
export class SlotMovers implements SlotPeer {
  readonly #parts: MoversParts;
  readonly #movers = new Map<number, Mover>();
  /** What a leader on this node tells another one on it. */
  #own: { readonly shard: number; readonly message: SlotMessage }[] = [];

  constructor(parts: MoversParts) {
    this.#parts = parts;
  }

  /** Called every few milliseconds, and when the metadata has changed. */
  tick(now: number): void {
    const metadata = this.#parts.metadata();
    if (metadata === null) return;
    this.#findLed();
    for (const { giver, taker } of this.#movers.values()) {
      taker.look(metadata, now);
      giver.look(metadata, now);
    }
    this.#deliverOwn();
  }

  #findLed(): void {
    const { host } = this.#parts;
    for (const [shard, { replica, term, giver }] of this.#movers) {
      if (host.replicas.get(shard) === replica && replica.serving && replica.core.term === term) continue;
      giver.stop();
      this.#movers.delete(shard);
    }
    for (const [shard, replica] of host.replicas)
      if (replica.serving && !this.#movers.has(shard)) this.#movers.set(shard, this.#moverOf(replica));
  }

  #moverOf(replica: Replica): Mover {
    const { logger, log, host, bytesPerSecond } = this.#parts;
    const send = (to: NodeId, shard: number, message: SlotMessage): void => this.#send(to, shard, message);
    const slotsChanged = (): void => host.slotsChanged();
    const ask = (step: Omit<SlotStep, 'kind' | 'term'>): void =>
      this.#ask({ kind: 'slotStep', term: replica.core.term, ...step });
    const leaderOf = (shard: number): NodeId | null => this.#leaderOf(shard);
    const finish = (began: number): void => ask({ step: 'finish', began, from: 0, to: 0, slots: [] });
    return {
      ...{ replica, term: replica.core.term },
      giver: new SlotGiver(replica, { logger, log, send, leaderOf, ask, bytesPerSecond, slotsChanged }),
      taker: new SlotTaker(replica, { logger, send, finish, slotsChanged }),
    };
  }

  /** How far a shard that this node leads is with slots that are to go; null when there are none. */
  progressOf(shard: number, now: number): GivingProgress | null {
    const metadata = this.#parts.metadata();
    return metadata === null ? null : (this.#movers.get(shard)?.giver.progress(metadata, now) ?? null);
  }

  /** Bytes that this node has sent of slots of a shard, since it leads it. */
  sentOf(shard: number): number {
    return this.#movers.get(shard)?.giver.sentBytes ?? 0;
  }

  #leaderOf(shard: number): NodeId | null {
    const { host } = this.#parts;
    const replica = host.replicas.get(shard);
    const outside = replica === undefined || replica.core.isOutside;
    return outside ? host.directory.leaderOf(shard, host.now()) : replica.core.leader;
  }

  #send(to: NodeId, shard: number, message: SlotMessage): void {
    if (to !== this.#parts.self) this.#parts.peers.send(to, shard, message, 'control');
    else {
      this.#own.push({ shard, message });
      this.#parts.host.touched();
    }
  }

  #ask(step: SlotStep): void {
    const leader = this.#parts.metadataLeader();
    if (leader === this.#parts.self) this.#parts.metadataAsked(step);
    else if (leader !== null) this.#send(leader, metadataShard, step);
  }

  received(from: NodeId, shard: number, message: SlotMessage): void {
    if (message.kind === 'slotStep') {
      if (shard === metadataShard) this.#parts.metadataAsked(message);
      return;
    }
    const metadata = this.#parts.metadata();
    this.#findLed();
    const mover = this.#movers.get(shard);
    if (mover === undefined || metadata === null) return;
    if (message.kind === 'slotCopy') mover.taker.received(from, message, metadata);
    else mover.giver.answered(message, this.#parts.host.now());
  }

  turnEnded(now: number): void {
    const metadata = this.#parts.metadata();
    if (metadata === null) return;
    for (const { giver, taker, replica } of this.#movers.values()) {
      if (!replica.serving) continue;
      if (taker.busy) {
        taker.turnEnded();
        taker.look(metadata, now);
      }
      if (giver.busy) giver.pump(now);
    }
    this.#deliverOwn();
  }

  #deliverOwn(): void {
    const own = this.#own;
    if (own.length === 0) return;
    this.#own = [];
    for (const { shard, message } of own) this.received(this.#parts.self, shard, message);
    this.#parts.host.touched();
  }

  isArriving(slot: number, since: number): boolean {
    for (const { replica } of this.#movers.values()) {
      const { fences } = replica.keyspace;
      if (replica.serving && fences.active && fences.isArriving(slot, since)) return true;
    }
    return false;
  }
}
