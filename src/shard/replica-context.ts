import type { NodeServices } from '../commands/types.ts';
import type { CoreOptions } from '../core/options.ts';
import type { BatchSpan, Membership, NodeId } from '../core/types.ts';
import type { Clock } from '../env/clock.ts';
import type { Disk } from '../env/disk.ts';
import type { Logger } from '../env/logger.ts';
import type { Random } from '../env/random.ts';
import type { Batch } from '../log/batch.ts';
import type { NodeLog } from '../log/types.ts';
import type { PeerNetwork } from '../peer/types.ts';
import type { CheckpointStore } from '../state/checkpoint-store.ts';
import type { KeyspaceView } from '../state/types.ts';
import type { EvictionOptions } from './evictor.ts';
import type { Replica } from './replica.ts';

export interface ReplicaOptions extends EvictionOptions {
  readonly core: CoreOptions;
  /** Fewer in-sync voters than this, the leader included, and writes are refused before they are executed. */
  readonly minInSync: number;
  /** Log bytes after which a checkpoint is cut, and the longest time between two while there are writes, in ms. */
  readonly checkpointBytes: number;
  readonly checkpointMs: number;
  /** A durable write that takes longer counts as a hanging disk, in ms. */
  readonly diskStallMs: number;
  /** Followers that cannot serve a bound of so many ms are not named to clients that read from replicas; 0: all are. */
  readonly replicaMaxLagMs: number;
  /** Bytes of one piece of a snapshot. */
  readonly snapshotPieceBytes: number;
}

/** What a replica needs of the node around it. */
export interface ReplicaContext {
  readonly self: NodeId;
  readonly options: ReplicaOptions;
  readonly log: NodeLog;
  readonly disk: Disk;
  readonly checkpoints: CheckpointStore;
  readonly peers: PeerNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly services: NodeServices;
  /** The batch as the core sees it, its membership decoded. */
  spanOf(batch: Batch): Batch & BatchSpan;
  encodeMembership(membership: Membership): Uint8Array;
  /** Throws when the bytes are no membership. */
  decodeMembership(bytes: Uint8Array): Membership;
  /** False for a node that this cluster does not have. */
  knowsNode(node: NodeId): boolean;
  /** The keys that a command without keys sees when it runs on this replica. */
  wholeView(replica: Replica): KeyspaceView;
  /** Something happened: the end of this turn has work to do. */
  touched(): void;
  /** The same, when somebody waits for what came: see `ShardHost.touchedSoon`. */
  touchedSoon(): void;
  /** Followers' positions moved: WAIT may be over. */
  positionsMoved(): void;
  /** A leader began to serve. */
  servingChanged(): void;
  /** Role or leader may be another now: parked commands may go on or be redirected. */
  roleMayHaveChanged(replica: Replica): void;
  /** Leadership ended; not planned means clients must reconnect. */
  deposed(replica: Replica, planned: boolean): void;
  /** This node is about to promise something: from now on others rely on what its data directory holds. */
  noLongerFresh(): void;
  /** A statement that safety rests on failed, or the disk did: the process must end. */
  fatal(error: Error): void;
}
