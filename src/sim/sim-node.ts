import { encodeMembership } from '../core/membership-codec.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { Task } from '../env/task.ts';
import { runTask, stepVoid } from '../env/task.ts';
import type { Batch } from '../log/batch.ts';
import type { OpenedLog } from '../log/node-log.ts';
import { openNodeLog } from '../log/node-log.ts';
import type { NodeLog } from '../log/types.ts';
import { checkedMembership, spanOf } from '../shard/memberships.ts';
import type { Replica } from '../shard/replica.ts';
import { ShardHost } from '../shard/shard-host.ts';
import { CheckpointStore } from '../state/checkpoint-store.ts';
import type { EventLoop } from './event-loop.ts';
import type { SimNetwork } from './network.ts';
import type { PeerPort } from './peer-port.ts';
import { Process } from './process.ts';
import type { ReplyWatchEvents } from './reply-watch.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimClock } from './sim-clock.ts';
import type { Death } from './sim-disk.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimOptions } from './sim-options.ts';
import { simServices } from './sim-services.ts';
import type { Trace } from './trace.ts';

export const onlyShard = 1;
const tickMs = 10;
const clusterName = 'sim';

export function addressOf(node: NodeId): string {
  return `${node}.sim:1`;
}

export function nodeAt(address: string): NodeId {
  return address.slice(0, address.indexOf('.'));
}

/** Real clocks are off by less. */
export const usualRates = { least: 0.9995, most: 1.0005 } as const;

/** What the nodes of a run share. */
export interface SimWorld {
  readonly loop: EventLoop;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly options: SimOptions;
  readonly nodes: readonly NodeId[];
  /** Who takes part when the cluster begins. */
  readonly members: Membership;
  readonly replies: ReplyWatchEvents;
  /** A log takes a batch. */
  appended(batch: Batch): void;
  /** Production code broke: what it threw, or why it gave up. */
  broken(node: NodeId, error: Error): void;
  /** One of several inputs within an event was dealt with. */
  afterInput(): void;
}

/** The process that runs on a node now. */
export interface Life {
  readonly process: Process;
  readonly number: number;
  host: ShardHost | null;
  log: NodeLog | null;
  /** Set once clients and peers are served. */
  ready: boolean;
  /** Called when the process ends. */
  readonly onEnd: Set<(death: Death) => void>;
}

/** One machine: a disk and clocks that stay, and processes that come and go, wired as src/node/node.ts wires them. */
export class SimNode {
  readonly id: NodeId;
  readonly disk: SimDisk;
  readonly clock: SimClock;
  /** Told of what clients' replies wait for, and of each that leaves. */
  readonly replyEvents: ReplyWatchEvents;
  life: Life | null = null;
  /** Who takes part as far as it was told before it had any log. */
  members: Membership;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  /** What the data directory remembers, durably. */
  #fresh = true;
  #lastDeath: Death = 'kill';
  #lives = 0;
  #instance = 1;

  constructor(id: NodeId, world: SimWorld, random: SeededRandom) {
    this.id = id;
    this.#world = world;
    this.#random = random;
    this.replyEvents = world.replies;
    this.members = world.members;
    this.disk = new SimDisk(id, world.loop, random.fork(), world.trace);
    this.clock = new SimClock(
      world.loop,
      random.between(usualRates.least, usualRates.most),
      random.between(0, 1e6),
    );
  }

  /** The replica, when a process runs that has opened it. */
  get replica(): Replica | null {
    const host = this.life?.host ?? null;
    return host?.replicas.get(onlyShard) ?? null;
  }

  start(): void {
    if (this.life !== null) return;
    const { loop, trace } = this.#world;
    const broke = (error: Error): void => this.#broke(process, error);
    const process = new Process(loop, this.#random.fork(), broke, () => this.#world.afterInput());
    const life: Life = {
      process,
      number: ++this.#lives,
      host: null,
      log: null,
      ready: false,
      onEnd: new Set<(death: Death) => void>(),
    };
    this.life = life;
    trace.say(this.id, `starts (life ${life.number})`);
    process.enter(() => {
      runTask(this.#open(life), (error) => {
        if (error !== null) this.#gaveUp(life, error);
      });
    });
  }

  *#open(life: Life): Task<void> {
    const { members } = this;
    const { options, network } = this.#world;
    const { process } = life;
    const disk = this.disk.openFor(process, this.#lastDeath);
    const opened: OpenedLog = yield* openNodeLog(disk, 'log', options.log, this.clock, {
      latched: (error) => this.#gaveUp(life, error),
      spaceShort: () => {},
    });
    const { log } = opened;
    const append = log.append.bind(log);
    log.append = (batch) => {
      this.#world.appended(batch);
      append(batch);
    };
    for (const note of opened.notes) this.#world.trace.say(this.id, `log: ${note}`);
    const handler = {
      received: (...args: Parameters<ShardHost['received']>) => life.host?.received(...args),
      identified: (...args: Parameters<ShardHost['identified']>) => life.host?.identified(...args),
      linkUp: (...args: Parameters<ShardHost['linkUp']>) => life.host?.linkUp(...args),
      linkDown: (...args: Parameters<ShardHost['linkDown']>) => life.host?.linkDown(...args),
    };
    const peers = network.open(process, handler, () => ({
      node: this.id,
      cluster: clusterName,
      instance: `${this.id}-disk-${this.#instance}`,
      client: addressOf(this.id),
      fresh: this.#fresh,
    }));
    const host = this.#createHost(life, opened.log, disk, peers);
    const recovered = opened.shards.find(({ shard }) => shard === onlyShard) ?? null;
    const start = { shard: onlyShard, recovered, initial: members, incomplete: opened.incomplete };
    yield* stepVoid((done) => host.held.open(start, done));
    if (members.voters.length === 1 && members.voters[0] === this.id) this.#fresh = false;
    life.log = opened.log;
    life.host = host;
    life.ready = true;
    network.listen(peers);
    this.#tick(life);
  }

  #createHost(life: Life, log: NodeLog, disk: ReturnType<SimDisk['openFor']>, peers: PeerPort): ShardHost {
    const { options } = this.#world;
    return new ShardHost({
      self: this.id,
      options: { core: options.core, ...options.replica },
      session: options.session,
      password: () => '',
      founders: this.#world.nodes,
      nodes: () => this.#world.nodes,
      owners: { ownerOf: () => onlyShard },
      log,
      disk,
      checkpoints: new CheckpointStore(disk, 'checkpoints'),
      peers,
      clock: this.clock,
      random: this.#random.fork(),
      turn: life.process.turnEnd,
      logger: this.#logger(life),
      services: simServices(this.clock),
      spanOf,
      encodeMembership,
      decodeMembership: checkedMembership,
      clientAddress: addressOf,
      flushPeers: () => {},
      noLongerFresh: () => {
        this.#fresh = false;
      },
      fatal: (error) => this.#gaveUp(life, error),
    });
  }

  #logger(life: Life): Logger {
    const say = (level: string) => (fields: object, message: string) => {
      if (life.process.alive) this.#world.trace.say(this.id, `${level}${message} ${JSON.stringify(fields)}`);
    };
    return { debug: () => {}, info: say(''), warn: say('warning: '), error: say('ERROR: ') };
  }

  #tick(life: Life): void {
    life.process.after(tickMs * this.#random.between(0.95, 1.1), () => {
      life.host?.tick();
      this.#tick(life);
    });
  }

  /** The process ends by itself. Where the disk failed that is right; everything else is a bug. */
  #gaveUp(life: Life, error: Error): void {
    if (this.life !== life) return;
    this.#world.trace.say(this.id, `gives up: ${error.message}`);
    if (this.disk.rotten && !this.disk.failed && !life.ready) {
      // What cannot be opened needs an operator, who puts in an empty disk.
      this.wipe();
      return;
    }
    // Bytes that rot are found when they are read; a process that has no room for its log cannot begin.
    const found = this.disk.rotten || (this.disk.limited && !life.ready);
    if (!this.disk.failed && !found) this.#world.broken(this.id, error);
    this.#end('kill');
  }

  #broke(process: Process, error: Error): void {
    this.#world.broken(this.id, error);
    if (this.life?.process === process) this.#end('kill');
  }

  /**
   * The process dies, or the machine loses power: memory is gone, and what was not durable may be. False when there
   * was no process.
   */
  crash(death: Death): boolean {
    if (this.life !== null) {
      this.#world.trace.say(this.id, death);
      this.#end(death);
      return true;
    }
    if (death === 'power loss') this.#lastDeath = death;
    return false;
  }

  /** The process dies, and some bytes of its files change; false when there were none. */
  rot(): boolean {
    this.crash('kill');
    return this.rotQuietly();
  }

  /** Some bytes of its files change, whether a process runs or not; false when there were none. */
  rotQuietly(): boolean {
    const places = this.disk.rot();
    this.#world.trace.say(this.id, `rot: ${places.join(', ')}`);
    return places.length > 0;
  }

  /** The disk is replaced by an empty one; false when it never was anything else. */
  wipe(): boolean {
    const used = this.#lives > 0;
    this.crash('power loss');
    this.#world.trace.say(this.id, 'has an empty disk');
    this.disk.wipe();
    this.#fresh = true;
    this.#instance += 1;
    return used;
  }

  /** Its data is thrown away, since it is no member any more; when it starts again it is told who is. */
  leave(members: Membership): void {
    this.wipe();
    this.members = members;
  }

  #end(death: Death): void {
    const life = this.life as Life;
    life.process.alive = false;
    this.life = null;
    this.#lastDeath = death;
    for (const ended of life.onEnd) ended(death);
    this.#world.network.closed(this.id, death === 'power loss');
  }
}
