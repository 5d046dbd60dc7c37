import type { Bytes } from '../bytes/types.ts';
import type { Steps } from '../commands/steps.ts';
import type { CommandSpec } from '../commands/types.ts';
import type { ReplyWriter } from '../resp/types.ts';
import type { Replica } from './replica.ts';
import type { Gate } from './reply-queue.ts';

/** A command that has read what it needs, and what its reply depends on since then. */
export interface StartedCommand {
  readonly spec: CommandSpec;
  readonly args: Bytes[];
  readonly replica: Replica;
  readonly leading: boolean;
  readonly gate: Gate | null;
}

/** The command of one session whose answer is worked out over several turns, from the state as it was when it ran. */
export class LaterAnswer {
  #work: Steps<(reply: ReplyWriter) => void> | null = null;
  #started: StartedCommand | null = null;

  get active(): boolean {
    return this.#started !== null;
  }

  /** The command that runs now leaves its answer to this work. */
  want(work: Steps<(reply: ReplyWriter) => void>): void {
    this.#work = work;
  }

  /** A command has run. True when its answer comes later. */
  ran(command: StartedCommand): boolean {
    if (this.#work === null) return false;
    this.#started = command;
    return true;
  }

  /** Does so many steps of the work; what writes the answer, with the gate that it waits for, when that was the last one. */
  step(count: number): { readonly answer: (reply: ReplyWriter) => void; readonly gate: Gate | null } | null {
    const started = this.#started;
    if (this.#work === null || started === null) return null;
    for (let left = count; left > 0; left--) {
      const step = this.#work.next();
      if (step.done !== true) continue;
      this.end();
      return { answer: step.value, gate: started.gate };
    }
    return null;
  }

  /** A replica leads no more: what it was asked as the leader is to be asked anew. Null when that concerns nothing here. */
  leadershipEnded(replica: Replica): StartedCommand | null {
    const started = this.#started;
    if (started === null || started.replica !== replica || !started.leading) return null;
    this.end();
    return started;
  }

  end(): void {
    this.#work = null;
    this.#started = null;
  }
}
