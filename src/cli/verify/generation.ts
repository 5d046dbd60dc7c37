import { checkAcknowledgedWrites } from '../../sim/acknowledged-writes.ts';
import type { OpenOperation, Operation, Request } from '../../sim/history.ts';
import { History } from '../../sim/history.ts';
import { checkLinearizable } from '../../sim/linearizability.ts';

/** A key after the last operation on it, when its history was found to be in order. */
export interface SettledKey {
  readonly key: string;
  readonly value: string | null;
  /** Operations that nobody answered; one of them may still take effect. */
  readonly open: readonly Request[];
}

export interface CheckedGeneration {
  readonly settled: readonly SettledKey[];
  readonly operations: number;
  readonly violations: readonly string[];
  /** Keys whose search was given up. */
  readonly undecided: number;
}

/** Some keys that are used for a while, then read for the last time and checked, so that a long run needs little memory. */
export class Generation {
  readonly keys: readonly string[];
  /** Keys that are only set and read. */
  readonly registers: readonly string[];
  readonly counters: readonly string[];
  /** Operations that were begun. */
  begun = 0;
  /** Increments that were begun, per counter. */
  readonly increments = new Map<string, number>();
  readonly #history = new History();
  readonly #finals = new Map<string, string | null>();
  readonly #unanswered = new Map<OpenOperation, Request>();

  constructor(number: number) {
    const named = (name: string, count: number): string[] =>
      Array.from({ length: count }, (_, i) => `${name}:${number}:${i}`);
    this.registers = named('register', 6);
    this.counters = named('counter', 3);
    this.keys = [...this.registers, ...this.counters, ...named('erasable', 3)];
  }

  invoke(client: number, request: Request): OpenOperation {
    this.begun += 1;
    if (request.kind === 'incr')
      this.increments.set(request.key, (this.increments.get(request.key) ?? 0) + 1);
    const open = this.#history.invoke(client, request);
    if (request.kind !== 'get') this.#unanswered.set(open, request);
    return open;
  }

  returned(open: OpenOperation, result: Operation['result']): void {
    this.#unanswered.delete(open);
    this.#history.returned(open, result);
  }

  /** It surely had no effect. */
  failed(open: OpenOperation): void {
    this.#unanswered.delete(open);
    this.#history.failed(open);
  }

  unknown(open: OpenOperation): void {
    this.#history.unknown(open);
  }

  /** It was answered under a policy that promises nothing: it may be lost, but is not on its way any more. */
  weaklyAnswered(open: OpenOperation): void {
    this.#unanswered.delete(open);
    this.#history.unknown(open);
  }

  /** The last read of a key, behind all operations that are answered. */
  final(key: string, value: string | null): void {
    this.#finals.set(key, value);
  }

  check(): CheckedGeneration {
    this.#history.end();
    const violations: string[] = [];
    let undecided = 0;
    const perKey = this.#history.perKey();
    for (const [key, value] of this.#finals) {
      const problem = checkAcknowledgedWrites(key, perKey.get(key) ?? [], value);
      if (problem !== null) violations.push(problem);
    }
    for (const [key, operations] of perKey) {
      const verdict = checkLinearizable(operations);
      if (verdict.kind === 'undecided') undecided += 1;
      if (verdict.kind !== 'violated') continue;
      violations.push(`${key} is not linearizable: ${described(verdict.stuckAt, operations)}`);
    }
    const open = [...this.#unanswered.values()];
    const settled = [...this.#finals].map(([key, value]) => ({
      key,
      value,
      open: open.filter((request) => request.key === key),
    }));
    return { settled, operations: this.#history.operations.length, violations, undecided };
  }
}

function lineOf({ client, kind, value, result, invoked, returned }: Operation): string {
  return `client ${client}, ${kind} ${value} → ${result}, from ${invoked} to ${returned}`;
}

/** An operation that does not fit, with some that ended shortly before it. */
function described(stuckAt: Operation, operations: readonly Operation[]): string {
  const before = operations
    .filter(({ returned, invoked }) => invoked < stuckAt.returned && returned > stuckAt.invoked - 40)
    .sort((a, b) => a.invoked - b.invoked);
  return `${lineOf(stuckAt)}; around it:\n  ${before.map(lineOf).join('\n  ')}`;
}

/** Whether a value that is read much later can be what a settled key has become. */
export function explains({ value, open }: SettledKey, later: string | null): boolean {
  if (later === value) return true;
  const increments = open.filter(({ kind }) => kind === 'incr').length;
  if (increments > 0) {
    const from = Number(value ?? '0');
    return later !== null && Number(later) >= from && Number(later) <= from + increments;
  }
  return open.some((request) => (request.kind === 'set' ? request.value === later : later === null));
}
