import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { RespWriter } from '../resp/reply-writer.ts';
import type { AckPolicy } from './ack-policy.ts';
import type { ReadLevel } from './read-level.ts';
import type { Replica } from './replica.ts';
import type { Gate } from './reply-queue.ts';
import type { Session } from './session.ts';

/**
 * Where a command runs now: on this node's replica as leader, or as follower for a reader that takes stale data; not
 * yet (`park`); or not here (`error`: the line to answer, MOVED for example).
 */
export type Route =
  | {
      readonly kind: 'leader' | 'follower';
      readonly replica: Replica;
      /** For a command without keys on a node with several shards: all that it concerns. */
      readonly all?: readonly Replica[];
    }
  /** Patient: for as long as it takes; else for `parkMs`, or longer when `limitMs` says so. */
  | { readonly kind: 'park'; readonly reason: string; readonly patient?: true; readonly limitMs?: number }
  | { readonly kind: 'error'; readonly line: string };

export interface SessionOptions {
  /** What a connection begins with. */
  readonly ack: AckPolicy;
  /** What replies to reads wait for: the commit. */
  readonly readGate: AckPolicy;
  /** What reads of a connection ask for at first, and after READONLY. */
  readonly readLevel: ReadLevel;
  readonly readOnlyLevel: ReadLevel;
  /** How long a read waits for this replica to be as current as it must be, before it is sent to the leader, in ms. */
  readonly readWaitMs: number;
  /** How long a command waits for a leader, in ms. */
  readonly parkMs: number;
  /** Bytes of commands that wait for a leader, all sessions together. */
  readonly parkBytes: number;
  /** Largest transaction, in bytes of its arguments. */
  readonly requestBytes: number;
}

/** What sessions share on a node. */
export interface SessionHost {
  readonly options: SessionOptions;
  /** True when a shard that this node leads takes more memory than it may, and nothing can be evicted. */
  lacksMemory(): boolean;
  /** Empty: none is asked for. */
  readonly password: string;
  /** One writer for all sessions: each command's reply is taken from it before the next command runs. */
  readonly writer: RespWriter;
  readonly stats: { commands: number; errors: number };
  /** Monotonic ms. */
  now(): number;
  /** `anyReplica`: a follower may run it, as far as the route is concerned. */
  route(slot: number, needs: 'read' | 'write', anyReplica: boolean, asking: boolean): Route;
  /** The epoch of the metadata that this node goes by. */
  metadataEpoch(): number;
  /** True when the slot was not always in the shard that owns it. */
  hasMoved(slot: number): boolean;
  /** Where clients reach the leader of a replica's shard; null while none is known and lively. */
  leaderAddress(replica: Replica): string | null;
  /** The gate of a reply that depends on all keys: in each shard that this node leads. */
  gateOnAll(gate: Gate, readMs: number): Gate;
  runWithoutState(spec: CommandSpec, args: Bytes[], session: Session, writer: RespWriter): void;
  checkPassword(user: Bytes, password: Bytes): boolean;
  policyCode(policy: AckPolicy): number;
  /** Copies that hold "no write at all": every connected follower does. */
  copiesOfNothing(): { local: number; replicas: number };
  /** The session has replies that may leave at the end of the turn. */
  replied(session: Session): void;
  /** Bytes of commands that wait for a leader now. */
  parkedBytes: number;
  /** The session waits for a leader, or for this replica. */
  parked(session: Session): void;
  unparked(session: Session): void;
  /** Tell the connection, at the end of the turn, that it may go on. */
  resumeLater(session: Session): void;
  /** The answer of the session's command is worked out over the following turns. */
  worksOn(session: Session): void;
  /** The wait of the session's command was ended: it answers at the end of the turn. */
  unblocked(session: Session): void;
  forget(session: Session): void;
  touched(): void;
}
