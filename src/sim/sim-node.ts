import type { Metadata } from '../cluster/metadata.ts';
import type { NodeShards } from '../cluster/node-shards.ts';
import type { ShardMap } from '../cluster/shard-map.ts';
import { encodeMembership } from '../core/membership-codec.ts';
import type { Membership, NodeId } from '../core/types.ts';
import type { Logger } from '../env/logger.ts';
import type { Task } from '../env/task.ts';
import { runTask, stepVoid } from '../env/task.ts';
import type { Batch } from '../log/batch.ts';
import type { OpenedLog } from '../log/node-log.ts';
import { openNodeLog } from '../log/node-log.ts';
import type { NodeLog } from '../log/types.ts';
import type { NodePlace } from '../shard/leader-notices.ts';
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
import type { ClusterShape } from './sharded-node.ts';
import { addressOf, createNodeShards, peerAddressOf, SavedMetadata } from './sharded-node.ts';
import { SimClock } from './sim-clock.ts';
import type { Death } from './sim-disk.ts';
import { SimDisk } from './sim-disk.ts';
import type { SimOptions } from './sim-options.ts';
import { simServices } from './sim-services.ts';
import type { Trace } from './trace.ts';

export const onlyShard = 1;
const tickMs = 10;
const clusterName = 'sim';

/** Real clocks are off by less. */
export const usualRates = { least: 0.9995, most: 1.0005 } as const;

/** What the nodes of a run share. */
export interface SimWorld {
  readonly loop: EventLoop;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly options: SimOptions;
  readonly nodes: readonly NodeId[];
  /** Who takes part in the one shard when the cluster begins. */
  readonly members: Membership;
  /** Null where there is one shard, whose members no metadata decides. */
  readonly shape: ClusterShape | null;
  readonly replies: ReplyWatchEvents;
  /** A log takes a batch. */
  appended(batch: Batch): void;
  /** A node knows of other metadata, behind that of an epoch. */
  adopted(node: NodeId, before: number, metadata: Metadata, map: ShardMap): void;
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
  peers: PeerPort | null;
  /** Null where there is one shard without metadata. */
  shards: NodeShards | null;
  /** What replicas were told of their members when they were opened. */
  readonly told: Map<number, Membership>;
  /** Where other nodes said to be. */
  readonly places: Map<NodeId, NodePlace>;
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
  #joinedBy: Metadata | null = null;
  #retired = false;

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

  /** The replica of a shard, when a process runs that has opened it. */
  replicaOf(shard: number): Replica | null {
    return this.life?.host?.held.find(shard) ?? null;
  }

  /** All replicas that run here. */
  get replicas(): readonly Replica[] {
    return this.life?.host?.held.all ?? [];
  }

  /** It leads some shard. */
  get serving(): boolean {
    return this.replicas.some(({ serving }) => serving);
  }

  /** What its replica of a shard was told of the members; null when there is none. */
  toldOf(shard: number): Membership | null {
    return this.#world.shape === null ? this.members : (this.life?.told.get(shard) ?? null);
  }

  /** What its data directory is known by. */
  get instance(): string {
    return `${this.id}-disk-${this.#instance}`;
  }

  /** Where it says to be. */
  get place(): NodePlace {
    const zones = this.#world.shape?.zones ?? 0;
    const zone = zones === 0 ? '' : `z${this.#world.nodes.indexOf(this.id) % zones}`;
    return { peer: peerAddressOf(this.id), zone };
  }

  /** It may lose its disk and come back: where others join later, only those that the cluster began with. */
  get mayComeBackEmpty(): boolean {
    return this.#world.shape?.founders.includes(this.id) !== false;
  }

  /** It is known to the cluster, as it was told with this. */
  admit(metadata: Metadata): void {
    this.#world.trace.say(this.id, `has joined by epoch ${metadata.epoch}`);
    this.#joinedBy = metadata;
  }

  /** Its process is stopped for good. */
  retire(): void {
    this.crash('kill');
    this.#retired = true;
  }

  /** It is part of the cluster, whether its process runs or not. */
  get mayStart(): boolean {
    const founder = this.#world.shape?.founders.includes(this.id) !== false;
    return !this.#retired && (founder || this.#joinedBy !== null);
  }

  start(): void {
    if (this.life !== null || !this.mayStart) return;
    const { loop, trace } = this.#world;
    const broke = (error: Error): void => this.#broke(process, error);
    const process = new Process(loop, this.#random.fork(), broke, () => this.#world.afterInput());
    const life: Life = {
      process,
      number: ++this.#lives,
      host: null,
      log: null,
      peers: null,
      shards: null,
      told: new Map(),
      places: new Map(),
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
    const { options, network, shape } = this.#world;
    const { process } = life;
    const disk = this.disk.openFor(process, this.#lastDeath);
    const saved = new SavedMetadata(disk);
    const known = shape === null ? null : ((yield* saved.load()) ?? this.#joinedBy);
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
      instance: this.instance,
      client: addressOf(this.id),
      fresh: this.#fresh,
      ...(shape === null ? {} : { hearsNodes: true }),
    }));
    life.peers = peers;
    const host = this.#createHost(life, log, disk, peers);
    if (shape === null) yield* this.#openOnlyShard(host, opened);
    else yield* this.#openShards(life, host, opened, shape, known, saved);
    life.log = opened.log;
    life.host = host;
    life.ready = true;
    network.listen(peers);
    this.#tick(life);
  }

  *#openOnlyShard(host: ShardHost, { shards, incomplete }: OpenedLog): Task<void> {
    const { members } = this;
    const recovered = shards.find(({ shard }) => shard === onlyShard) ?? null;
    const start = { shard: onlyShard, recovered, initial: members, incomplete };
    yield* stepVoid((done) => host.held.open(start, done));
    if (members.voters.length === 1 && members.voters[0] === this.id) this.#fresh = false;
  }

  *#openShards(
    life: Life,
    host: ShardHost,
    { log, shards: recovered, incomplete }: OpenedLog,
    shape: ClusterShape,
    known: Metadata | null,
    saved: SavedMetadata,
  ): Task<void> {
    const { held } = host;
    const open = held.open.bind(held);
    held.open = (start, done) => {
      life.told.set(start.shard, start.initial);
      open(start, done);
    };
    const shards = createNodeShards({
      ...{ self: this.id, shape, options: this.#world.options, logger: this.#logger(life) },
      ...{ clock: this.clock, host, peers: life.peers as PeerPort, recovered, incomplete, known, saved },
      ...{ log, place: this.place, places: life.places },
      noLongerFresh: () => {
        this.#fresh = false;
      },
      adopted: (before, metadata) => this.#world.adopted(this.id, before, metadata, shards.map),
      fatal: (error) => this.#gaveUp(life, error),
    });
    life.shards = shards;
    yield* shards.open();
    if (shape.founders.length === 1) this.#fresh = false;
  }

  #createHost(life: Life, log: NodeLog, disk: ReturnType<SimDisk['openFor']>, peers: PeerPort): ShardHost {
    const { options } = this.#world;
    return new ShardHost({
      self: this.id,
      options: { core: options.core, ...options.replica },
      session: options.session,
      password: () => '',
      founders: this.#world.shape?.founders ?? this.#world.nodes,
      nodes: () => life.shards?.company ?? this.#world.nodes,
      owners: {
        ownerOf: (slot) => life.shards?.map.ownerOf(slot) ?? onlyShard,
        sinceOf: (slot) => life.shards?.sinceOf(slot) ?? 0,
      },
      ...(this.#world.shape === null
        ? {}
        : {
            place: () => this.place,
            placeHeard: (node: NodeId, place: NodePlace) => void life.places.set(node, place),
          }),
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
      life.shards?.tick(this.clock.monotonicMs());
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
