import type { Bytes } from '../bytes/types.ts';

/** The far end of a session: a client's socket, or a simulated client. */
export interface SessionSink {
  /**
   * Reply bytes that may leave now, in order. Called at most a few times per turn; the view must be used (written or
   * copied) at once or held as it is: its bytes do not change afterwards.
   */
  write(bytes: Buffer): void;
  /** The session takes commands again after `blocked` was true. Called at the end of a turn. */
  resume(): void;
  /** The session is over; what was written before still goes out. */
  close(reason: string): void;
}

/**
 * One client's conversation, whatever carries it (shard/session.ts implements it). Feed complete commands while
 * `blocked` is false:
 *
 *   session.arrived();
 *   while (!session.blocked) { const args = parser.next(); if (args === null) break; session.execute(args); }
 *
 * When `resume` is called on the sink, call `resumed` and run that loop again.
 */
export interface ClientSession {
  readonly id: number;
  /** False until the client has given the password, where one is needed. */
  readonly authenticated: boolean;
  /** True while the session takes no further command: parked, waiting in WAIT, paused, or closed. */
  readonly blocked: boolean;
  /** Reply bytes produced and not yet given to the sink. */
  readonly pendingBytes: number;
  /** Commands have arrived: those that follow count from now, and were sent before. */
  arrived(): void;
  /** Commands that had arrived before are taken up again: they count from now. */
  resumed(): void;
  /** The command name is args[0]; there is at least one. */
  execute(args: Bytes[]): void;
  /** The client's bytes made no sense: sends the error line in order, then closes. */
  protocolError(line: string): void;
  /** Takes no further command, drops one that waits, and closes once the replies so far have left. */
  closeAfterReply(): void;
  /** The client is gone: forgets everything that waits. */
  disconnected(): void;
}
