import http from 'node:http';
import type net from 'node:net';
import { listenError } from './client-listener.ts';
import { createRegistry } from './metrics.ts';
import type { NodeStatus } from './status-types.ts';

/** Where the admin pages get what they show. */
export interface AdminSource {
  status(): NodeStatus;
}

/** `/metrics`, `/status`, `/healthz` and `/readyz` over HTTP. */
export class AdminServer {
  readonly #server: http.Server;
  readonly #host: string;
  readonly #port: number;

  constructor(host: string, port: number, source: AdminSource) {
    this.#host = host;
    this.#port = port;
    const registry = createRegistry(() => source.status());
    this.#server = http.createServer({ maxHeaderSize: 8192, requestTimeout: 10_000 }, (request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        answer(response, 405, { error: 'only GET and HEAD are answered' });
        return;
      }
      const path = (request.url ?? '/').split('?')[0];
      if (path === '/metrics') {
        void registry.metrics().then((text) => {
          response.writeHead(200, { 'content-type': registry.contentType });
          response.end(text);
        });
      } else if (path === '/status') answer(response, 200, source.status());
      else if (path === '/healthz') answerCheck(response, healthProblem(source.status()));
      else if (path === '/readyz') answerCheck(response, readinessProblem(source.status()));
      else
        answer(response, 404, {
          error: 'no such page',
          pages: ['/metrics', '/status', '/healthz', '/readyz'],
        });
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(listenError(error, this.#host, this.#port)),
      );
      this.#server.listen({ host: this.#host, port: this.#port }, () =>
        resolve((this.#server.address() as net.AddressInfo).port),
      );
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function answer(response: http.ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
}

function answerCheck(response: http.ServerResponse, problem: string | null): void {
  if (problem === null) answer(response, 200, { ok: true });
  else answer(response, 503, { ok: false, reason: problem });
}

/** Why the process cannot serve its purpose; null when it can. */
function healthProblem(status: NodeStatus): string | null {
  if (status.log.latched) return 'a write to the log failed; the node must be started again';
  if (status.log.stalledMs > 5000)
    return `the disk has not answered for ${Math.round(status.log.stalledMs)} ms`;
  return null;
}

/** Why some shard of the node cannot serve now; null when all can. */
function readinessProblem(status: NodeStatus): string | null {
  const health = healthProblem(status);
  if (health !== null) return health;
  for (const shard of status.shards) {
    if (shard.serving) continue;
    if (shard.doubt !== null) return `shard ${shard.shard}: ${shard.doubt}`;
    if (shard.rebuilding) return `shard ${shard.shard}: its state is being rebuilt`;
    if (shard.leader === null || shard.leader === status.node) return `shard ${shard.shard} has no leader`;
    if (shard.applied < shard.commit)
      return `shard ${shard.shard} is catching up: ${shard.applied} of ${shard.commit}`;
  }
  return status.shards.length === 0 ? 'the node is starting' : null;
}
