import type { Bytes } from '../bytes/types.ts';
import type { Random } from '../env/random.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { Collection } from '../state/collections.ts';
import type { EffectSink } from '../state/effects.ts';
import type { Entry } from '../state/entry.ts';
import type { KeyspaceView } from '../state/types.ts';
import type { EncodingLimits } from './encoding.ts';
import type { Steps } from './steps.ts';

/** Flags as Redis names them in COMMAND INFO, as far as they mean something here. */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'noscript'
  | 'no_multi'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'fast'
  | 'no_auth'
  | 'movablekeys'
  | 'skip_monitor'
  | 'skip_slowlog';

/** Positions of keys among the arguments, counted from the command name at 0. `last` below 0 counts from the end. */
export interface KeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

export interface CommandDoc {
  readonly summary: string;
  readonly since: string;
  /** Redis's group: string, generic, connection, server, transactions, cluster, … */
  readonly group: string;
  readonly complexity: string;
  /** Synopsis of the arguments, in Redis's notation: `key value [NX | XX] [GET]`. */
  readonly arguments: string;
}

/**
 * Where a command runs:
 * - `keys`: on the shard of its keys; a write on the leader only.
 * - `shard`: on every shard's whole keyspace, without keys (SCAN, DBSIZE, FLUSHALL): the node's own shard.
 * - `session`: needs no shard's state (PING, CLIENT, INFO); answered at once by any node.
 */
export type CommandScope = 'keys' | 'shard' | 'session';

export interface CommandSpec {
  /** Lower case. */
  readonly name: string;
  /** As Redis: number of arguments with the name; negative for "at least". */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly scope: CommandScope;
  /** Null when there are no keys. */
  readonly keys: KeyRange | null;
  /** For `movablekeys`: appends the indices of the keys; false when the arguments make no sense: then the handler says why. */
  readonly findKeys?: (args: readonly Bytes[], indices: number[]) => boolean;
  /** Filled for container commands: each has the full name `client|setname`; args[1] selects it. */
  readonly subcommands?: readonly CommandSpec[];
  readonly doc: CommandDoc;
  /** Writes exactly one reply. Absent for containers. */
  readonly run?: (context: CommandContext, args: readonly Bytes[]) => void;
}

/**
 * What a handler works with. Handlers never mutate state: they read through `get`/`keyspace` and emit effects, which
 * are applied at once, so that a read after an effect in the same command sees it. One object serves all commands
 * of a replica; it is valid only during the call.
 */
export interface CommandContext {
  readonly reply: ReplyWriter;
  /** Shard time in milliseconds since the epoch: what expiry is judged by. */
  readonly now: number;
  readonly random: Random;
  readonly session: SessionControl;
  readonly node: NodeServices;
  /**
   * The live entry of a key, or undefined. Counts the key for the reply's gate. An expired key is first deleted
   * (leader, by emitting its delete) or hidden (follower).
   */
  get(key: Bytes): Entry | undefined;
  /** The same, without counting as a use of the key: for commands that ask about a key rather than for its value. */
  look(key: Bytes): Entry | undefined;
  /**
   * The same as `get` for a key that the request does not name: an expired one is hidden but not deleted, as the
   * deletes of any number of them might not fit into the command's entry.
   */
  glance(key: Bytes): Entry | undefined;
  /** Nothing changed, but Redis says to those who watch the key that it did. */
  markChanged(key: Bytes): void;
  /** Time since the last use of a key, in ms, as far as this node knows. */
  idleMs(entry: Entry): number;
  /** Lets a key count as not used for so long, on this node. */
  setIdle(key: Bytes, ms: number): void;
  /** Effects of this command. Only commands flagged `write` may emit. */
  readonly effects: EffectSink;
  /**
   * True when effects of so many bytes fit into this command's entry, next to what it holds. A command whose effects
   * may take more bytes than its request asks before its first effect, and answers `tooLargeResult` when it is refused.
   */
  admits(bytes: number): boolean;
  /**
   * The whole keyspace, for commands without keys; the reply's gate becomes the shard's last LSN. Entries found
   * through it may be expired: ask `isLive`.
   */
  readonly keyspace: KeyspaceView;
  isLive(entry: Entry): boolean;
}

/** What a command may do to the connection that sent it. Implemented by shard/session.ts. */
export interface SessionControl {
  readonly id: number;
  name: Bytes;
  libName: Bytes;
  libVersion: Bytes;
  readonly authenticated: boolean;
  /** False when clients need no password: then any is right for the default user. */
  readonly passwordRequired: boolean;
  /** READONLY and READWRITE: reads of this connection begin at the level that is configured for it. */
  setReadOnly(on: boolean): void;
  /** CLIENT NO-EVICT, NO-TOUCH. */
  noEvict: boolean;
  noTouch: boolean;
  readonly protocol: 2 | 3;
  setProtocol(protocol: 2 | 3): void;
  /** True when the password fits. */
  authenticate(user: Bytes, password: Bytes): boolean;
  /** RESET: leaves transactions, watches, names, policies, modes. */
  reset(): void;
  /** Closes the connection after this reply has left. */
  closeAfterReply(): void;
  /** CLIENT REPLY ON, OFF, SKIP. */
  setReplyMode(mode: 'on' | 'off' | 'skip'): void;
  /** ASKING: one shot. */
  asking(): void;

  // Transactions.
  readonly inTransaction: boolean;
  beginTransaction(): void;
  discardTransaction(): void;
  /** EXEC: runs what was queued as one entry and writes the reply. */
  executeTransaction(): void;
  watch(keys: readonly Bytes[]): void;
  unwatch(): void;

  /**
   * The command waits until one of the keys holds such a value, and then runs again; `timeoutMs` 0 waits for ever. It
   * must answer nothing then. False inside a transaction, where nothing waits.
   */
  waitForKeys(keys: readonly Bytes[], type: Collection['type'], timeoutMs: number): boolean;

  /** False inside a transaction, where everything is answered at once. */
  readonly mayAnswerLater: boolean;
  /** The command answers what comes of this work, which is done in steps over the following turns; it answers nothing now. */
  answerLater(work: Steps<(reply: ReplyWriter) => void>): void;
  /** The same for a command that writes: it runs anew when the work is done, by what came of that. */
  runLater(work: Steps<(context: CommandContext) => void>): void;

  // Acknowledgement and read policy of the connection.
  /** WAIT: blocks the connection until `replicas` followers hold its last write, then writes the count; `timeoutMs` 0 waits for ever. */
  waitReplicas(replicas: number, timeoutMs: number): void;
  /** WAITAOF: the same, counting flushed copies; writes [local, replicas]. */
  waitFlushed(local: number, replicas: number, timeoutMs: number): void;
  /** REPL ACK …: words after ACK; an error line when they make no policy. */
  setAckPolicy(words: readonly Bytes[]): string | null;
  /** The current policy in the words that REPL ACK takes. */
  ackPolicyText(): string;
  readonly reads: ReadControl;
  /** Stops executing this connection's commands for a while, or until resumed (DEBUG SLEEP does this to one connection only). */
  pause(ms: number): void;
}

/** What a command may say and ask about the reads of its connection. */
export interface ReadControl {
  /** REPL READ: words after READ; an error line when they make no level. */
  setLevel(words: readonly Bytes[]): string | null;
  /** The level in the words that REPL READ takes. */
  readonly levelText: string;
  /** REPL AFTER: words after AFTER; an error line, or null when the following reads include what the token stands for. */
  setAfter(words: readonly Bytes[]): string | null;
  /** REPL TOKEN: the place in history of the last write or read; null before the first. */
  readonly token: string | null;
}

/** One line of CLIENT LIST, and what CLIENT KILL selects by. */
export interface ClientDescription {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly name: Bytes;
  readonly ageSeconds: number;
  readonly idleSeconds: number;
  readonly flags: string;
  readonly multiQueued: number;
  readonly watching: number;
  readonly outputBytes: number;
  readonly inputBytes: number;
  readonly lastCommand: string;
  readonly user: string;
  readonly protocol: 2 | 3;
  readonly libName: Bytes;
  readonly libVersion: Bytes;
  readonly totalCommands: number;
}

/** One node as topology answers name it. */
export interface TopologyNode {
  /** 40 lower-case hexadecimal characters, stable. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly self: boolean;
  readonly healthy: boolean;
  /** It follows too far behind for clients to be told to read from it. */
  readonly lagging: boolean;
  /** Last applied LSN of the shard that it is listed under, as far as known here. */
  readonly offset: number;
}

export interface TopologyShard {
  /** 40 lower-case hexadecimal characters, stable. */
  readonly id: string;
  readonly shard: number;
  /** Owned slots as inclusive ranges, ascending. */
  readonly slots: readonly { readonly from: number; readonly to: number }[];
  /** Null while no leader is known. */
  readonly leader: TopologyNode | null;
  readonly followers: readonly TopologyNode[];
  readonly term: number;
}

/**
 * How far a copy of the log is behind its leader's end. `ms` is how long ago it lacked nothing, as far as is known: it
 * is 0 while nothing is lacking and both sides hear each other, and grows while they do not, whatever is lacking.
 */
export interface LagView {
  readonly entries: number;
  readonly bytes: number;
  readonly ms: number;
}

/** For what has arrived, is durable, is in the state that readers see. */
export interface LagByStage {
  readonly received: LagView;
  readonly flushed: LagView;
  readonly applied: LagView;
}

/** What a follower or leader says of replication, for INFO, ROLE and REPL. */
export interface ReplicationView {
  readonly shard: number;
  readonly role: 'leader' | 'follower' | 'candidate' | 'learner';
  readonly term: number;
  readonly lastLsn: number;
  readonly flushed: number;
  readonly commit: number;
  readonly applied: number;
  readonly leader: TopologyNode | null;
  /** Milliseconds since the leader was last heard; 0 on the leader. */
  readonly leaderSilenceMs: number;
  /** How far this replica is behind the newest end of the leader's log that it heard of; 0 on the leader. */
  readonly lag: LagByStage;
  /** Age of the oldest state that this replica's may be, as far as it can prove; 0 on the leader, −1 when unknown. */
  readonly provenAgeMs: number;
  readonly firstLsn: number;
  readonly logBytes: number;
  readonly followers: readonly FollowerView[];
  /** True while this replica loads or receives its state. */
  readonly loading: boolean;
}

export interface FollowerView {
  readonly node: TopologyNode;
  readonly received: number;
  readonly flushed: number;
  readonly applied: number;
  readonly lag: LagByStage;
  /** Milliseconds since the follower was last heard. */
  readonly silenceMs: number;
  /** The least bound in ms within which it can be expected to serve reads. */
  readonly boundMs: number;
  /** False when it lags too far for clients to be told to read from it. */
  readonly listed: boolean;
  /** Bytes that may be written, and ms that pass at the present rates, before log that it needs is dropped; −1 when that is not foreseen. */
  readonly fallOffBytes: number;
  readonly fallOffMs: number;
  /** False while it is a learner: it receives the log and does not count. */
  readonly votes: boolean;
  readonly inSync: boolean;
  /** Why it is not in sync; empty when it is. */
  readonly why: string;
}

/** A change of nodes, of where replicas are, or of where slots are to be. */
export type MetadataRequest =
  | { readonly kind: 'addReplica' | 'removeReplica'; readonly shard: number; readonly node: string }
  | { readonly kind: 'moveReplica'; readonly shard: number; readonly from: string; readonly to: string }
  | {
      readonly kind: 'addNode';
      readonly node: string;
      /** Where other nodes and clients reach it, `host:port`. */
      readonly peer: string;
      readonly client: string;
      readonly instance: string;
      readonly zone: string;
    }
  | { readonly kind: 'removeNode'; readonly node: string }
  /** Whether the cluster spreads replicas and leaders by itself. */
  | { readonly kind: 'rebalance'; readonly on: boolean }
  | {
      readonly kind: 'moveSlots';
      /** Which slots, or how many. */
      readonly which: readonly { readonly from: number; readonly to: number }[] | number;
      readonly from: number;
      readonly to: number;
    }
  /** Null: of all shards. */
  | { readonly kind: 'cancelSlots'; readonly from: number | null };

/** What commands may ask of the node around them. Implemented by the node's wiring; the simulator has its own. */
export interface NodeServices {
  /** Version as INFO and HELLO report it to clients that look for Redis features. */
  readonly redisVersion: string;
  readonly bellwetherVersion: string;
  /** Wall clock, for TIME. */
  wallMs(): number;
  topology(): readonly TopologyShard[];
  nodes(): readonly TopologyNode[];
  /** Rises with every change of nodes, shards and slots; 0 before the cluster has written down what it began with. */
  readonly metadataEpoch: number;
  /** Nodes, shards and slots as JSON. */
  metadataText(): string;
  /** The epoch that the change makes once it is committed, or an error line. */
  changeMetadata(request: MetadataRequest): number | string;
  /** Begins with the next moves towards an even spread: which, or an error line. */
  rebalance(): readonly object[] | string;
  replication(): readonly ReplicationView[];
  clients(): readonly ClientDescription[];
  /** Closes clients by id; true when it was connected. */
  killClient(id: number): boolean;
  /** Ends the wait of a client's command, by an error or as if its time were over; false when it does not wait. */
  unblockClient(id: number, withError: boolean): boolean;
  /** CLIENT PAUSE: no command (or no write) of any client runs before the given monotonic duration is over; 0 ends it. */
  pauseClients(ms: number, writesOnly: boolean): void;
  /** Parameter names and values that match a glob pattern. */
  configGet(pattern: string): readonly (readonly [name: string, value: string])[];
  /** An error line, or null when it was set. */
  configSet(name: string, value: string): string | null;
  resetStatistics(): void;
  /** Lines of INFO sections that only the node knows (server, clients, memory, stats, persistence, cpu): pairs per section title. */
  info(): readonly {
    readonly section: string;
    readonly fields: readonly (readonly [string, string | number])[];
  }[];
  /** Planned transfer of leadership to this node (CLUSTER FAILOVER); an error line, or null when started. */
  takeOver(): string | null;
  readonly encodingLimits: EncodingLimits;
  /** Planned transfer of leadership of a shard, to whom this node chooses when `to` is null; an error line, or null when begun. */
  handOver(shard: number, to: string | null): string | null;
  /** True while this node moves all leadership away and takes none. */
  readonly draining: boolean;
  drain(on: boolean): void;
  /** The node stops soon, leadership handed over first. */
  shutDown(): void;
  readonly debugEnabled: boolean;
  /** Digest of the node's state at its applied LSN, 40 hexadecimal characters. */
  stateDigest(): string;
}
