import { encodeMembership } from '../core/membership-codec.ts';
import { defaultCoreOptions } from '../core/options.ts';
import type { Message, NodeId } from '../core/types.ts';
import type { Batch } from '../log/batch.ts';
import type { HardState, LogPosition, NodeLog, ShardLogListener } from '../log/types.ts';
import { slotCount } from '../state/slot.ts';
import { checkedMembership, spanOf } from './memberships.ts';
import type { ReplicaOptions } from './replica-context.ts';
import type { HostContext } from './shard-host.ts';
import { ShardHost } from './shard-host.ts';

const voters: readonly NodeId[] = ['a', 'b', 'c'];
const policy = { who: 'majority', stage: 'flushed', timeoutMs: 0 } as const;

/** A log in memory whose writes are durable when the test says so: at the next step of the world. */
class MemoryLog implements NodeLog {
  readonly maxBatchBytes = 1 << 20;
  readonly stats = {
    ...{ flushes: 0, bytesWritten: 0, batchBytes: 0, segments: 0, logBytes: 0, cacheBytes: 0 },
    ...{ flushMsTotal: 0, flushMsMax: 0, latched: false, spaceShort: false },
  };
  readonly queuedBytes = 0;
  readonly writing = false;
  readonly #listeners = new Map<number, ShardLogListener>();
  readonly #batches = new Map<number, Batch[]>();
  readonly #queued = new Map<number, { position: LogPosition | null; hardState: HardState | null }>();

  attach(shard: number, listener: ShardLogListener): void {
    this.#listeners.set(shard, listener);
    this.#batches.set(shard, []);
  }

  append(batch: Batch): void {
    if (batch.bytes.length > this.maxBatchBytes) throw new Error(`a batch of ${batch.bytes.length} bytes`);
    this.cut(batch.shard, { term: 0, lsn: batch.firstLsn - 1 });
    this.#of(batch.shard).push(batch);
    this.#queue(batch.shard).position = { term: batch.term, lsn: batch.lastLsn };
  }

  putHardState(shard: number, hardState: HardState): void {
    this.#queue(shard).hardState = hardState;
  }

  cut(shard: number, end: LogPosition): void {
    const kept = this.#of(shard).filter(({ firstLsn }) => firstLsn <= end.lsn);
    this.#batches.set(
      shard,
      kept.map((batch) => batch.through(end.lsn)),
    );
  }

  cached(shard: number, lsn: number): Batch[] {
    return this.#of(shard)
      .filter(({ lastLsn }) => lastLsn >= lsn)
      .map((batch) => batch.from(lsn));
  }

  salvage(_shard: number, _lsn: number, done: (error: Error | null, batches: Batch[]) => void): void {
    done(null, []);
  }

  /** Completes the write of what is queued; false when nothing is. */
  complete(): boolean {
    const queued = [...this.#queued];
    this.#queued.clear();
    for (const [shard, { position, hardState }] of queued)
      this.#listeners.get(shard)?.durable(position, hardState);
    return queued.length > 0;
  }

  flush(): void {}
  tick(): void {}
  stalledMs = (): number => 0;
  firstLsn = (): number => 1;
  bytesFrom = (): number => 0;
  pinnedBytes = (): number => 0;
  room = (): null => null;
  retainFrom(): void {}
  inDoubt(): void {}
  madeGood(): void {}
  checkpointed(): void {}

  /** Only ever to the beginning: there are no snapshots here. */
  reset(shard: number): void {
    this.#batches.set(shard, []);
  }

  read(): void {
    throw new Error('everything is in the cache');
  }

  close(done: (error: Error | null) => void): void {
    done(null);
  }

  #of(shard: number): Batch[] {
    return this.#batches.get(shard) as Batch[];
  }

  #queue(shard: number): { position: LogPosition | null; hardState: HardState | null } {
    const queued = this.#queued.get(shard) ?? { position: null, hardState: null };
    this.#queued.set(shard, queued);
    return queued;
  }
}

interface TestNode {
  readonly host: ShardHost;
  readonly log: MemoryLog;
  readonly turns: (() => void)[];
}

export interface TestClient {
  readonly send: (...args: string[]) => void;
  /** What came since this was asked last. */
  readonly received: () => string;
  readonly closed: () => string | null;
}

/** A cluster of three voters in one process, and perhaps nodes that are no members yet, with messages and disks that the test moves. */
export class TestCluster {
  now = 1000;
  /** Messages wait while this says so. */
  holds: (from: NodeId, message: Message, shard: number) => boolean = () => false;
  /** What a node knows of who owns slots, where that is not as at the beginning. */
  ownersOn: (node: NodeId) => HostContext['owners'] | null = () => null;
  /** Nodes that the others do not count among the cluster. */
  readonly gone = new Set<NodeId>();
  /** Nodes that nothing reaches and that reach nobody. */
  readonly cutOff = new Set<NodeId>();
  readonly evicting = {
    maxMemory: 0,
    evictionPolicy: 'allkeys-lru' as const,
    evictionSamples: 5,
  };
  readonly options: ReplicaOptions;
  readonly #nodes = new Map<NodeId, TestNode>();
  #messages: { from: NodeId; to: NodeId; shard: number; message: Message }[] = [];
  #seed = 1;

  readonly #ids: readonly NodeId[];

  constructor(shards = 1, spares: readonly NodeId[] = []) {
    const { evicting } = this;
    this.options = {
      core: { ...defaultCoreOptions, priority: 100 },
      minInSync: 1,
      get maxMemory() {
        return evicting.maxMemory;
      },
      evictionPolicy: evicting.evictionPolicy,
      evictionSamples: evicting.evictionSamples,
      checkpointBytes: 1 << 30,
      checkpointMs: 1e9,
      replicaMaxLagMs: 10_000,
      diskStallMs: 1000,
      snapshotPieceBytes: 1 << 20,
    };
    this.#ids = [...voters, ...spares];
    for (const id of this.#ids) this.#nodes.set(id, this.#node(id, shards));
    for (const { host } of this.#nodes.values())
      for (let shard = 0; shard < shards; shard++)
        host.held.open(
          { shard, recovered: null, initial: { voters, learners: [] }, incomplete: false },
          () => {},
        );
    // At first all shards are led by one node, so that tests know where, and then b may.
    for (const id of ['b', 'c'])
      for (const replica of this.host(id).replicas.values()) replica.core.priority = 0;
    this.until(() => [...this.host('a').replicas.values()].every(({ serving }) => serving));
    for (const replica of this.host('b').replicas.values()) replica.core.priority = 100;
    this.run(200);
  }

  /** The log and the network of a node, as what belongs to several shards needs them. */
  logOf(id: NodeId): NodeLog {
    return (this.#nodes.get(id) as TestNode).log;
  }

  sendFrom(from: NodeId, to: NodeId, shard: number, message: Message): boolean {
    this.#messages.push({ from, to, shard, message });
    return true;
  }

  host(id: NodeId): ShardHost {
    return (this.#nodes.get(id) as TestNode).host;
  }

  client(id: NodeId): TestClient {
    const { host } = this.#nodes.get(id) as TestNode;
    let text = '';
    let end: string | null = null;
    const session = host.openSession({
      write: (bytes) => {
        text += bytes.toString('latin1');
      },
      resume: () => session.resumed(),
      close: (reason) => {
        end = reason;
      },
    });
    return {
      send: (...args) => {
        session.arrived();
        session.execute(args);
      },
      received: () => {
        const since = text;
        text = '';
        return since;
      },
      closed: () => end,
    };
  }

  /** Time passes, in ticks. */
  run(ms: number): void {
    for (const endMs = this.now + ms; this.now < endMs; ) {
      this.now += 10;
      for (const { host } of this.#nodes.values()) host.tick();
      this.settle();
    }
  }

  /** One turn of a node ends. */
  endTurn(id: NodeId): void {
    const { turns } = this.#nodes.get(id) as TestNode;
    for (const turn of turns.splice(0)) turn();
  }

  /** Turns end, writes complete and messages arrive until nothing moves any more. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const { turns, log } of this.#nodes.values()) {
        for (const turn of turns.splice(0)) turn();
        moved = log.complete() || turns.length > 0 || moved;
      }
      this.#messages = this.#messages.filter(
        ({ from, to }) => !this.cutOff.has(from) && !this.cutOff.has(to),
      );
      const arriving = this.#messages.filter(({ from, message, shard }) => !this.holds(from, message, shard));
      this.#messages = this.#messages.filter((one) => !arriving.includes(one));
      for (const { from, to, shard, message } of arriving) this.host(to).received(from, shard, message);
      moved = moved || arriving.length > 0;
    }
  }

  /** Leadership of a shard goes to a node as planned. */
  handOver(shard: number, from: NodeId, to: NodeId): void {
    this.host(from).replicas.get(shard)?.handOver(to, this.now);
    this.until(() => this.host(to).replicas.get(shard)?.serving === true);
  }

  /** Time passes until the cluster has come so far. */
  until(holds: () => boolean): void {
    for (let left = 1000; !holds(); left--) {
      if (left === 0) throw new Error('the cluster did not come that far');
      this.run(10);
    }
  }

  #node(id: NodeId, shards: number): TestNode {
    const log = new MemoryLog();
    const turns: (() => void)[] = [];
    const float = (): number => {
      this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
      return this.#seed / 2 ** 32;
    };
    const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    const context: Omit<HostContext, 'log' | 'checkpoints' | 'disk' | 'services'> = {
      self: id,
      founders: this.#ids,
      nodes: () => this.#ids.filter((node) => !this.gone.has(node)),
      options: this.options,
      session: {
        ack: policy,
        readGate: policy,
        readLevel: { kind: 'linearizable', bound: 0 },
        readOnlyLevel: { kind: 'eventual', bound: 0 },
        readWaitMs: 100,
        parkMs: 2000,
        parkBytes: 1 << 20,
        requestBytes: 1 << 18,
      },
      password: () => '',
      owners: {
        ownerOf: (slot) => this.ownersOn(id)?.ownerOf(slot) ?? Math.floor((slot * shards) / slotCount),
        sinceOf: (slot) => this.ownersOn(id)?.sinceOf?.(slot) ?? 0,
      },
      peers: {
        send: (to, shard, message) => {
          return this.sendFrom(id, to, shard, message);
        },
        queuedBytes: () => 0,
        connected: () => true,
        identityOf: (node) => ({ node, cluster: 'c', instance: node, client: node, fresh: true }),
      },
      clock: { monotonicMs: () => this.now, wallMs: () => this.now },
      random: { float, below: (bound) => Math.floor(float() * bound) },
      turn: { schedule: (turn) => void turns.push(turn) },
      logger: quiet,
      spanOf,
      encodeMembership,
      decodeMembership: checkedMembership,
      clientAddress: (node) => `${node}:1`,
      flushPeers: () => {},
      noLongerFresh: () => {},
      fatal: (error) => {
        throw error;
      },
    };
    const host = new ShardHost({
      ...context,
      log,
      checkpoints: {
        *list() {
          return [];
        },
      },
      disk: {},
      services: { replication: () => [{ role: 'leader' }] },
    } as unknown as HostContext);
    return { host, log, turns };
  }
}
