import type { Bytes } from '../bytes/types.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { Session } from './session.ts';
import type { SessionHost } from './session-host.ts';

/** A command that waits for a leader, for a replica to come further, or for a pause to end. */
export interface ParkedCommand {
  readonly spec: CommandSpec;
  readonly args: Bytes[];
  /** The command waits since then, and was sent at or before the other moment; monotonic ms. */
  readonly sinceMs: number;
  readonly sentByMs: number;
}

function bytesOf(args: readonly Bytes[]): number {
  let bytes = 0;
  for (const arg of args) bytes += arg.length;
  return bytes;
}

/** Where a session's command waits until it may be tried again. Its bytes count against what the node parks in all. */
export class Parking {
  readonly #host: SessionHost;
  readonly #session: Session;
  #command: ParkedCommand | null = null;

  constructor(host: SessionHost, session: Session) {
    this.#host = host;
    this.#session = session;
  }

  get taken(): boolean {
    return this.#command !== null;
  }

  /** False when the node parks as much as it may. */
  hasRoomFor(args: readonly Bytes[]): boolean {
    return this.#host.parkedBytes + bytesOf(args) <= this.#host.options.parkBytes;
  }

  put(command: ParkedCommand): void {
    this.#command = command;
    this.#host.parkedBytes += bytesOf(command.args);
    this.#host.parked(this.#session);
  }

  /** The command leaves its place; null when there was none. */
  take(): ParkedCommand | null {
    const command = this.#command;
    this.#command = null;
    if (command !== null) {
      this.#host.parkedBytes -= bytesOf(command.args);
      this.#host.unparked(this.#session);
    }
    return command;
  }
}
