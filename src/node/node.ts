import type { Logger as PinoLogger } from 'pino';
import type { Metadata } from '../cluster/metadata.ts';
import { metadataFile, metadataFromText, metadataObject } from '../cluster/metadata-file.ts';
import { NodeShards } from '../cluster/node-shards.ts';
import type { ShardMap } from '../cluster/shard-map.ts';
import { evenShardMap, usesEveryNode } from '../cluster/shard-map.ts';
import { encodeMembership } from '../core/membership-codec.ts';
import { nodeClock } from '../env/node-clock.ts';
import { nodeRandom } from '../env/node-random.ts';
import { nodeTurnEnd } from '../env/node-turn.ts';
import { SavedText } from '../env/saved-text.ts';
import type { Task } from '../env/task.ts';
import { runTask } from '../env/task.ts';
import { BellwetherError } from '../errors.ts';
import type { OpenedLog } from '../log/node-log.ts';
import { openNodeLog } from '../log/node-log.ts';
import { TcpPeerNetwork } from '../peer/tcp-network.ts';
import { AdminServer } from '../server/admin.ts';
import { ClientListener } from '../server/client-listener.ts';
import type { NodePlace } from '../shard/leader-notices.ts';
import { checkedMembership, spanOf } from '../shard/memberships.ts';
import { ShardHost } from '../shard/shard-host.ts';
import { CheckpointStore } from '../state/checkpoint-store.ts';
import { slotsCounted } from '../state/slot.ts';
import { version } from '../version.ts';
import { ClientAddresses } from './client-addresses.ts';
import type { NodeConfig } from './config.ts';
import { checkCopies, leastCopies } from './config.ts';
import { checkpointDirectory, DataDirectory, logDirectory } from './data-directory.ts';
import { openDisk } from './disk-choice.ts';
import { Drain } from './drain.ts';
import { handOverByCommand, TakeOver } from './handover.ts';
import { LoadMeter } from './load-meter.ts';
import { createLogger } from './logging.ts';
import { formatAddress, parseAddress } from './option-values.ts';
import type { OptionName } from './options.ts';
import { ownPeerAddress, PeerAddresses } from './peer-addresses.ts';
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
  #began!: ShardMap;
  #opened!: OpenedLog;
  #addresses!: ClientAddresses;
  #peers!: TcpPeerNetwork;
  readonly #peerAddresses: PeerAddresses;
  #host: ShardHost | null = null;
  #topology: Topology | null = null;
  #listener: ClientListener | null = null;
  #shards!: NodeShards;
  #savedMetadata!: SavedText;
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
    this.#peerAddresses = new PeerAddresses({
      recorded: (node) => this.#shards.metadata.record(node)?.peer ?? '',
      given: (node) => this.#givenPeerAddress(node),
      connected: (node) => this.#peers.connected(node),
      now: () => nodeClock.monotonicMs(),
    });
  }

  /** Where clients are told to reach this node, `host:port`. */
  get clientAddress(): string {
    const { host, port } = this.config.announce ?? this.config.listen;
    return `${host}:${port}`;
  }

  /** The nodes that the cluster began with. */
  get #voters(): readonly string[] {
    return this.#directory.identity.voters;
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
      voters: [...new Set([...this.config.peers.map((peer) => peer.node), node])].sort(),
      shards,
      replicas,
    });
    this.#undo.push(() => this.#directory.release());
    this.#began = this.#createMap();
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
      metadata: this.#shards.metadata,
      movers: this.#shards.movers,
      slotsOf: (shard) =>
        slotsCounted(this.#shards.map.placements.find((one) => one.shard === shard)?.slots ?? []),
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
    this.#savedMetadata = new SavedText(disk, metadataFile);
    const known = metadataFromText(await run(this.#savedMetadata.load()));
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
      founders: this.#voters,
      nodes: () => this.#shards.company,
      owners: {
        ownerOf: (slot) => this.#shards.map.ownerOf(slot),
        sinceOf: (slot) => this.#shards.sinceOf(slot),
        epoch: () => this.#shards.epoch,
      },
      spanOf,
      encodeMembership,
      decodeMembership: checkedMembership,
      clientAddress: (node) => this.#clientAddressOf(node),
      place: () => this.#place,
      placeHeard: (node, place) => this.#peerAddresses.heard(node, place),
      flushPeers: () => this.#peers.flush(),
      noLongerFresh: () => this.#directory.noLongerFresh(),
      fatal: (error) => this.#fatal(error),
    });
    this.#host = host;
    this.#shards = this.#createShards(host, known, logMissing || incomplete);
    await run(this.#shards.open());
    if (this.#voters.length === 1) this.#directory.noLongerFresh();
    this.#topology = new Topology({
      cluster: config.cluster,
      self: config.id,
      host,
      peers: this.#peers,
      log,
      map: () => this.#shards.map,
      nodes: () => this.#shards.metadata.nodes,
      clientAddress: (node) => this.#clientAddressOf(node),
      peerPort: (node) => this.#peerPort(node),
    });
    this.#listener = this.#createListener(host);
    this.#drain = new Drain(host, this.#peers, logger);
    services.parts = {
      host,
      topology: this.#topology,
      metadata: this.#shards.metadata,
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

  /**
   * @param known the metadata as this node last knew it
   * @param incomplete something may be gone that this node had promised
   */
  #createShards(host: ShardHost, known: Metadata | null, incomplete: boolean): NodeShards {
    const { config, logger } = this;
    const { id: self, cluster, dir, priority } = config;
    return new NodeShards({
      ...{ self, cluster, dir, priority, logger, host, known, incomplete },
      clock: nodeClock,
      peers: this.#peers,
      log: this.#opened.log,
      options: this.#settings.replica,
      began: { nodes: this.#voters, map: this.#began },
      replicas: this.#directory.replicas,
      recovered: this.#opened.shards,
      mayHaveMetadata: this.#directory.identity.metadata,
      identity: () => ({
        instance: this.#directory.identity.instance,
        client: this.clientAddress,
        ...this.#place,
      }),
      replaceAfterMs: () => this.#settings.config['replace-after'],
      moveBytesPerSecond: () => this.#settings.config['slot-move-rate'],
      peerAddress: (node) => this.#peerAddress(node),
      clientAddress: (node) => this.#clientAddressOf(node),
      metadataPromised: () => this.#directory.metadataPromised(),
      placeOf: (node) => this.#peerAddresses.placeOf(node),
      leastCopies: () => leastCopies(this.#settings.config),
      rebalanceAfterMs: () => this.#settings.config['rebalance-after'],
      adopted: (metadata) => this.#adopted(metadata),
      companyMayHaveChanged: () => this.#findPeers(),
      fatal: (error) => this.#fatal(error),
    });
  }

  #adopted(metadata: Metadata): void {
    this.#savedMetadata.save(JSON.stringify(metadataObject(metadata)));
    this.#host?.touched();
    if (metadata.nodes.get(this.config.id)?.state === 'removed')
      this.logger.warn({}, 'this node was removed from the cluster: its process may be stopped');
  }

  #findPeers(): void {
    this.#peers.setPeers(
      this.#shards.company.flatMap((node) => {
        const address = parseAddress(this.#peerAddress(node));
        return address === null ? [] : [{ node, ...address }];
      }),
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
        hearsNodes: true,
      },
      fresh: () => this.#directory.identity.fresh,
      secret: config.secret === '' ? null : config.secret,
      listen: config['peer-listen'],
      logger: this.logger,
      turnEnd: nodeTurnEnd,
      refusalOf: ({ node, instance }) =>
        this.#shards.metadata.isStranger(node, instance)
          ? `the cluster knows node '${node}' with another data directory: it has to join anew, under another id`
          : null,
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
    this.#findPeers();
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
      this.#shards.tick(host.now());
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
    const known = this.#addresses.get(node) ?? this.#shards.metadata.record(node)?.client ?? '';
    return known === '' ? null : known;
  }

  #givenPeerAddress(node: string): string {
    const given = this.config.peers.find((peer) => peer.node === node);
    return given === undefined ? '' : formatAddress(given);
  }

  #peerAddress(node: string): string {
    return node === this.config.id ? this.#place.peer : this.#peerAddresses.addressOf(node);
  }

  /** What this node says of itself. */
  get #place(): NodePlace {
    const { config } = this;
    const given = this.#givenPeerAddress(config.id);
    return { peer: ownPeerAddress(config['peer-announce'], given, config['peer-listen']), zone: config.zone };
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
