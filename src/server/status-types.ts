import type { FollowerView, LagByStage } from '../commands/types.ts';

/** What `/status` answers and `bellwether status` shows. */
export interface NodeStatus {
  readonly node: string;
  readonly cluster: string;
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly client: string;
  /** Empty when it was given none. */
  readonly zone: string;
  /** It moves all leadership away and takes none. */
  readonly draining: boolean;
  readonly process: ProcessStatus;
  readonly metadata: MetadataStatus;
  readonly shards: readonly ShardStatus[];
  readonly log: LogStatus;
  readonly peers: readonly { readonly node: string; readonly connected: boolean }[];
  readonly clients: {
    readonly connected: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly parked: number;
  };
  readonly commands: { readonly total: number; readonly errors: number };
}

/** The shard that holds nodes, shards and slots. */
export interface MetadataStatus {
  /** Rises with every change; 0 before the cluster has written down what it began with. */
  readonly epoch: number;
  /** Node that leads it, null when none is known. */
  readonly leader: string | null;
  /** Every node of the cluster. */
  readonly nodes: readonly string[];
  /** Who votes on it, and who of them is in sync as its leader sees it, itself included; nobody where it is not led. */
  readonly voters: readonly string[];
  readonly inSync: readonly string[];
}

export interface ProcessStatus {
  /** Processor time since the start, all threads. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Longest turn of the event loop since the start. */
  readonly turnMsMax: number;
  readonly commandsPerSecond: number;
}

export interface ShardStatus {
  readonly shard: number;
  readonly role: 'leader' | 'follower' | 'candidate' | 'learner';
  /** Node that leads, null when none is known. */
  readonly leader: string | null;
  readonly term: number;
  readonly serving: boolean;
  /** Null, or why this replica neither votes nor leads for now. */
  readonly doubt: string | null;
  /** Who takes part, by the latest membership that this replica knows: voters, and who receives the log without a vote. */
  readonly voters: readonly string[];
  readonly learners: readonly string[];
  readonly rebuilding: boolean;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly flushed: number;
  readonly commit: number;
  readonly applied: number;
  readonly keys: number;
  readonly memoryBytes: number;
  /** Limit of them; 0: none. */
  readonly memoryLimit: number;
  /** Keys that this node has evicted, since its start. */
  readonly evicted: number;
  readonly leaderSilenceMs: number;
  /** How far this replica is behind the newest end of the leader's log that it heard of; 0 on the leader. */
  readonly lag: LagByStage;
  /** How old its state may be at most, as far as it can prove; 0 on the leader, −1 when unknown. */
  readonly provenAgeMs: number;
  readonly checkpoint: { readonly lsn: number; readonly digest: string; readonly keys: number } | null;
  /** Slots that the shard owns, as this node knows. */
  readonly slots: number;
  /** What the shard gives away, by its leader; null when no slots are to go. */
  readonly giving: MoveStatus | null;
  /** Bytes of slots that this leader has sent to other shards. */
  readonly movedBytes: number;
  readonly gatesWaiting: number;
  /** So many replicas must be in sync, the leader's included, for writes to be taken and acknowledged. */
  readonly neededInSync: number;
  readonly elections: number;
  readonly lostEntries: number;
  readonly checkpoints: number;
  readonly followers: readonly FollowerStatus[];
}

export interface MoveStatus {
  readonly slotsLeft: number;
  /** Since this leader began. */
  readonly slotsMoved: number;
  /** Clients of some slots wait for the decision. */
  readonly frozen: boolean;
  readonly bytesPerSecond: number;
  /** -1 while that cannot be told. */
  readonly secondsLeft: number;
}

export interface FollowerStatus extends Omit<FollowerView, 'node'> {
  readonly node: string;
}

export interface LogStatus {
  readonly segments: number;
  readonly bytes: number;
  readonly flushes: number;
  readonly bytesWritten: number;
  readonly flushMsTotal: number;
  readonly flushMsMax: number;
  readonly stalledMs: number;
  readonly latched: boolean;
  readonly spaceShort: boolean;
}
