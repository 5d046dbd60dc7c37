import type { Bytes } from '../bytes/types.ts';
import type { Steps } from '../commands/steps.ts';
import type { CommandContext, CommandSpec } from '../commands/types.ts';
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

/** What comes of the work: it writes the answer, or is what the command does when it runs anew. */
type Outcome =
  | { readonly kind: 'answer'; readonly answer: (reply: ReplyWriter) => void }
  | { readonly kind: 'run'; readonly run: (context: CommandContext) => void };

/** The command of one session whose answer is worked out over several turns, from the state as it was when it ran. */
export class LaterAnswer {
  #work: Steps<Outcome> | null = null;
  #started: StartedCommand | null = null;

  get active(): boolean {
    return this.#started !== null;
  }

  /** The command that runs now leaves its answer to this work. */
  want(work: Steps<Outcome>): void {
    this.#work = work;
  }

  /** A command has run. True when its answer comes later. */
  ran(command: StartedCommand): boolean {
    if (this.#work === null) return false;
    this.#started = command;
    return true;
  }

  /** Does so many steps of the work; what came of it, and of which command, when that was the last one. */
  step(count: number): { readonly outcome: Outcome; readonly of: StartedCommand } | null {
    const started = this.#started;
    if (this.#work === null || started === null) return null;
    for (let left = count; left > 0; left--) {
      const step = this.#work.next();
      if (step.done !== true) continue;
      this.end();
      return { outcome: step.value, of: started };
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

export function* outcomeOf<T>(work: Steps<T>, outcome: (result: T) => Outcome): Steps<Outcome> {
  return outcome(yield* work);
}
