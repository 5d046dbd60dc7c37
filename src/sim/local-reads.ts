import type { Operation } from './history.ts';
import type { LevelRead } from './level-history.ts';
import { describeRead } from './level-history.ts';

/** What clients had asked for of one key by when, as far as it may have been executed. */
export class Asked {
  readonly #firstSet = new Map<string, number>();
  /** When each increment was asked for, ascending. */
  readonly #counted: number[] = [];

  constructor(operations: readonly Operation[]) {
    for (const { kind, value, invoked } of operations) {
      if (kind === 'incr') this.#counted.push(invoked);
      else if (kind === 'set')
        this.#firstSet.set(value, Math.min(invoked, this.#firstSet.get(value) ?? invoked));
    }
    this.#counted.sort((a, b) => a - b);
  }

  /** Whether the key may have held this at a time. */
  allows(value: string, at: number): boolean {
    if (this.#counted.length === 0) return (this.#firstSet.get(value) ?? at) < at;
    const invoked = this.#counted[Number(value) - 1];
    return invoked !== undefined && invoked < at;
  }
}

/**
 * `local`: what some leader executed, committed or not. Of keys that are set, erased or counted, nothing but what a
 * client had asked for by then can be seen. Answers what is wrong; null when nothing is.
 */
export function checkLocalRead(read: LevelRead, asked: Asked): string | null {
  const { result, returned } = read;
  if (result === null || asked.allows(String(result), returned)) return null;
  return `${describeRead(read)}: no leader can have executed that`;
}
