import type { AddressInfo } from 'node:net';
import net from 'node:net';

/**
 * - `open`: bytes pass, after `delayMs`.
 * - `cut`: connections are broken, and new ones at once.
 * - `clogged`: connections stand and nothing passes; it does when the link opens again, late.
 */
export type LinkState = 'open' | 'cut' | 'clogged';

/** Bytes that wait to be passed on; beyond this nothing more is read. */
const heldBytesMax = 4 << 20;

/** Stands in front of a port of this machine and breaks, holds or delays what passes, when told to. */
export class LinkProxy {
  readonly port: number;
  /** Bytes that went through to the port. */
  bytes = 0;
  /** How long everything takes that arrives from now on, each way. */
  delayMs = 0;
  readonly #server: net.Server;
  readonly #pipes = new Set<Pipe>();
  #state: LinkState = 'open';

  private constructor(server: net.Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param port where to listen; 0 takes a free one */
  static start(port: number, target: number): Promise<LinkProxy> {
    const server = net.createServer((near) => proxy.#connected(near, target));
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    let proxy: LinkProxy;
    return listening.then(() => {
      proxy = new LinkProxy(server, (server.address() as AddressInfo).port);
      return proxy;
    });
  }

  #connected(near: net.Socket, target: number): void {
    if (this.#state === 'cut') {
      near.on('error', () => undefined);
      near.destroy();
      return;
    }
    const far = net.connect({ host: '127.0.0.1', port: target });
    const there = new Pipe(near, far, this, (bytes) => {
      this.bytes += bytes;
    });
    const back = new Pipe(far, near, this, () => undefined);
    for (const pipe of [there, back]) {
      this.#pipes.add(pipe);
      pipe.from.on('close', () => this.#pipes.delete(pipe));
    }
  }

  get state(): LinkState {
    return this.#state;
  }

  set state(state: LinkState) {
    this.#state = state;
    if (state === 'cut') this.cut();
    for (const pipe of this.#pipes) pipe.goOn();
  }

  /** Breaks every connection; new ones are treated as the state says. */
  cut(): void {
    for (const { from } of this.#pipes) from.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}

interface Held {
  readonly chunk: Buffer;
  readonly dueMs: number;
}

/** One direction of one connection. */
class Pipe {
  readonly from: net.Socket;
  readonly #to: net.Socket;
  readonly #link: LinkProxy;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;

  constructor(from: net.Socket, to: net.Socket, link: LinkProxy, passed: (bytes: number) => void) {
    this.from = from;
    this.#to = to;
    this.#link = link;
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('close', () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      to.destroy();
    });
    from.on('data', (chunk: Buffer) => {
      passed(chunk.length);
      this.#held.push({ chunk, dueMs: performance.now() + link.delayMs });
      this.#heldBytes += chunk.length;
      if (this.#heldBytes > heldBytesMax) from.pause();
      this.goOn();
    });
    from.on('end', () => {
      this.#ended = true;
      this.goOn();
    });
    to.on('drain', () => this.goOn());
  }

  /** Passes on what is due. */
  goOn(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#link.state === 'open' && !this.#to.writableNeedDrain) {
      const [first] = this.#held;
      if (first === undefined) {
        if (this.#ended) this.#to.end();
        return;
      }
      const waitMs = first.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.goOn(), waitMs);
        return;
      }
      this.#held.shift();
      this.#heldBytes -= first.chunk.length;
      if (this.#heldBytes <= heldBytesMax / 2) this.from.resume();
      this.#to.write(first.chunk);
    }
  }
}
