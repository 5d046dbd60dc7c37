import type { Append, Message } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import { BatchBuilder, entryKind } from '../log/batch.ts';
import type { PeerAddress } from './dial.ts';
import { TcpPeerNetwork, type TcpPeerOptions } from './tcp-network.ts';
import type { PeerHandler, PeerIdentity } from './types.ts';

/** Parts for the tests of this room: a node on loopback that records what happens to it. */
export class TestNode implements PeerHandler {
  readonly id: string;
  readonly network: TcpPeerNetwork;
  readonly messages: { from: string; shard: number; message: Message }[] = [];
  readonly events: string[] = [];
  readonly identities: PeerIdentity[] = [];
  readonly log: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  address: PeerAddress = { host: '127.0.0.1', port: 0 };
  fresh = true;
  /** Called for each message, after it was recorded. */
  onMessage: (from: string, message: Message) => void = () => {};

  constructor(id: string, options: Partial<TcpPeerOptions> = {}) {
    this.id = id;
    const note =
      (level: string) =>
      (fields: object, message: string): void => {
        this.log.push({ level, fields: fields as Record<string, unknown>, message });
      };
    const logger: Logger = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
    };
    this.network = new TcpPeerNetwork({
      identity: { node: id, cluster: 'test', instance: `${id}-disk`, client: '127.0.0.1:1' },
      fresh: () => this.fresh,
      secret: null,
      listen: this.address,
      logger,
      handler: this,
      ...options,
    });
  }

  received(from: string, shard: number, message: Message): void {
    this.messages.push({ from, shard, message });
    this.onMessage(from, message);
  }

  identified(peer: PeerIdentity): void {
    this.identities.push(peer);
  }

  linkUp(peer: string): void {
    this.events.push(`up ${peer}`);
  }

  linkDown(peer: string, refused: boolean): void {
    this.events.push(`down ${peer}${refused ? ' refused' : ''}`);
  }

  async start(): Promise<this> {
    this.address = await this.network.start();
    return this;
  }

  /** Warnings and errors so far. */
  get warnings(): string[] {
    return this.log
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map(({ message }) => message);
  }
}

/** Makes all nodes each other's peers. */
export function introduce(...nodes: readonly TestNode[]): void {
  const entries = nodes.map(({ id, address }) => ({ node: id, ...address }));
  for (const node of nodes) node.network.setPeers(entries);
}

export async function until(
  condition: () => boolean,
  what = 'the condition',
  withinMs = 10_000,
): Promise<void> {
  const dueMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > dueMs) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** One batch of one entry behind `previous`. */
export function appendOf(payloadBytes: number, lsn = 1): Append {
  const builder = new BatchBuilder(0, payloadBytes + 256);
  builder.begin(entryKind.effects, 0);
  builder.payload.raw('x'.repeat(payloadBytes));
  builder.end();
  return {
    kind: 'append',
    term: 1,
    previous: { term: lsn === 1 ? 0 : 1, lsn: lsn - 1 },
    batches: [builder.seal(1, lsn, 0)],
    commit: 0,
    timeMs: 0,
    wantReceived: false,
    wantApplied: false,
  };
}

export function pieceOf(bytes: number, offset = 0): Message {
  return {
    kind: 'snapshotChunk',
    term: 1,
    checkpoint: { term: 1, lsn: 1 },
    offset,
    totalBytes: 1 << 30,
    bytes: Buffer.alloc(bytes, 7),
  };
}

/** A small message that carries a number. */
export function numbered(context: number): Message {
  return { kind: 'readIndexRequest', term: 1, context, byLease: false };
}
