import type { CoreOptions } from '../core/options.ts';
import { BellwetherError } from '../errors.ts';
import type { NodeLogOptions } from '../log/types.ts';
import type { ClientListenerOptions } from '../server/client-listener.ts';
import type { EvictionPolicy } from '../shard/evictor.ts';
import type { ReplicaOptions } from '../shard/replica-context.ts';
import type { SessionOptions } from '../shard/session-host.ts';
import type { NodeConfig } from './config.ts';
import { checkConfig } from './config.ts';
import { EncodingParameters } from './encoding-parameters.ts';
import type { OptionValue } from './option-values.ts';
import { formatAddress, formatOption, parseOption } from './option-values.ts';
import type { OptionName, OptionSpec } from './options.ts';
import { optionNames, optionTable } from './options.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type ListenerSettings = Omit<ClientListenerOptions, 'logger' | 'openSession'>;

const inflightBytes = 16 << 20;
const appendBytes = 1 << 20;
const snapshotPieceBytes = 1 << 20;
const inlineBytes = 64 << 10;

/** Parameters that programs ask Redis for and that have one answer here. */
const fixedParameters: Record<string, string> = {
  save: '',
  appendonly: 'yes',
  appendfsync: 'always',
  databases: '1',
  'cluster-enabled': 'yes',
};

/** The configuration in force, in the forms in which the rooms read it, and what CONFIG GET and CONFIG SET make of it. */
export class Settings {
  readonly core: Mutable<CoreOptions>;
  readonly replica: Mutable<ReplicaOptions>;
  readonly session: Mutable<SessionOptions>;
  readonly log: NodeLogOptions;
  readonly listener: Mutable<ListenerSettings>;
  readonly encodings = new EncodingParameters();
  #config: NodeConfig;
  readonly #changed: (name: OptionName) => void;

  /** @param changed called after an option was changed at run time */
  constructor(config: NodeConfig, changed: (name: OptionName) => void) {
    this.#config = config;
    this.#changed = changed;
    this.core = coreOptions(config);
    this.replica = { core: this.core, ...replicaOptions(config) };
    this.session = sessionOptions(config);
    this.log = logOptions(config);
    this.listener = listenerSettings(config);
  }

  get config(): NodeConfig {
    return this.#config;
  }

  /** Parameters by the names of CONFIG GET. */
  parameters(): Map<string, string> {
    const { listen } = this.#config;
    const parameters = new Map(Object.entries(fixedParameters));
    for (const name of optionNames) {
      const { hidden, redisName }: OptionSpec = optionTable[name];
      if (hidden !== true) parameters.set(redisName ?? name, parameterText(name, this.#config[name]));
    }
    for (const [name, value] of this.encodings.parameters()) parameters.set(name, value);
    parameters.set('port', String(listen.port));
    parameters.set('bind', listen.host);
    return parameters;
  }

  /** CONFIG SET of one parameter: an error line, or null when it holds from now on. */
  set(parameter: string, text: string): string | null {
    const name = optionNames.find((option) => parameterName(option) === parameter);
    const current = this.parameters().get(parameter);
    if (current === undefined)
      return `ERR Unknown option or number of arguments for CONFIG SET - '${parameter}'`;
    if (current === text) return null;
    const failed = `ERR CONFIG SET failed (possibly related to argument '${parameter}') - `;
    if (this.encodings.has(parameter)) {
      const problem = this.encodings.set(parameter, text);
      return problem === null ? null : failed + problem;
    }
    const spec: OptionSpec | null = name === undefined ? null : optionTable[name];
    if (name === undefined || spec?.runtime !== true) return `${failed}can't set immutable config`;
    const result = parseOption(name, text);
    if ('problem' in result) return failed + result.problem;
    try {
      this.#config = checkConfig({ ...this.#config, [name]: result.value }, []);
    } catch (error) {
      if (!(error instanceof BellwetherError)) throw error;
      return failed + error.message;
    }
    Object.assign(this.replica, replicaOptions(this.#config));
    Object.assign(this.session, sessionOptions(this.#config));
    Object.assign(this.listener, listenerSettings(this.#config));
    this.#changed(name);
    return null;
  }
}

function parameterName(name: OptionName): string | null {
  const { hidden, redisName }: OptionSpec = optionTable[name];
  return hidden === true ? null : (redisName ?? name);
}

/** As CONFIG GET shows it: sizes in bytes, times as plain numbers, switches as yes and no. */
function parameterText(name: OptionName, value: OptionValue): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return String(value);
  if (value !== null && typeof value === 'object' && 'host' in value) return formatAddress(value);
  return formatOption(name, value);
}

function coreOptions(config: NodeConfig): CoreOptions {
  return {
    heartbeatMs: config.heartbeat,
    leaseMs: config.lease,
    voteRefusalMs: config['vote-refusal'],
    electionMinMs: config['election-timeout'].min,
    electionMaxMs: config['election-timeout'].max,
    inflightBytes,
    appendBytes,
    inSyncLagMs: config['in-sync-lag'],
    priority: config.priority,
    leases: config.leases,
  };
}

function replicaOptions(config: NodeConfig): Omit<ReplicaOptions, 'core'> {
  return {
    minInSync: config['min-in-sync'],
    checkpointBytes: config['checkpoint-bytes'],
    checkpointMs: config['checkpoint-time'],
    diskStallMs: config['disk-stall'],
    replicaMaxLagMs: config['replica-max-lag'],
    snapshotPieceBytes,
    maxMemory: config.maxmemory,
    evictionPolicy: config['maxmemory-policy'] as EvictionPolicy,
    evictionSamples: config['maxmemory-samples'],
  };
}

function sessionOptions(config: NodeConfig): SessionOptions {
  return {
    ack: config.ackPolicy,
    readGate: { who: 'majority', stage: 'flushed', timeoutMs: config['ack-timeout'] },
    readLevel: config.readLevels.usual,
    readOnlyLevel: config.readLevels.readOnly,
    readWaitMs: config['read-wait'],
    parkMs: config['park-timeout'],
    parkBytes: config['park-bytes'],
    requestBytes: config['max-request-bytes'],
  };
}

function logOptions(config: NodeConfig): NodeLogOptions {
  return {
    segmentBytes: config['segment-bytes'],
    cacheBytes: config['log-cache-bytes'],
    retentionBytes: config['retention-bytes'],
    retentionMs: config['retention-time'],
    reserveBytes: config['disk-reserve'],
  };
}

function listenerSettings(config: NodeConfig): ListenerSettings {
  return {
    host: config.listen.host,
    port: config.listen.port,
    maxClients: config['max-clients'],
    idleSeconds: config.timeout,
    keepAliveSeconds: config['tcp-keepalive'],
    limits: {
      request: {
        bulkBytes: config['max-request-bytes'],
        requestBytes: config['max-request-bytes'],
        argumentCount: config['max-arguments'],
        inlineBytes,
      },
      outputBytes: config['client-output-bytes'],
    },
  };
}
