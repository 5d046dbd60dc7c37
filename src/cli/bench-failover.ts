import net from 'node:net';
import { BellwetherError } from '../errors.ts';
import { fetchStatus } from './admin-client.ts';
import type { PlannedNode } from './cluster-plan.ts';
import { portOf } from './cluster-plan.ts';
import type { LocalCluster } from './local-cluster.ts';

const tryMs = 5;
const patienceMs = 30_000;
const ok = '+OK\r\n';

/** Tries one node again and again, with one SET under way at a time, and tells when one is acknowledged. */
class Prober {
  readonly #port: number;
  readonly #acknowledged: () => void;
  #socket: net.Socket | null = null;
  #waiting = false;
  #received = '';

  constructor(port: number, acknowledged: () => void) {
    this.#port = port;
    this.#acknowledged = acknowledged;
  }

  /** Sends a SET unless one is under way. */
  try(value: string): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#received = '';
    const socket = this.#socket ?? this.#connect();
    socket.write(`*3\r\n$3\r\nSET\r\n$14\r\nbench:failover\r\n$${value.length}\r\n${value}\r\n`);
  }

  #connect(): net.Socket {
    const socket = net.connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      if (!this.#received.endsWith('\r\n')) return;
      this.#waiting = false;
      if (this.#received === ok) this.#acknowledged();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#waiting = false;
    });
    return socket;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }
}

async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await probe())) {
    if (performance.now() > endMs)
      throw new BellwetherError('BW_NOT_A_CLUSTER', `not within 30 s: ${what}`, 'See the logs of the nodes.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The node that leads and serves with all others in sync, waited for. */
async function steadyLeader(nodes: readonly PlannedNode[]): Promise<{ node: PlannedNode; pid: number }> {
  let found: { node: PlannedNode; pid: number } | null = null;
  await until('a leader with every follower in sync', async () => {
    for (const node of nodes) {
      const status = await fetchStatus(node.admin);
      const [shard] = status?.shards ?? [];
      if (status === null || shard === undefined || shard.role !== 'leader' || !shard.serving) continue;
      if (shard.followers.filter(({ inSync }) => inSync).length < nodes.length - 1) continue;
      found = { node, pid: status.pid };
      return true;
    }
    return false;
  });
  return found as unknown as { node: PlannedNode; pid: number };
}

/** Kills the leader and answers how long it took until a write was acknowledged again, ms. */
async function measureKill(nodes: readonly PlannedNode[], round: number): Promise<number> {
  const { pid } = await steadyLeader(nodes);
  let acknowledged: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    acknowledged = resolve;
  });
  process.kill(pid, 'SIGKILL');
  const began = performance.now();
  const probers = nodes.map(({ client }) => new Prober(portOf(client), acknowledged));
  let tries = 0;
  const attempt = (): void => {
    for (const prober of probers) prober.try(`${round}.${tries}`);
    tries += 1;
  };
  attempt();
  const timer = setInterval(attempt, tryMs);
  const late = setTimeout(acknowledged, patienceMs);
  await answered;
  const ms = performance.now() - began;
  clearTimeout(late);
  clearInterval(timer);
  for (const prober of probers) prober.close();
  if (ms >= patienceMs)
    throw new BellwetherError(
      'BW_NOT_A_CLUSTER',
      'no write within 30 s of a kill',
      'See the logs of the nodes.',
    );
  return ms;
}

/**
 * Kills the leader `kills` times and measures from each kill to the next acknowledged write. The cluster starts dead nodes
 * again by itself.
 * @returns milliseconds, one per kill
 */
export async function measureFailover(
  { nodes }: { readonly nodes: readonly PlannedNode[] },
  cluster: LocalCluster,
  kills: number,
  progress: (done: number, ms: number) => void,
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < kills; round++) {
    const ms = await measureKill(nodes, round);
    times.push(ms);
    progress(round + 1, ms);
    cluster.startDead();
    // At a random moment between two heartbeats and two ticks.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
  }
  return times;
}
