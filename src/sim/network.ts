import type { Message, NodeId } from '../core/types.ts';
import { decodeMessage } from '../peer/codec.ts';
import type { Lane, PeerHandler, PeerIdentity } from '../peer/types.ts';
import { Connection } from './connection.ts';
import type { EventLoop } from './event-loop.ts';
import { NetworkPaths } from './network-paths.ts';
import { PeerPort } from './peer-port.ts';
import type { Process } from './process.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';

const lanes: readonly Lane[] = ['control', 'bulk'];
/** A link whose other end was not heard for this long is dropped, in ms. */
const silenceMs = 3000;
const watchMs = 250;
/** The frame that says "I am no longer fresh". */
const notFresh = Buffer.alloc(0);

/**
 * Links between all nodes as TCP gives them: each node dials every other one, once per lane; what is sent on a
 * connection arrives in order, late when the path is clogged or blocked, and not at all once the connection broke.
 */
export class SimNetwork {
  readonly paths: NetworkPaths;
  readonly #loop: EventLoop;
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #nodes: readonly NodeId[];
  readonly #ports = new Map<NodeId, PeerPort>();
  /** Connections that their senders gave up, and on which something may still arrive. */
  readonly #leftovers = new Set<Connection>();
  /** Machines that are up without a listening process refuse at once; others say nothing. */
  readonly #dark = new Set<NodeId>();

  constructor(nodes: readonly NodeId[], loop: EventLoop, random: SeededRandom, trace: Trace) {
    this.#nodes = nodes;
    this.#loop = loop;
    this.#random = random;
    this.#trace = trace;
    this.paths = new NetworkPaths(loop, random.fork());
    this.#watch();
  }

  /** Told of each message that a process sends. */
  onSend: (from: NodeId, to: NodeId, shard: number, message: Message) => void = () => {};

  /** A process begins to listen and to dial. */
  open(process: Process, handler: PeerHandler, identity: () => PeerIdentity): PeerPort {
    const self = identity().node;
    const port: PeerPort = new PeerPort(process, handler, identity, {
      aged: () => this.#tellNotFresh(self, port),
      sent: (to, shard, message) => this.onSend(self, to, shard, message),
    });
    return port;
  }

  listen(port: PeerPort): void {
    const self = port.identity.node;
    this.#ports.set(self, port);
    this.#dark.delete(self);
    // Connections to an earlier life of this node, unless they broke: the next packet on them is answered by a reset.
    for (const other of this.#ports.values()) {
      for (const connection of [...other.outbound.values()])
        if (connection.to === self) this.#loop.after(watchMs, () => this.#reset(other, connection, false));
    }
    for (const to of this.#nodes) {
      if (to === self) continue;
      for (const lane of lanes) this.#dialSoon(port, to, lane, 1);
    }
  }

  /** A process ended: with a sign (its machine resets the connections) or without (the machine lost power). */
  closed(node: NodeId, silently: boolean): void {
    const own = this.#ports.get(node);
    this.#ports.delete(node);
    if (silently) this.#dark.add(node);
    else this.#dark.delete(node);
    for (const connection of own?.outbound.values() ?? []) this.#giveUp(connection, silently);
    if (silently) return;
    for (const [other, port] of this.#ports) {
      for (const connection of [...port.outbound.values()]) {
        if (connection.to !== node) continue;
        connection.receiverOpen = false;
        this.#loop.after(this.paths.delayMs(node, other), () => this.#reset(port, connection, true));
      }
    }
  }

  /** Cuts all connections between two nodes; false when there are none. */
  breakLinks(a: NodeId, b: NodeId): boolean {
    let broke = false;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const port = this.#ports.get(from);
      for (const connection of [...(port?.outbound.values() ?? [])]) {
        if (connection.to !== to || port === undefined) continue;
        this.#reset(port, connection, false);
        broke = true;
      }
    }
    return broke;
  }

  // Dialling.

  #dialSoon(port: PeerPort, to: NodeId, lane: Lane, delayMs: number): void {
    const name = `${to} ${lane}`;
    if (port.dialling.has(name)) return;
    port.dialling.add(name);
    this.#loop.after(delayMs, () => {
      port.dialling.delete(name);
      if (this.#ports.get(port.identity.node) === port) this.#dial(port, to, lane);
    });
  }

  #dial(port: PeerPort, to: NodeId, lane: Lane): void {
    const from = port.identity.node;
    const peer = this.#ports.get(to);
    if (port.outbound.has(`${to} ${lane}`)) return;
    const retry = (): void => this.#dialSoon(port, to, lane, this.#random.between(20, 500));
    if (peer === undefined || !this.paths.bothWaysOpen(from, to)) {
      this.paths.refused(from, to);
      retry();
      return;
    }
    const connection = new Connection({ from, to, lane }, this.#loop, this.paths, (frame) =>
      this.#arrived(peer, connection, frame),
    );
    this.#loop.after(this.paths.delayMs(from, to), () => {
      retry(); // in case that this attempt comes to nothing
      peer.process.enter(() => this.#accept(port, peer, connection));
    });
  }

  #accept(port: PeerPort, peer: PeerPort, connection: Connection): void {
    const { from, to, lane } = connection;
    if (this.#ports.get(from) !== port || this.#ports.get(to) !== peer) return;
    if (!this.paths.bothWaysOpen(from, to) || port.outbound.has(`${to} ${lane}`)) return;
    const answer = peer.identity;
    // The newer connection wins; another machine's leftovers, which has the same name, come to nobody.
    const same = peer.identityOf(from)?.instance === port.identity.instance;
    for (const old of this.#leftovers)
      if (old.from === from && old.to === to && (old.lane === lane || !same)) this.#cut(old);
    peer.learn(port.identity);
    this.#loop.after(this.paths.delayMs(to, from), () =>
      port.process.enter(() => {
        const gone = this.#ports.get(from) !== port || this.#ports.get(to) !== peer;
        if (gone || port.outbound.has(`${to} ${lane}`)) return;
        connection.heardMs = this.#loop.nowMs;
        port.outbound.set(`${to} ${lane}`, connection);
        port.learn(answer);
        if (!port.identity.fresh) connection.send(notFresh);
        if (!peer.identity.fresh) this.#tellBack(peer, connection);
        this.#trace.mix(`link ${from} ${to} ${lane}`);
        if (lane === 'control') port.handler.linkUp(to);
      }),
    );
  }

  // Breaking.

  #reset(port: PeerPort, connection: Connection, refused: boolean): void {
    const { from, to, lane } = connection;
    if (port.outbound.get(`${to} ${lane}`) !== connection) return;
    this.#giveUp(connection, refused);
    port.outbound.delete(`${to} ${lane}`);
    this.#dialSoon(port, to, lane, this.#random.between(5, 50));
    if (lane !== 'control') return;
    port.process.enter(() => {
      const gone = refused && !this.#ports.has(to) && !this.#dark.has(to);
      this.#trace.mix(`break ${from} ${to} ${gone}`);
      port.handler.linkDown(to, gone);
    });
  }

  /** What its sender has sent by now arrives, or is lost with the connection. */
  #giveUp(connection: Connection, lost: boolean): void {
    if (lost || this.#random.chance(0.5)) {
      this.#cut(connection);
      return;
    }
    connection.abandon();
    this.#leftovers.add(connection);
  }

  #cut(connection: Connection): void {
    connection.cut();
    this.#leftovers.delete(connection);
  }

  /** Finds the links on which nothing is heard any more. */
  #watch(): void {
    const now = this.#loop.nowMs;
    for (const [from, port] of this.#ports) {
      if (port.process.paused) {
        for (const connection of port.outbound.values()) connection.heardMs = now;
        continue;
      }
      for (const connection of [...port.outbound.values()]) {
        const peer = this.#ports.get(connection.to);
        const heard =
          peer !== undefined && !peer.process.paused && this.paths.bothWaysOpen(from, connection.to);
        if (heard && connection.receiverOpen) connection.heardMs = now;
        else if (now - connection.heardMs > silenceMs) this.#reset(port, connection, false);
      }
    }
    this.#loop.after(watchMs, () => this.#watch());
  }

  // Frames.

  #arrived(peer: PeerPort, connection: Connection, frame: Buffer): void {
    peer.process.enter(() => {
      if (this.#ports.get(connection.to) !== peer) return;
      if (frame === notFresh) {
        this.#age(peer, connection.from);
        return;
      }
      const { shard, message } = decodeMessage(frame);
      this.#trace.mix(`${connection.from} ${connection.to} ${message.kind} ${message.term}`);
      peer.handler.received(connection.from, shard, message);
    }, connection);
  }

  #age(port: PeerPort, peer: NodeId): void {
    const known = port.identities.get(peer);
    if (known !== undefined) port.learn({ ...known, fresh: false });
  }

  #tellNotFresh(self: NodeId, port: PeerPort): void {
    for (const connection of port.outbound.values()) connection.send(notFresh);
    for (const other of this.#ports.values())
      for (const connection of other.outbound.values())
        if (connection.to === self) this.#tellBack(port, connection);
  }

  /** Tells whoever dialled that this node is no longer fresh, on the way back of the connection. */
  #tellBack(port: PeerPort, connection: Connection): void {
    const { from, to } = connection;
    const arrive = (): void => {
      const dialler = this.#ports.get(from);
      if (!connection.senderOpen || dialler === undefined || this.#ports.get(to) !== port) return;
      if (this.paths.isOpen(to, from)) dialler.process.enter(() => this.#age(dialler, to));
      else this.paths.whenOpen(to, from, arrive);
    };
    this.#loop.after(this.paths.delayMs(to, from), arrive);
  }
}
