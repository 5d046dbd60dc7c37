import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../sim/seeded-random.ts';
import type { LinkProxy, LinkState } from './link-proxy.ts';
import type { VerifiedCluster, VerifiedNode } from './verified-cluster.ts';
import { leaderIn } from './verified-cluster.ts';
import { VerifyClient } from './verify-client.ts';

/** What goes wrong with processes and disks, with how often it is chosen, and the words for the report. */
const nodeFaults = {
  kill: [4, 'process killed'],
  'kill all': [3, 'all processes killed at once'],
  pause: [4, 'process stopped and continued'],
  stop: [1, 'process asked to end'],
  handover: [2, 'leadership moved'],
  'disk fails': [2, 'write failed'],
  'disk hangs': [2, 'disk hung'],
  'disk full': [1, 'disk full'],
  wipe: [1, 'data directory emptied'],
} as const;

/** What goes wrong with links. */
const linkFaults = {
  isolate: [3, 'node cut off'],
  cut: [2, 'link cut'],
  'one way': [2, 'link cut in one direction'],
  clog: [2, 'link clogged'],
  delay: [2, 'links slow'],
  reset: [2, 'connections reset'],
  'hang up': [1, 'client gone'],
} as const;

type NodeFault = keyof typeof nodeFaults;
type LinkFault = keyof typeof linkFaults;
export type FaultKind = NodeFault | LinkFault;

export const faultWords: Record<FaultKind, string> = Object.fromEntries(
  Object.entries({ ...nodeFaults, ...linkFaults }).map(([kind, [, words]]) => [kind, words]),
) as Record<FaultKind, string>;

/** What faults need of the rest. */
export interface FaultHost {
  /** A fault begins: for the record, and for what a gap in the writes is put down to. */
  began(kind: FaultKind, what: string): void;
  hangUpClient(): void;
}

/** Lets things go wrong, two at a time: one fault of a process or a disk, and one of the links. */
export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #cluster: VerifiedCluster;
  readonly #random: SeededRandom;
  readonly #host: FaultHost;
  #over = true;
  /** Its data was removed, and it has not been seen to have caught up since. */
  #wiped: VerifiedNode | null = null;

  constructor(cluster: VerifiedCluster, random: SeededRandom, host: FaultHost) {
    this.#cluster = cluster;
    this.#random = random;
    this.#host = host;
  }

  start(node: VerifiedNode, faults = ''): void {
    // One that is given stays, so that a test can see what happens with disks that keep no promise.
    const chosen = this.#random.chance(0.6) ? 'volatile' : '';
    this.#cluster.start(node, { kind: process.env['BELLWETHER_DISK'] ?? chosen, faults });
  }

  /** All nodes were seen to be well: another one's data may be removed. */
  allWell(): void {
    this.#wiped = null;
  }

  /** No more of it. */
  end(): void {
    this.#over = true;
  }

  /** Lets things go wrong for some time; resolves when all of it has been undone. */
  async run(ms: number): Promise<void> {
    this.#over = false;
    const end = setTimeout(() => this.end(), ms);
    const [nodes, links] = [this.#random.fork(), this.#random.fork()];
    await Promise.all([this.#nodeLane(nodes), this.#linkLane(links)]);
    clearTimeout(end);
    for (const node of this.#cluster.nodes) {
      node.resume();
      this.start(node);
    }
    this.#cluster.healLinks();
  }

  #began(kind: FaultKind, what: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#host.began(kind, what);
  }

  async #nodeLane(random: SeededRandom): Promise<void> {
    while (!this.#over) {
      await delay(random.between(200, 2500));
      if (this.#over) return;
      await this.#nodeFault(drawn(nodeFaults, random), random);
    }
  }

  async #linkLane(random: SeededRandom): Promise<void> {
    while (!this.#over) {
      await delay(random.between(200, 2500));
      if (this.#over) return;
      await this.#linkFault(drawn(linkFaults, random), random);
      this.#cluster.healLinks();
    }
  }

  /** Half of the faults look for the leader. */
  async #target(random: SeededRandom): Promise<VerifiedNode> {
    const leader = random.chance(0.5) ? leaderIn(await this.#cluster.look()) : null;
    return leader ?? random.pick(this.#cluster.nodes);
  }

  async #nodeFault(kind: NodeFault, random: SeededRandom): Promise<void> {
    const { nodes } = this.#cluster;
    const node = await this.#target(random);
    switch (kind) {
      case 'kill all':
        this.#began(kind, 'kill all');
        await Promise.all(nodes.map((each) => each.kill()));
        for (const each of random.shuffled(nodes)) {
          if (random.chance(0.3)) await delay(random.between(0, 800));
          this.start(each);
        }
        return;
      case 'pause':
        // Shorter than a lease, about as long as an election takes, or much longer.
        this.#began(kind, `pause ${node.id}`);
        node.pause();
        await delay(random.pick([100, 300, 800, 3000]) * random.between(0.5, 1.5));
        node.resume();
        return;
      case 'handover':
        await this.#handOver(random);
        return;
      case 'disk fails':
      case 'disk hangs':
      case 'disk full':
        await this.#diskFault(kind, node, random);
        return;
      case 'wipe':
        await this.#wipe(node, random);
        return;
      case 'kill':
      case 'stop':
        this.#began(kind, `${kind} ${node.id}`);
        await (kind === 'kill' ? node.kill() : node.stop());
        await delay(random.pick([0, 300, 2000]) * random.float());
        this.start(node);
    }
  }

  async #handOver(random: SeededRandom): Promise<void> {
    const leader = leaderIn(await this.#cluster.look());
    const others = this.#cluster.nodes.filter((node) => node !== leader);
    const target = random.pick(others);
    if (leader === null || target === undefined) return;
    this.#began('handover', `${target.id} takes over from ${leader.id}`);
    const client = new VerifyClient([target.port], random, null);
    await client.request(['CLUSTER', 'FAILOVER'], 3000);
    client.hangUp();
  }

  /** The process starts with a disk that will go wrong, soon after clients have come back. */
  async #diskFault(
    kind: 'disk fails' | 'disk hangs' | 'disk full',
    node: VerifiedNode,
    random: SeededRandom,
  ): Promise<void> {
    const fromMs = Math.round(random.between(600, 3500));
    const lengthMs = Math.round(random.between(300, 4000));
    const fault = { 'disk fails': 'fail', 'disk hangs': 'hang', 'disk full': 'full' }[kind];
    const window = kind === 'disk fails' ? '' : `+${lengthMs}`;
    this.#began(kind, `${node.id} restarts, ${fault}@${fromMs}${window}`);
    await node.kill();
    this.start(node, `${fault}@${fromMs}${window}`);
    await delay(fromMs + (kind === 'disk fails' ? 500 : lengthMs));
  }

  async #wipe(node: VerifiedNode, random: SeededRandom): Promise<void> {
    // More than half of the nodes must keep their disks, and a lost copy counts until it is there again.
    if (this.#wiped !== null || this.#cluster.nodes.length < 3) return;
    this.#wiped = node;
    this.#began('wipe', `wipe ${node.id}`);
    await node.kill();
    node.wipe();
    await delay(random.between(0, 1000));
    this.start(node);
  }

  async #linkFault(kind: LinkFault, random: SeededRandom): Promise<void> {
    const { nodes } = this.#cluster;
    if (kind === 'hang up') {
      this.#began(kind, 'a client hangs up');
      this.#host.hangUpClient();
      return;
    }
    if (nodes.length === 1) return;
    const node = await this.#target(random);
    const other = random.pick(nodes.filter((each) => each !== node));
    const there = node.links.get(other.id) as LinkProxy;
    const back = other.links.get(node.id) as LinkProxy;
    const set = (links: readonly LinkProxy[], state: LinkState): void => {
      for (const link of links) link.state = state;
    };
    const between = `${node.id} and ${other.id}`;
    if (kind === 'isolate') {
      this.#began(kind, `${node.id} is cut off`);
      set(this.#cluster.linksOf(node), random.chance(0.5) ? 'cut' : 'clogged');
    } else if (kind === 'cut') {
      this.#began(kind, `${between} are cut`);
      set([there, back], 'cut');
    } else if (kind === 'one way') {
      this.#began(kind, `${node.id} does not reach ${other.id}`);
      set([there], 'cut');
    } else if (kind === 'clog') {
      this.#began(kind, `${between} are clogged`);
      set(random.chance(0.5) ? [there, back] : [there], 'clogged');
    } else if (kind === 'delay') {
      this.#began(kind, `${node.id} is far away`);
      for (const link of this.#cluster.linksOf(node)) link.delayMs = random.pick([5, 30, 120, 400]);
    } else {
      this.#began(kind, `connections of ${node.id} are reset`);
      for (const link of this.#cluster.linksOf(node)) link.cut();
      return;
    }
    await delay(random.pick([200, 1000, 4000]) * random.between(0.5, 1.5));
  }
}

function drawn<K extends string>(
  kinds: Readonly<Record<K, readonly [number, string]>>,
  random: SeededRandom,
): K {
  const entries = Object.entries(kinds) as [K, readonly [number, string]][];
  let left = random.below(entries.reduce((sum, [, [weight]]) => sum + weight, 0));
  for (const [kind, [weight]] of entries) {
    left -= weight;
    if (left < 0) return kind;
  }
  return (entries[0] as (typeof entries)[0])[0];
}
