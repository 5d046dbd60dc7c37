import type { Membership, NodeId } from '../core/types.ts';
import { EventLoop } from './event-loop.ts';
import { History } from './history.ts';
import { SimNetwork } from './network.ts';
import { disturbNetwork } from './network-faults.ts';
import type { Seat } from './seat.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimClient } from './sim-client.ts';
import { onlyShard, SimNode } from './sim-node.ts';
import { drawOptions, type SimOptions } from './sim-options.ts';
import { Trace } from './trace.ts';
import { Watch } from './watch.ts';

/** A cluster of one shard in which only happens what a test says, under the checks of every run. */
export class ScriptedRun {
  readonly loop = new EventLoop();
  readonly trace = new Trace(() => this.loop.nowMs);
  readonly violations: string[] = [];
  readonly nodes: readonly SimNode[];
  readonly #network: SimNetwork;
  readonly #watch: Watch;
  readonly #names: readonly NodeId[];
  readonly #client: SimClient;

  constructor(names: readonly NodeId[], change: (options: SimOptions) => SimOptions) {
    const members: Membership = { voters: names, learners: [] };
    const random = new SeededRandom(1);
    const violated = (what: string): void => void this.violations.push(what);
    this.#names = names;
    this.#network = new SimNetwork(names, this.loop, random.fork(), this.trace);
    const world = {
      ...{ loop: this.loop, trace: this.trace, network: this.#network, nodes: names, members, shape: null },
      options: change(drawOptions(random.fork())),
      replies: { sent: (reply: Parameters<Watch['replied']>[0]) => this.#watch.replied(reply), violated },
      appended: (batch: Parameters<Watch['appended']>[0]) => this.#watch.appended(batch),
      adopted: () => {},
      afterInput: () => this.#watch.afterEvent(),
      broken: (node: NodeId, error: Error) => violated(`${node} broke: ${error.stack}`),
    };
    this.nodes = names.map((name) => new SimNode(name, world, random.fork()));
    const watched = {
      ...{ nodes: this.nodes, founders: new Map([[onlyShard, members]]), violated },
      keysOf: () => ['register0'],
      now: () => this.loop.nowMs,
      clocksHold: () => true,
    };
    this.#watch = new Watch(watched, random.fork());
    this.#network.onSend = (from, to, shard, message) => this.#watch.sent(from, to, shard, message);
    this.#client = new SimClient(this.nodes, this.loop, random.fork(), new History(), {
      ...{ number: 0, hello: null, believes: true, timeoutMs: 500, reads: 0, atOnce: 1 },
    });
    for (const node of this.nodes) node.start();
  }

  /** Lets time pass until something holds; false when it does not within so many ms, or something is violated. */
  until(holds: () => boolean, withinMs: number): boolean {
    const endMs = this.loop.nowMs + withinMs;
    while (!holds()) {
      if (this.violations.length > 0 || !this.loop.step(endMs)) return false;
      this.#watch.afterEvent();
    }
    return true;
  }

  get leader(): Seat | undefined {
    return this.#watch.of(onlyShard).seats.find(({ replica }) => replica?.serving === true);
  }

  /** Nothing passes between these nodes and the others; answers what ends that. */
  partition(side: readonly NodeId[], among: readonly NodeId[] = this.#names): () => void {
    const fault = { kind: 'partition', side, atMs: 0, forMs: 0, salt: 0 } as const;
    return disturbNetwork(this.#network, among, fault, () => {});
  }

  /** A write that is tried again until a leader acknowledges it, within so many ms. */
  write(value: string, withinMs: number): boolean {
    let written = false;
    const attempt = (): void =>
      this.#client.request({ key: 'register0', kind: 'set', value }, (reply) => {
        if (reply === undefined) this.loop.after(20, attempt);
        else written = true;
      });
    attempt();
    return this.until(() => written, withinMs);
  }
}
