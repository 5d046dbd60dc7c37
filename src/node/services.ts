import type { NodeMetadata } from '../cluster/node-metadata.ts';
import type { EncodingLimits } from '../commands/encoding.ts';
import { globMatches } from '../commands/glob.ts';
import type {
  ClientDescription,
  MetadataRequest,
  NodeServices,
  ReplicationView,
  TopologyNode,
  TopologyShard,
} from '../commands/types.ts';
import type { ClientListener } from '../server/client-listener.ts';
import type { Session } from '../shard/session.ts';
import type { ShardHost } from '../shard/shard-host.ts';
import { version } from '../version.ts';
import type { Drain } from './drain.ts';
import type { InfoSection } from './info-fields.ts';
import { infoSections } from './info-fields.ts';
import type { LoadMeter } from './load-meter.ts';
import { redisVersion } from './redis-version.ts';
import type { Settings } from './settings.ts';
import type { Topology } from './topology.ts';

/** The parts of a running node that commands may ask about. */
export interface NodeParts {
  readonly host: ShardHost;
  readonly topology: Topology;
  readonly metadata: NodeMetadata;
  readonly listener: ClientListener;
  readonly meter: LoadMeter;
  readonly startedMs: number;
  readonly drain: Drain;
  /** Asks the leader for leadership: an error line, or null when asked. */
  readonly takeOver: () => string | null;
  /** Hands a shard over: an error line, or null when begun. */
  readonly handOver: (shard: number, to: string | null) => string | null;
  readonly shutDown: () => void;
}

/** What counts from the last CONFIG RESETSTAT. */
interface Base {
  commands: number;
  errors: number;
  accepted: number;
  rejected: number;
  bytesIn: number;
  bytesOut: number;
  evicted: number;
}

/** What commands may ask of the node, answered from its parts. */
export class Services implements NodeServices {
  readonly redisVersion = redisVersion;
  readonly bellwetherVersion = version;
  readonly settings: Settings;
  #parts: NodeParts | null = null;
  #base: Base = { commands: 0, errors: 0, accepted: 0, rejected: 0, bytesIn: 0, bytesOut: 0, evicted: 0 };

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Set once they exist, before the first client is let in. */
  set parts(parts: NodeParts) {
    this.#parts = parts;
  }

  get #node(): NodeParts {
    if (this.#parts === null) throw new Error('no client is served before the node has started');
    return this.#parts;
  }

  /** With microseconds, which TIME shows. */
  wallMs(): number {
    return performance.timeOrigin + performance.now();
  }

  topology(): readonly TopologyShard[] {
    return this.#node.topology.shards();
  }

  nodes(): readonly TopologyNode[] {
    return this.#node.topology.nodes();
  }

  get metadataEpoch(): number {
    return this.#node.metadata.epoch;
  }

  metadataText(): string {
    return JSON.stringify(this.#node.metadata.described);
  }

  changeMetadata(request: MetadataRequest): number | string {
    return this.#node.metadata.request(request);
  }

  rebalance(): readonly object[] | string {
    return this.#node.metadata.rebalance();
  }

  replication(): readonly ReplicationView[] {
    return this.#node.topology.replication(this.#node.host.now());
  }

  clients(): readonly ClientDescription[] {
    const { host, listener } = this.#node;
    const now = host.now();
    return [...listener.connections.values()].flatMap((connection) => {
      const session = host.sessions.get(connection.session.id);
      if (session === undefined) return [];
      return [
        {
          id: session.id,
          address: connection.address,
          localAddress: connection.localAddress,
          name: session.name,
          ageSeconds: Math.floor((now - session.bornMs) / 1000),
          idleSeconds: Math.floor((now - session.lastMs) / 1000),
          flags: flagsOf(session),
          multiQueued: session.inTransaction ? session.transaction.commands.length : -1,
          watching: session.transaction.watching,
          outputBytes: connection.outputBytes,
          inputBytes: connection.inputBytes,
          lastCommand: session.lastCommand,
          user: 'default',
          protocol: session.protocol,
          libName: session.libName,
          libVersion: session.libVersion,
          totalCommands: session.commands,
        },
      ];
    });
  }

  killClient(id: number): boolean {
    const session = this.#node.host.sessions.get(id);
    session?.closeAfterReply();
    return session !== undefined;
  }

  unblockClient(id: number, withError: boolean): boolean {
    return this.#node.host.sessions.get(id)?.unblock(withError) ?? false;
  }

  pauseClients(ms: number, writesOnly: boolean): void {
    this.#node.host.pauseClients(ms, writesOnly);
  }

  configGet(pattern: string): readonly (readonly [name: string, value: string])[] {
    return [...this.settings.parameters()].filter(([name]) => globMatches(pattern, name));
  }

  configSet(name: string, value: string): string | null {
    return this.settings.set(name, value);
  }

  resetStatistics(): void {
    const { host, listener } = this.#node;
    const { commands, errors } = host.stats;
    this.#base = { commands, errors, ...listener.counters, evicted: evictedOn(host) };
  }

  info(): readonly InfoSection[] {
    const { host, listener, meter, startedMs } = this.#node;
    const base = this.#base;
    return infoSections({
      config: this.settings.config,
      host,
      startedMs,
      commandsPerSecond: meter.commandsPerSecond,
      clients: listener.connections.size,
      counted: {
        commands: host.stats.commands - base.commands,
        errors: host.stats.errors - base.errors,
        accepted: listener.counters.accepted - base.accepted,
        rejected: listener.counters.rejected - base.rejected,
        bytesIn: listener.counters.bytesIn - base.bytesIn,
        bytesOut: listener.counters.bytesOut - base.bytesOut,
        evicted: evictedOn(host) - base.evicted,
      },
    });
  }

  takeOver(): string | null {
    return this.#node.takeOver();
  }

  get encodingLimits(): EncodingLimits {
    return this.settings.encodings.limits;
  }

  handOver(shard: number, to: string | null): string | null {
    return this.#node.handOver(shard, to);
  }

  get draining(): boolean {
    return this.#node.drain.on;
  }

  drain(on: boolean): void {
    this.#node.drain.set(on);
  }

  shutDown(): void {
    this.#node.shutDown();
  }

  get debugEnabled(): boolean {
    return this.settings.config['debug-commands'];
  }

  stateDigest(): string {
    const sum = Buffer.alloc(20);
    for (const { keyspace } of this.#node.host.replicas.values()) {
      const digest = Buffer.from(keyspace.digest(), 'hex');
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (digest[i] as number);
    }
    return sum.toString('hex');
  }
}

function evictedOn(host: ShardHost): number {
  let evicted = 0;
  for (const { evictor } of host.replicas.values()) evicted += evictor.evicted;
  return evicted;
}

/** As CLIENT LIST shows them. */
function flagsOf(session: Session): string {
  let flags = '';
  if (session.inTransaction) flags += 'x';
  if (session.readOnly) flags += 'r';
  if (session.blocked) flags += 'b';
  return flags === '' ? 'N' : flags;
}
