import net from 'node:net';

/** Stands in front of a port of this machine, and delays what passes or breaks connections when told to. */
export class LinkProxy {
  readonly port: number;
  /** Bytes that went through to the port. */
  bytes = 0;
  /** What passes arrives so much later, in both directions. */
  delayMs = 0;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static start(port: number, target: number): Promise<LinkProxy> {
    const server = net.createServer((near) => {
      const far = net.connect({ host: '127.0.0.1', port: target });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        proxy.#sockets.add(one);
        one.setNoDelay(true);
        one.on('error', () => undefined);
        one.on('close', () => {
          proxy.#sockets.delete(one);
          other.destroy();
        });
      }
      near.on('data', (chunk: Buffer) => {
        proxy.bytes += chunk.length;
      });
      proxy.#carry(near, far);
      proxy.#carry(far, near);
    });
    const proxy = new LinkProxy(server, port);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(proxy));
    });
  }

  /** Like `pipe`, late: in order, also when the delay changes on the way. */
  #carry(from: net.Socket, to: net.Socket): void {
    let freeMs = 0;
    const later = (work: () => void): void => {
      const now = performance.now();
      freeMs = Math.max(freeMs, now + this.delayMs);
      if (freeMs <= now) work();
      else setTimeout(work, freeMs - now);
    };
    from.on('data', (chunk: Buffer) => later(() => to.write(chunk)));
    from.on('end', () => later(() => to.end()));
  }

  /** Breaks every connection; new ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
