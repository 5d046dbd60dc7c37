import type { Logger as PinoLogger } from 'pino';
import { metadataShard, shardMapOf } from '../cluster/metadata.ts';
import type { ShardMap, ShardPlacement } from '../cluster/shard-map.ts';
import { evenShardMap, usesEveryNode } from '../cluster/shard-map.ts';
import { encodeMembership } from '../core/membership-codec.ts';
import type { Membership } from '../core/types.ts';
import { nodeClock } from '../env/node-clock.ts';
import { nodeRandom } from '../env/node-random.ts';
import { nodeTurnEnd } from '../env/node-turn.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import type { OpenedLog } from '../log/node-log.ts';
import { openNodeLog } from '../log/node-log.ts';
import type { RecoveredShard } from '../log/types.ts';
import { TcpPeerNetwork } from '../peer/tcp-network.ts';
import { AdminServer } from '../server/admin.ts';
import { ClientListener } from '../server/client-listener.ts';
import { checkedMembership, spanOf } from '../shard/memberships.ts';
import type { Replica } from '../shard/replica.ts';
import { ShardHost } from '../shard/shard-host.ts';
import { CheckpointStore } from '../state/checkpoint-store.ts';
import { version } from '../version.ts';
import { ClientAddresses } from './client-addresses.ts';
import type { NodeConfig } from './config.ts';
import { checkCopies } from './config.ts';
import { checkpointDirectory, DataDirectory, logDirectory } from './data-directory.ts';
import { openDisk } from './disk-choice.ts';
import { Drain } from './drain.ts';
import { handOverByCommand, TakeOver } from './handover.ts';
import { LoadMeter } from './load-meter.ts';
import { createLogger } from './logging.ts';
import { metadataMembers, metadataOptions, NodeMetadata } from './metadata.ts';
import { formatAddress, parseAddress } from './option-values.ts';
import type { OptionName } from './options.ts';
import { Services } from './services.ts';
import { Settings } from './settings.ts';
import { nodeStatus, startingStatus } from './status.ts';
import { Topology } from './topology.ts';

const tickMs = 10;

/** One process of a cluster: everything wired together, from start to stop. */
export class BellwetherNode {
  readonly config: NodeConfig;
  readonly logger: PinoLogger;
  readonly #fatal: (error: Error) => void;
  readonly #shutDown: () => void;
  readonly #startedMs = nodeClock.monotonicMs();
  readonly #settings: Settings;
  /** Undone in reverse order by `stop`, as far as `start` came. */
  readonly #undo: (() => void | Promise<void>)[] = [];
  #directory!: DataDirectory;
  #map!: ShardMap;
  #opened!: OpenedLog;
  #addresses!: ClientAddresses;
  #peers!: TcpPeerNetwork;
  #host: ShardHost | null = null;
  #topology: Topology | null = null;
  #listener: ClientListener | null = null;
  #metadata!: NodeMetadata;
  #meter!: LoadMeter;
  #drain: Drain | null = null;
  #stopping: Promise<void> | null = null;

  /**
   * @param fatal called when the process must end at once
   * @param shutDown called when a client sent SHUTDOWN; by default the node stops and the process goes on
   */
  constructor(config: NodeConfig, fatal: (error: Error) => void, shutDown?: () => void) {
    this.config = config;
    this.#fatal = fatal;
    this.#shutDown = shutDown ?? (() => this.stop({ handOver: true }).catch(fatal));
    this.logger = createLogger(config);
    this.#settings = new Settings(config, (name) => this.#reconfigured(name));
  }

  /** Where clients are told to reach this node, `host:port`. */
  get clientAddress(): string {
    const { host, port } = this.config.announce ?? this.config.listen;
    return `${host}:${port}`;
  }

  get #voters(): readonly string[] {
    return [...new Set([...this.config.peers.map(({ node }) => node), this.config.id])].sort();
  }

  /** Rejects with the error that keeps the node from serving; what was opened is closed again. */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { config, logger } = this;
    for (const warning of config.warnings) logger.warn({ code: 'BW_CONFIG_INVALID' }, warning);
    const { id: node, cluster, dir } = config;
    const { shards, replicas } = config;
    this.#directory = await DataDirectory.open(dir, {
      cluster,
      node,
      voters: this.#voters,
      shards,
      replicas,
    });
    this.#undo.push(() => this.#directory.release());
    this.#map = this.#createMap();
    this.#meter = new LoadMeter(logger, tickMs, this.#startedMs);
    await this.#openAdmin();
    await this.#openShards();
    await this.#openPeers();
    await this.#openClients();
    const fields = { version, pid: process.pid, client: this.clientAddress, dir, cluster };
    const ms = Math.round(nodeClock.monotonicMs() - this.#startedMs);
    logger.info({ ...fields, fresh: this.#directory.identity.fresh, ms }, 'node started');
  }

  /** Where each shard was when the cluster began. Throws BW_CONFIG_INVALID when that makes no sense. */
  #createMap(): ShardMap {
    const { identity, replicas } = this.#directory;
    const count = this.#voters.length;
    if (!usesEveryNode(identity.shards, count, replicas))
      throw new BellwetherError(
        'BW_CONFIG_INVALID',
        `${identity.shards} shards on ${replicas} nodes each leave some of ${count} nodes without any`,
        'Choose more --shards or more --replicas.',
      );
    checkCopies(this.config, replicas);
    return evenShardMap(identity.shards, this.#voters, replicas);
  }

  async #openAdmin(): Promise<void> {
    const { host, port } = this.config['admin-listen'];
    const admin = new AdminServer(host, port, { status: () => this.#status() });
    await admin.listen();
    this.#undo.push(() => admin.close());
  }

  #status() {
    const topology = this.#topology;
    const listener = this.#listener;
    const host = this.#host;
    const own = {
      config: this.config,
      startedMs: this.#startedMs,
      ownAddress: this.clientAddress,
      meter: this.#meter,
    };
    if (topology === null || listener === null || host === null) return startingStatus(own);
    const draining = this.#drain?.on === true;
    return nodeStatus({
      ...own,
      host,
      topology,
      metadata: this.#metadata,
      listener,
      log: this.#opened.log,
      peers: this.#peers,
      draining,
    });
  }

  async #openShards(): Promise<void> {
    const { config, logger } = this;
    const disk = openDisk(process.env, config.dir);
    this.#addresses = new ClientAddresses(disk);
    await run(this.#addresses.load());
    const logMissing = this.#directory.logMissing;
    this.#opened = await run(
      openNodeLog(disk, logDirectory, this.#settings.log, nodeClock, {
        latched: (error) => this.#fatal(latchedError(error)),
        spaceShort: (short) => this.#spaceShort(short),
      }),
    );
    const { log, notes, incomplete } = this.#opened;
    this.#undo.push(() => new Promise<void>((resolve) => log.close(() => resolve())));
    for (const note of notes) logger.warn({ code: 'BW_LOG_DAMAGED' }, note);
    const services = new Services(this.#settings);
    this.#peers = this.#createPeers();
    const host = new ShardHost({
      self: config.id,
      options: this.#settings.replica,
      session: this.#settings.session,
      password: () => this.#settings.config.password,
      log,
      disk,
      checkpoints: new CheckpointStore(disk, checkpointDirectory),
      peers: this.#peers,
      clock: nodeClock,
      random: nodeRandom,
      turn: nodeTurnEnd,
      logger,
      services,
      nodes: this.#voters,
      owners: { ownerOf: (slot) => this.#map.ownerOf(slot) },
      spanOf,
      encodeMembership,
      decodeMembership: checkedMembership,
      clientAddress: (node) => this.#clientAddressOf(node),
      flushPeers: () => this.#peers.flush(),
      noLongerFresh: () => this.#directory.noLongerFresh(),
      fatal: (error) => this.#fatal(error),
    });
    this.#host = host;
    await this.#openMetadata(host, logMissing || incomplete);
    for (const placement of this.#map.placements)
      if (placement.members.includes(config.id))
        await this.#openReplica(host, placement, logMissing || incomplete);
    if (this.#voters.length === 1) this.#directory.noLongerFresh();
    this.#topology = new Topology({
      cluster: config.cluster,
      self: config.id,
      host,
      peers: this.#peers,
      log,
      map: () => this.#map,
      nodes: () => this.#metadata.nodes,
      clientAddress: (node) => this.#clientAddressOf(node),
      peerPort: (node) => this.#peerPort(node),
    });
    this.#listener = this.#createListener(host);
    this.#drain = new Drain(host, this.#peers, logger);
    services.parts = {
      host,
      topology: this.#topology,
      metadata: this.#metadata,
      listener: this.#listener,
      meter: this.#meter,
      startedMs: this.#startedMs,
      drain: this.#drain,
      takeOver: this.#createTakeOver(host),
      handOver: (shard, to) => handOverByCommand(host, this.#peers, shard, to),
      // What the client is told leaves first.
      shutDown: () => void setImmediate(this.#shutDown),
    };
  }

  /** @param incomplete something may be gone that this node had promised */
  async #openMetadata(host: ShardHost, incomplete: boolean): Promise<void> {
    const { config } = this;
    const shard = metadataShard;
    const recovered = this.#opened.shards.find((one) => one.shard === shard) ?? null;
    const initial = metadataMembers(this.#voters);
    // A directory of a version without this shard has promised nothing of it.
    const unknown = recovered === null && !this.#directory.identity.metadata;
    const forgotten = recovered === null && incomplete && !unknown;
    if (forgotten) this.#forgotten(shard, this.#voters.length === 1);
    if (recovered?.damage) this.#damaged(recovered);
    const own = {
      options: metadataOptions(this.#settings.replica),
      noLongerFresh: () => this.#directory.metadataPromised(),
    };
    const replica = await new Promise<Replica>((resolve, reject) => {
      host.held.openHidden({ shard, recovered, initial, incomplete: forgotten }, own, (error, opened) =>
        error === null ? resolve(opened) : reject(error),
      );
    });
    if (unknown) replica.confirmFresh(nodeClock.monotonicMs());
    this.#metadata = new NodeMetadata({
      replica,
      logger: this.logger,
      founders: this.#voters,
      map: this.#map,
      peerAddress: (node) => this.#peerAddress(node),
      identityOf: (node) =>
        node === config.id
          ? { instance: this.#directory.identity.instance, client: this.clientAddress }
          : this.#peers.identityOf(node),
      adopted: (metadata) => {
        this.#map = shardMapOf(metadata);
      },
    });
  }

  /** @param incomplete something may be gone that this node had promised */
  async #openReplica(host: ShardHost, placement: ShardPlacement, incomplete: boolean): Promise<void> {
    const { shard, members, preferred } = placement;
    const initial: Membership = { voters: members, learners: [] };
    const recovered = this.#opened.shards.find((one) => one.shard === shard) ?? null;
    const alone = initial.voters.length === 1;
    if (recovered === null && incomplete) this.#forgotten(shard, alone);
    if (recovered?.damage) this.#damaged(recovered);
    await new Promise<void>((resolve, reject) => {
      host.held.open({ shard, recovered, initial, incomplete }, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    // Among equals the preferred node leads; whoever never leads does not here either.
    const { core } = host.replicas.get(shard) as Replica;
    if (preferred === this.config.id && core.priority > 0) core.priority += 1;
  }

  #forgotten(shard: number, alone: boolean): void {
    const what = `the log in ${this.config.dir} is gone or unreadable, and it was in use`;
    const advice = alone
      ? 'Restore the data directory from a backup, or remove it to begin empty.'
      : 'This replica votes again once a leader has brought it up to date.';
    const error = new BellwetherError('BW_LOG_DAMAGED', what, advice);
    if (alone) throw error;
    this.logger.error({ code: error.code, shard }, error.message);
  }

  #damaged(recovered: RecoveredShard): void {
    this.logger.error(
      { code: 'BW_LOG_DAMAGED', shard: recovered.shard, where: recovered.damage?.where },
      'the log is damaged: this replica does not lead until its peers have repaired it',
    );
  }

  #spaceShort(short: boolean): void {
    if (short)
      this.logger.error(
        { code: 'BW_DISK_FULL' },
        'too little disk space for another segment: writes are refused until there is more',
      );
    else this.logger.info({}, 'there is disk space again');
  }

  #createPeers(): TcpPeerNetwork {
    const { config } = this;
    const host = (): ShardHost => this.#host as ShardHost;
    return new TcpPeerNetwork({
      identity: {
        node: config.id,
        cluster: this.#directory.clusterName,
        instance: this.#directory.identity.instance,
        client: this.clientAddress,
      },
      fresh: () => this.#directory.identity.fresh,
      secret: config.secret === '' ? null : config.secret,
      listen: config['peer-listen'],
      logger: this.logger,
      turnEnd: nodeTurnEnd,
      handler: {
        received: (from, shard, message) => host().received(from, shard, message),
        identified: (peer) => {
          this.#addresses.learn(peer.node, peer.client);
          host().identified(peer);
        },
        linkUp: (peer) => host().linkUp(peer),
        linkDown: (peer, refused) => host().linkDown(peer, refused),
      },
    });
  }

  async #openPeers(): Promise<void> {
    this.#undo.push(() => this.#peers.close());
    await this.#peers.start();
    this.#peers.setPeers(this.config.peers);
  }

  #createListener(host: ShardHost): ClientListener {
    // The same object, so that what is changed at run time holds for those who come later.
    const options = Object.assign(this.#settings.listener, {
      logger: this.logger,
      openSession: host.openSession.bind(host),
    });
    return new ClientListener(options);
  }

  async #openClients(): Promise<void> {
    const host = this.#host as ShardHost;
    const listener = this.#listener as ClientListener;
    const ticker = setInterval(() => {
      this.#meter.tick(nodeClock.monotonicMs(), host.stats.commands);
      host.tick();
      this.#metadata.tick(host.now());
      this.#drain?.tick();
    }, tickMs);
    this.#undo.push(() => clearInterval(ticker));
    await listener.listen();
    this.#undo.push(async () => {
      host.closeSessions('this node stops');
      await listener.close();
    });
  }

  #createTakeOver(host: ShardHost): () => string | null {
    const takeOver = new TakeOver(host, this.logger);
    return () => takeOver.ask();
  }

  #clientAddressOf(node: string): string | null {
    if (node === this.config.id) return this.clientAddress;
    const known = this.#addresses.get(node) ?? this.#metadata.record(node)?.client ?? '';
    return known === '' ? null : known;
  }

  #peerAddress(node: string): string {
    const given = this.config.peers.find((peer) => peer.node === node);
    if (given !== undefined) return formatAddress(given);
    if (node === this.config.id) return formatAddress(this.config['peer-listen']);
    return this.#metadata.record(node)?.peer ?? '';
  }

  #peerPort(node: string): number {
    if (node === this.config.id) return this.config['peer-listen'].port;
    return parseAddress(this.#peerAddress(node))?.port ?? 0;
  }

  #reconfigured(name: OptionName): void {
    const { config } = this.#settings;
    if (name === 'max-clients' && this.#listener !== null) this.#listener.maxClients = config['max-clients'];
    if (name === 'log-level') this.logger.level = config['log-level'];
    this.logger.info({ option: name }, 'an option was changed');
  }

  /**
   * Closes everything. Leadership is handed over first where that can be done soon, so that clients go on without an
   * election, unless the whole cluster stops.
   */
  stop(how: { readonly handOver: boolean }): Promise<void> {
    this.#stopping ??= this.#stop(how.handOver);
    return this.#stopping;
  }

  async #stop(handOver: boolean): Promise<void> {
    if (handOver) await this.#drain?.beforeStop();
    await this.#close();
    this.logger.info({}, 'node stopped');
  }

  async #close(): Promise<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
  }
}

function run<T>(task: Task<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    runTask(task, (error, value) => (error === null ? resolve(value as T) : reject(error)));
  });
}

function latchedError(error: Error): BellwetherError {
  if (error instanceof BellwetherError) return error;
  return new BellwetherError(
    'BW_LOG_LATCHED',
    `a write to the log failed (${error.message})`,
    'Look after the disk, then start the node again.',
    { cause: error },
  );
}
