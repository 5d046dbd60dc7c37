import type { Logger } from '../env/logger.ts';
import { nodeClock } from '../env/node-clock.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import { handOverToBest } from './handover.ts';

const pollMs = 5;
/** A shard whose handover failed is left alone for so long: trying blocks its writes. */
const retryMs = 2000;
/** A clean stop waits so long for handovers, and so much longer per shard that this node leads. */
const stopMs = 1500;
const stopMsPerShard = 50;

/** A clean stop waits until no client was redirected for so long, but not beyond the longest. */
const quietMs = 1000;
const lingerMs = 5000;

/** Moves leadership away from this node, of clients' shards and of the metadata, and keeps it away, until it is told otherwise or the process ends. */
export class Drain {
  readonly #host: ShardHost;
  readonly #peers: PeerNetwork;
  readonly #logger: Logger;
  #on = false;
  /** The shard that is being handed over. */
  #moving: number | null = null;
  readonly #retryMs = new Map<number, number>();

  constructor(host: ShardHost, peers: PeerNetwork, logger: Logger) {
    this.#host = host;
    this.#peers = peers;
    this.#logger = logger;
  }

  get on(): boolean {
    return this.#on;
  }

  set(on: boolean): void {
    if (this.#on !== on)
      this.#logger.info({}, on ? 'draining: this node is to lead nothing' : 'no longer draining');
    this.#on = on;
    this.#retryMs.clear();
    for (const { core } of this.#host.held.all) core.draining = on;
  }

  /** One shard after the other, so that none waits for another's disk writes. Called every few milliseconds. */
  tick(): void {
    if (!this.#on) return;
    const now = this.#host.now();
    const moving = this.#moving === null ? undefined : this.#host.held.find(this.#moving)?.core.leadership;
    if (moving?.handover) return;
    if (moving && this.#moving !== null) this.#retryMs.set(this.#moving, now + retryMs);
    this.#moving = null;
    for (const replica of this.#host.held.all) {
      const { core, shard } = replica;
      core.draining = true;
      if (core.leadership === null || now < (this.#retryMs.get(shard) ?? 0)) continue;
      const to = handOverToBest(this.#host, replica, this.#peers);
      if (to === null) continue;
      this.#logger.info({ shard, to }, 'handing leadership over');
      this.#moving = shard;
      return;
    }
  }

  /** Before the process ends: drains as far as others can take over soon. */
  async beforeStop(): Promise<void> {
    this.set(true);
    const led = (): number => this.#host.held.all.filter(({ core }) => core.leadership !== null).length;
    const endMs = nodeClock.monotonicMs() + stopMs + stopMsPerShard * led();
    for (this.tick(); this.#moving !== null && nodeClock.monotonicMs() < endMs; this.tick())
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    await this.#clientsGone();
  }

  /** Clients that know the old leader come here until they were redirected: a command under way would find nobody. */
  async #clientsGone(): Promise<void> {
    const endMs = nodeClock.monotonicMs() + lingerMs;
    while (nodeClock.monotonicMs() < Math.min(endMs, this.#host.redirectedMs + quietMs))
      await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
