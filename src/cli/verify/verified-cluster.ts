import fs from 'node:fs';
import path from 'node:path';
import type { NodeStatus, ShardStatus } from '../../server/status-types.ts';
import { fetchStatus } from '../admin-client.ts';
import type { ClusterPlan, PlannedNode } from '../cluster-plan.ts';
import { portOf } from '../cluster-plan.ts';
import { logFile, NodeProcess } from '../node-process.ts';
import { LinkProxy } from './link-proxy.ts';

/** Small files, so that segments fill, checkpoints are cut and log is dropped while things go wrong. */
const smallFiles = [
  ...['--segment-bytes', '4mb', '--log-cache-bytes', '2mb', '--disk-reserve', '1mb'],
  ...['--retention-bytes', '4mb', '--checkpoint-bytes', '512kb', '--checkpoint-time', '2s'],
];

/** What is wrong with the disk of a node in one life of its process. */
export interface DiskChoice {
  /** As `BELLWETHER_DISK` takes it. With `volatile` a kill loses what was not reported durable, as a loss of power does. */
  readonly kind: string;
  /** As `BELLWETHER_DISK_FAULTS` takes it; empty for nothing. */
  readonly faults: string;
}

/** One node: its process, which comes and goes, and the links on which it reaches the others. */
export class VerifiedNode {
  readonly plan: PlannedNode;
  /** Per node, the link on which this one reaches it. */
  readonly links = new Map<string, LinkProxy>();
  readonly port: number;
  paused = false;
  /** Whether the node may end by itself in this life. */
  mayEnd = false;
  readonly #endedByItself: (how: string) => void;
  #process: NodeProcess | null = null;
  #ended: (() => void)[] = [];
  /** The end of the present process was asked for. */
  #asked = false;

  constructor(plan: PlannedNode, endedByItself: (node: VerifiedNode, how: string) => void) {
    this.plan = plan;
    this.port = portOf(plan.client);
    this.#endedByItself = (how) => endedByItself(this, how);
  }

  get id(): string {
    return this.plan.id;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  start(peers: string, disk: DiskChoice): void {
    if (this.#process !== null) return;
    const environment = {
      BELLWETHER_DISK: disk.kind,
      BELLWETHER_DISK_FAULTS: disk.faults,
    };
    this.mayEnd = disk.faults.includes('fail');
    this.#asked = false;
    this.paused = false;
    const flags = ['--peers', peers, ...smallFiles];
    const events = {
      started: () => undefined,
      ended: (code: number | null, signal: NodeJS.Signals | null, message: string | null) =>
        this.#exited(`${signal ?? `exit code ${code}`}${message === null ? '' : `, ${message}`}`),
    };
    this.#process = new NodeProcess(this.plan, flags, events, environment);
  }

  #exited(how: string): void {
    this.#process = null;
    this.paused = false;
    for (const resolve of this.#ended.splice(0)) resolve();
    if (!this.#asked) this.#endedByItself(how);
  }

  #end(signal: NodeJS.Signals): Promise<void> {
    const running = this.#process;
    if (running === null) return Promise.resolve();
    this.#asked = true;
    return new Promise((resolve) => {
      this.#ended.push(resolve);
      this.resume();
      running.signal(signal);
    });
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Asks it to end, with a handover of leadership; kills it when it takes too long. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => this.#process?.kill(), 10_000);
    await this.#end('SIGTERM');
    clearTimeout(killer);
  }

  pause(): void {
    this.#process?.signal('SIGSTOP');
    this.paused = this.#process !== null;
  }

  resume(): void {
    if (this.paused) this.#process?.signal('SIGCONT');
    this.paused = false;
  }

  /** Removes all data; the process must not run. */
  wipe(): void {
    for (const name of fs.readdirSync(this.plan.dir))
      if (name !== logFile) fs.rmSync(path.join(this.plan.dir, name), { recursive: true, force: true });
  }

  status(): Promise<NodeStatus | null> {
    return this.running && !this.paused ? fetchStatus(this.plan.admin) : Promise.resolve(null);
  }
}

/** What all nodes say of the shard, at about the same time. */
export type Look = readonly { readonly node: VerifiedNode; readonly shard: ShardStatus | null }[];

/** A cluster of processes on this machine in which every link between two nodes can be broken. */
export class VerifiedCluster {
  readonly nodes: readonly VerifiedNode[];

  private constructor(nodes: readonly VerifiedNode[]) {
    this.nodes = nodes;
  }

  /** Makes the links; nodes are not started yet. */
  static async prepare(
    plan: ClusterPlan,
    endedByItself: (node: VerifiedNode, how: string) => void,
  ): Promise<VerifiedCluster> {
    const nodes = plan.nodes.map((node) => new VerifiedNode(node, endedByItself));
    for (const from of nodes)
      for (const to of nodes)
        if (from !== to) from.links.set(to.id, await LinkProxy.start(0, portOf(to.plan.peer)));
    return new VerifiedCluster(nodes);
  }

  start(node: VerifiedNode, disk: DiskChoice): void {
    const addressOf = ({ id, plan }: VerifiedNode): string => {
      const link = node.links.get(id);
      return link === undefined ? plan.peer : `127.0.0.1:${link.port}`;
    };
    node.start(this.nodes.map((peer) => `${peer.id}=${addressOf(peer)}`).join(','), disk);
  }

  /** Links in both directions between a node and all others. */
  linksOf(node: VerifiedNode): LinkProxy[] {
    const towards = this.nodes.flatMap(({ links }) => links.get(node.id) ?? []);
    return [...node.links.values(), ...towards];
  }

  healLinks(): void {
    for (const { links } of this.nodes)
      for (const link of links.values()) {
        link.delayMs = 0;
        if (link.state !== 'open') link.state = 'open';
      }
  }

  look(): Promise<Look> {
    return Promise.all(
      this.nodes.map(async (node) => ({ node, shard: (await node.status())?.shards[0] ?? null })),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    for (const { links } of this.nodes) for (const link of links.values()) await link.close();
  }
}

/** The one that leads and serves in the highest term. */
export function leaderIn(look: Look): VerifiedNode | null {
  let best: { node: VerifiedNode; term: number } | null = null;
  for (const { node, shard } of look)
    if (shard?.role === 'leader' && shard.serving && shard.term > (best?.term ?? 0))
      best = { node, term: shard.term };
  return best?.node ?? null;
}
