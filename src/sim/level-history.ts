import type { ReadLevel } from '../shard/read-level.ts';
import type { Operation } from './history.ts';

/** A read that may show something old, as its client saw it. Times in ms are true ones. */
export interface LevelRead {
  readonly client: number;
  readonly level: ReadLevel;
  readonly key: string;
  readonly result: Operation['result'];
  readonly sentMs: number;
  readonly returnedMs: number;
  /** When its answer came, in the order of all events of the history. */
  readonly returned: number;
}

/** What one session learned, in order. */
export type SessionStep =
  | { readonly kind: 'read'; readonly read: LevelRead }
  /** A write was acknowledged; its value is written only once, and its leader's term is known. */
  | { readonly kind: 'wrote'; readonly key: string; readonly value: string; readonly term: number }
  /** The server says that what the session saw was lost, or may be. */
  | { readonly kind: 'told'; readonly line: string };

/** Reads at the levels that promise less than the newest value. */
export class LevelHistory {
  readonly reads: LevelRead[] = [];
  readonly #sessions = new Map<number, SessionStep[]>();

  get sessions(): ReadonlyMap<number, readonly SessionStep[]> {
    return this.#sessions;
  }

  learned(client: number, step: SessionStep): void {
    const steps = this.#sessions.get(client);
    if (steps === undefined) this.#sessions.set(client, [step]);
    else steps.push(step);
  }
}

export function describeRead({ client, level, key, result, sentMs, returnedMs }: LevelRead): string {
  const asked = level.bound === 0 ? level.kind : `${level.kind} ${level.bound}`;
  const shown = String(result);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return `client ${client} read ${key} → ${short} at ${asked}, from ${sentMs.toFixed(2)} to ${returnedMs.toFixed(2)} ms`;
}
